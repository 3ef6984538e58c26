#include "detectors/values/monitor_spec.hpp"

#include <algorithm>
#include <numeric>

namespace tocsin {

time_ms base_tick(const world_spec& world) {
  time_ms base = 0;
  for (const auto& monitor : world.monitors)
    base = std::gcd(base, monitor.tick);
  return base;
}

std::uint32_t parent_level(const monitor_spec& monitor, std::uint32_t level) {
  const auto& own = monitor.levels[level].dimensions;
  std::uint32_t best = level;
  for (std::uint32_t i = 0; i < monitor.levels.size(); ++i) {
    const auto& other = monitor.levels[i].dimensions;
    const bool subset = other.size() < own.size() && std::includes(own.begin(), own.end(), other.begin(), other.end());
    if (subset && (best == level || other.size() > monitor.levels[best].dimensions.size()))
      best = i;
  }
  return best;
}

std::vector<std::string> level_names(const monitor_spec& monitor, std::uint32_t level) {
  std::vector<std::string> names;
  for (const auto dimension : monitor.levels[level].dimensions)
    if (dimension >= monitor.scope_size)
      names.push_back(monitor.dimensions[dimension]);
  return names;
}

} // namespace tocsin
