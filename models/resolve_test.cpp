#include "models/resolve_test.hpp"

#include "models/likelihood_ratio.hpp"

#include <algorithm>
#include <cmath>

namespace tocsin {

namespace {

constexpr double most_evidence = 1e12;
constexpr double smallest_ratio = 1.3;
constexpr double lowest_rate = 1e-9;
constexpr double highest_rate = 0.9;

} // namespace

double resolve_rate(double expected, double observed) {
  const auto p = std::isnan(expected) ? highest_rate : std::clamp(expected, lowest_rate, highest_rate);
  const auto seen = std::isnan(observed) ? p : std::clamp(observed, 0.0, 1.0);
  return std::min(highest_rate, std::max(smallest_ratio * p, p + (seen - p) / 2));
}

void resolve_test::observe(std::int64_t total, std::int64_t failed, double expected, double bound, double dispersion) {
  observe(log_likelihood_ratio(total, failed, bound, expected, dispersion));
}

void resolve_test::observe(double log_ratio) {
  if (std::isnan(log_ratio))
    return;
  // Bounded before exp(), which overflows above 709.
  evidence_ = std::clamp(evidence_ * std::exp(std::min(log_ratio, 100.0)), 1.0, most_evidence);
}

bool resolve_test::load(double evidence) {
  if (!(evidence >= 1 && evidence <= most_evidence))
    return false;
  evidence_ = evidence;
  return true;
}

} // namespace tocsin
