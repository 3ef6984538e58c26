#include "models/dispersion.hpp"

#include <algorithm>
#include <cmath>

namespace tocsin {

namespace {

constexpr double dispersion_weight = 500;
constexpr double misfit_weight = 2000;
/// Sums stay finite whatever is counted.
constexpr double most = 1e30;

float kept_in_range(double sum) {
  return static_cast<float>(std::clamp(sum, -most, most));
}

} // namespace

double tick_dispersion::value(double prior) const {
  return std::max(1e-4, (static_cast<double>(excess) + prior * dispersion_weight) /
                            (static_cast<double>(squares) + dispersion_weight));
}

void tick_dispersion::observe(double failed, double expected, double rate, double kappa, double kept) {
  const auto most_above = 4 * std::sqrt(expected + kappa * expected * expected) + 1;
  const auto residual = std::min(failed - expected, most_above);
  excess = kept_in_range(static_cast<double>(excess) * kept + residual * residual - expected * (1 - rate));
  squares = kept_in_range(static_cast<double>(squares) * kept + expected * expected);
}

double hour_misfit::value(double prior, double floor) const {
  return std::max(floor, (static_cast<double>(excess) + prior * misfit_weight) /
                             (static_cast<double>(squares) + misfit_weight));
}

void hour_misfit::observe(double failed, double expected, double squares_of_ticks, double kappa, double misfit,
                          double kept) {
  const auto limit = 4 * std::sqrt(expected + kappa * squares_of_ticks + misfit * expected * expected);
  const auto residual = std::clamp(failed - expected, -limit, limit);
  excess =
      kept_in_range(static_cast<double>(excess) * kept + residual * residual - expected - kappa * squares_of_ticks);
  squares = kept_in_range(static_cast<double>(squares) * kept + expected * expected);
}

} // namespace tocsin
