#include "models/level.hpp"

#include <algorithm>
#include <cmath>

namespace tocsin {

double level_kept(double hours) {
  static const double kept_an_hour = std::exp2(-1 / level_half_life_hours);
  return hours == 1 ? kept_an_hour : std::exp2(-hours / level_half_life_hours);
}

double level_kept(double hours, double failures) {
  const auto by_drift = 1 / (1 + failures * level_drift * hours);
  const auto usual = level_kept(hours);
  if (by_drift <= usual)
    return usual;
  return std::min(by_drift, std::exp2(-hours / longest_level_half_life_hours));
}

} // namespace tocsin
