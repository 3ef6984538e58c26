#include "models/guard.hpp"

#include <algorithm>
#include <cmath>

namespace tocsin {

double guard_exponent(const guard_input& in) {
  const auto deviation = std::sqrt(std::clamp(in.variance, 0.0, 1e6));
  auto exponent = 1.25 * deviation;
  const auto noise_resolved = deviation - 1 / std::sqrt(in.failures_an_hour);
  if (in.failures_an_hour > 0 && noise_resolved > 0) {
    const auto looks = std::log(std::clamp(in.hours_between_alarms, 3.0, 1e12));
    exponent = std::max(exponent, 0.85 * std::sqrt(2 * looks) * noise_resolved);
  }
  return std::min(exponent, 5.0);
}

double guarded_rate(double rate, double exponent) {
  return std::clamp(rate * std::exp(exponent), 1e-6, 0.9);
}

} // namespace tocsin
