#include "models/moving_moments.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

namespace tocsin {

void moving_moments::learn(double x, double keep) {
  weight = keep * weight + 1;
  const auto before = x - mean;
  mean += before / weight;
  squares = std::max(0.0, keep * squares + before * (x - mean));
  if (seen < std::numeric_limits<std::uint32_t>::max())
    ++seen;
}

double moving_moments::deviation() const {
  return weight > 0 ? std::sqrt(squares / weight) : 0;
}

double moving_moments::keep_of(std::int64_t history) {
  const auto length = static_cast<double>(std::max<std::int64_t>(1, history));
  return (length - 1) / (length + 1);
}

double window_z_score(std::int64_t failed, std::int64_t total, const moving_moments& history) {
  if (total <= 0)
    return 0;
  const auto events = static_cast<double>(total);
  const auto pooled = history.weight * events;
  const auto m = std::clamp((history.mean * pooled + 0.5) / (pooled + 1), 0.0, 1.0);
  // The limit is for means that rounding makes exactly 1.
  const auto deviation = std::max({history.deviation(), std::sqrt(m * (1 - m) / events), 1e-9});
  return (static_cast<double>(failed) / events - history.mean) / deviation;
}

} // namespace tocsin
