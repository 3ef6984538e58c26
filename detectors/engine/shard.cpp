#include "detectors/engine/shard.hpp"

#include "detectors/engine/monitor_shard.hpp"

#include <map>
#include <utility>

namespace tocsin {

void shard_stats::add(const shard_stats& other) {
  keys += other.keys;
  open_incidents += other.open_incidents;
  open_in_shadow += other.open_in_shadow;
  keys_created += other.keys_created;
  keys_evicted += other.keys_evicted;
  keys_expired += other.keys_expired;
  judged += other.judged;
  leaves += other.leaves;
  memory_bytes += other.memory_bytes;
}

shard::shard(std::shared_ptr<const world_spec> spec, std::uint32_t number) : spec_(std::move(spec)), number_(number) {
  for (std::uint32_t m = 0; m < spec_->monitors.size(); ++m)
    monitors_.push_back(std::make_unique<monitor_shard>(*spec_, m, number_));
  join_groups();
}

/// Monitors with the same scope dimensions tell of the same things.
void shard::join_groups() {
  std::map<std::vector<std::string>, incident_groups> by_scope;
  for (std::uint32_t m = 0; m < spec_->monitors.size(); ++m) {
    const auto& monitor = spec_->monitors[m];
    if (!monitor.life.group_wait)
      continue;
    const auto& names = monitor.dimensions;
    auto& groups = by_scope[{names.begin(), names.begin() + static_cast<std::ptrdiff_t>(monitor.scope_size)}];
    for (const auto& who : monitors_[m]->participants())
      groups.add(who);
  }
  for (auto& [scope, groups] : by_scope)
    groups_.push_back(std::move(groups));
}

shard::~shard() = default;
shard::shard(shard&&) noexcept = default;
shard& shard::operator=(shard&&) noexcept = default;

void shard::obey(const std::vector<operator_action>& actions) {
  for (const auto& action : actions)
    for (auto& monitor : monitors_)
      monitor->obey(action);
}

void shard::judge(const closed_range& range, std::vector<alert>& out) {
  for (auto& monitor : monitors_)
    monitor->begin(range);
  while (const auto end = next_end()) {
    std::vector<monitor_shard*> judged;
    for (auto& monitor : monitors_)
      if (monitor->next_end() == end) {
        monitor->run_next(out);
        judged.push_back(monitor.get());
      }
    for (auto& groups : groups_)
      groups.settle(*end);
    for (auto* monitor : judged)
      monitor->settled(out);
  }
}

std::optional<time_ms> shard::next_end() const {
  std::optional<time_ms> next;
  for (const auto& monitor : monitors_)
    if (const auto end = monitor->next_end(); end && (!next || *end < *next))
      next = end;
  return next;
}

void shard::take_changes(std::vector<state_record>& out) {
  for (auto& monitor : monitors_)
    monitor->take_changes(out);
}

std::optional<std::uint32_t> shard::owner_of(const state_record& record) {
  if (record.key.size() < 4)
    return std::nullopt;
  const auto number = static_cast<std::uint8_t>(record.key[1]);
  return number < shard_count ? std::optional<std::uint32_t>(number) : std::nullopt;
}

std::optional<std::string> shard::restore(const state_record& record) {
  if (owner_of(record) != number_)
    return "state record of another shard";
  const auto monitor = static_cast<std::size_t>(static_cast<std::uint8_t>(record.key[2])) |
                       static_cast<std::size_t>(static_cast<std::uint8_t>(record.key[3])) << 8;
  if (monitor >= monitors_.size())
    return "state record of an unknown monitor";
  return monitors_[monitor]->restore(record.key[0], std::string_view(record.key).substr(4), record.bytes);
}

std::optional<std::string> shard::finish_restore(time_ms judged_through) {
  for (auto& monitor : monitors_)
    if (auto error = monitor->finish_restore(judged_through))
      return error;
  return std::nullopt;
}

shard_stats shard::stats() const {
  shard_stats sum;
  for (const auto& monitor : monitors_)
    sum.add(monitor->stats());
  return sum;
}

void shard::for_each_key(const std::function<void(const key_view&)>& visit) const {
  for (const auto& monitor : monitors_)
    monitor->for_each_key(visit);
}

std::optional<key_explanation> shard::explain(std::uint32_t monitor, std::string_view key) const {
  return monitors_[monitor]->explain(key);
}

std::optional<attribution_view> shard::attribute(std::uint32_t monitor, std::string_view key, time_ms since) const {
  return monitors_[monitor]->attribute(key, since);
}

void shard::watch(std::uint32_t monitor, std::vector<std::string> keys) {
  monitors_[monitor]->watch(std::move(keys));
}

std::vector<watched_tick> shard::take_watched(std::uint32_t monitor) {
  return monitors_[monitor]->take_watched();
}

} // namespace tocsin
