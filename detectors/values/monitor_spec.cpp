#include "detectors/values/monitor_spec.hpp"

#include <algorithm>
#include <iterator>
#include <numeric>

namespace tocsin {

time_ms base_tick(const world_spec& world) {
  time_ms base = 0;
  for (const auto& monitor : world.monitors)
    base = std::gcd(base, monitor.tick);
  return base;
}

bool has_attribution(const monitor_spec& monitor) {
  return monitor.attributes && !monitor.has_rates && monitor.dimensions.size() > monitor.scope_size;
}

void name_error_type(monitor_spec& monitor, std::string field) {
  monitor.error_type = std::move(field);
  monitor.type_level.dimensions.resize(monitor.scope_size);
  std::iota(monitor.type_level.dimensions.begin(), monitor.type_level.dimensions.end(), 0U);
  monitor.type_level.dimensions.push_back(static_cast<std::uint32_t>(monitor.dimensions.size()));
}

monitor_spec with_types_as_dimension(const monitor_spec& monitor) {
  auto out = monitor;
  out.dimensions.push_back(*monitor.error_type);
  out.error_type.reset();
  out.capacity.max_leaves = most_types_past(monitor.capacity);
  return out;
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

std::vector<std::uint32_t> parents_first(const monitor_spec& monitor) {
  std::vector<std::uint32_t> order(monitor.levels.size());
  std::iota(order.begin(), order.end(), 0U);
  std::stable_sort(order.begin(), order.end(), [&](std::uint32_t a, std::uint32_t b) {
    return monitor.levels[a].dimensions.size() < monitor.levels[b].dimensions.size();
  });
  return order;
}

time_ms local_time(const monitor_spec& monitor, time_ms t) {
  const auto later = std::upper_bound(monitor.zone.begin(), monitor.zone.end(), t,
                                      [](time_ms at, const zone_transition& z) { return at < z.since; });
  return later == monitor.zone.begin() ? t : t + std::prev(later)->offset;
}

std::vector<std::string> level_names(const monitor_spec& monitor, std::uint32_t level) {
  std::vector<std::string> names;
  for (const auto dimension : level_at(monitor, level).dimensions)
    if (dimension >= monitor.scope_size)
      names.push_back(dimension_name(monitor, dimension));
  return names;
}

} // namespace tocsin
