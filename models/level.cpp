#include "models/level.hpp"

#include <cmath>

namespace tocsin {

double level_kept(double hours) {
  static const double kept_an_hour = std::exp2(-1 / level_half_life_hours);
  return hours == 1 ? kept_an_hour : std::exp2(-hours / level_half_life_hours);
}

} // namespace tocsin
