#include "io/decode/field_layout.hpp"

#include <algorithm>

namespace tocsin::io {

field_layout::field_layout(const decode_plan& plan) {
  time = slot_of(plan.format == input_format::combined_log ? "time" : plan.time_field);
  where = slots_of(plan.where);
  if (plan.total_field)
    total = slot_of(*plan.total_field);
  if (plan.failed_field)
    failed = slot_of(*plan.failed_field);
  if (plan.rate_field)
    rate = slot_of(*plan.rate_field);
  if (plan.viewer_field)
    viewer = slot_of(*plan.viewer_field);
  if (plan.error_type_field)
    error_type = slot_of(*plan.error_type_field);
  for (const auto& monitor : plan.monitors)
    monitors.push_back({key_of(monitor), slots_of(monitor.where), slots_of(monitor.error_when)});
}

std::uint32_t field_layout::slot_of(const std::string& path) {
  const auto known = std::find(paths.begin(), paths.end(), path);
  const auto slot = static_cast<std::uint32_t>(known - paths.begin());
  if (known == paths.end())
    paths.push_back(path);
  return slot;
}

std::vector<std::uint32_t> field_layout::slots_of(const std::optional<expression>& condition) {
  std::vector<std::uint32_t> slots;
  if (condition)
    for (const auto& path : condition->fields())
      slots.push_back(slot_of(path));
  return slots;
}

std::uint32_t field_layout::key_of(const monitor_plan& monitor) {
  key_layout wanted;
  for (const auto& path : monitor.dimensions)
    wanted.dimensions.push_back(slot_of(path));
  wanted.scope_size = std::min(monitor.scope_size, static_cast<std::uint32_t>(monitor.dimensions.size()));
  for (std::uint32_t i = 0; i < keys.size(); ++i)
    if (keys[i].dimensions == wanted.dimensions && keys[i].scope_size == wanted.scope_size)
      return i;
  keys.push_back(std::move(wanted));
  return static_cast<std::uint32_t>(keys.size() - 1);
}

} // namespace tocsin::io
