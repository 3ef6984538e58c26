#include "detectors/judging/roll_up.hpp"

#include "models/linear_counting.hpp"

#include <algorithm>
#include <limits>

namespace tocsin {

namespace {
constexpr tick_index never = std::numeric_limits<tick_index>::min();
} // namespace

roll_up::roll_up(const monitor_spec& monitor, keyed_state& keys)
    : monitor_(&monitor), keys_(&keys), most_routes_(4 * part_of_shard(monitor.capacity.max_leaf_cells, monitor)) {
  tick_.levels.resize(monitor.levels.size());
}

void roll_up::begin(tick_index tick) {
  tick_.tick = tick;
  for (auto& level : tick_.levels)
    level.clear();
  tick_.created.clear();
  // Remembering routes must not grow with leaves that never come back.
  if (leaves_.size() > most_routes_)
    forget_routes();
}

void roll_up::add(const tick_slice& slice, std::uint32_t shard) {
  for (auto i = slice.shard_begin[shard]; i < slice.shard_begin[shard + 1]; ++i) {
    const auto& cell = slice.cells[i];
    const auto* route = route_of(cell, slice.key_of(cell));
    for (std::uint32_t level = 0; level < monitor_->levels.size(); ++level)
      add_to(level, route[level], cell);
  }
}

const key_slot* roll_up::route_of(const leaf_cell& cell, std::string_view leaf) {
  const auto known = leaves_.find(cell.leaf);
  if (known != leaves_.end()) {
    const auto* route = &routes_[known->second.first];
    for (std::uint32_t level = 0; level < monitor_->levels.size(); ++level)
      (*keys_)[route[level]].last_tick = tick_.tick;
    return route;
  }
  values_.clear();
  key_reader reader(leaf);
  for (key_value value; reader.next(value);)
    values_.push_back(value.encoded);
  const auto first = static_cast<std::uint32_t>(routes_.size());
  key_slot root = no_slot;
  for (std::uint32_t level = 0; level < monitor_->levels.size(); ++level) {
    const auto slot = key_at(level, root);
    if (level == 0)
      root = slot;
    routes_.push_back(slot);
  }
  leaves_[cell.leaf] = {first};
  return &routes_[first];
}

key_slot roll_up::key_at(std::uint32_t level, key_slot root) {
  key_.assign(1, static_cast<char>(level));
  for (const auto dimension : monitor_->levels[level].dimensions)
    key_.append(values_[dimension]);
  bool is_new = false;
  const auto slot = keys_->touch(hash_key(key_), key_, level, root, tick_.tick, is_new);
  if (is_new)
    tick_.created.push_back(slot);
  if (slot >= seen_tick_.size()) {
    seen_tick_.resize(keys_->slots(), never);
    place_.resize(keys_->slots(), 0);
  }
  if (is_new)
    seen_tick_[slot] = never;
  return slot;
}

void roll_up::add_to(std::uint32_t level, key_slot slot, const leaf_cell& cell) {
  auto& keys = tick_.levels[level];
  if (seen_tick_[slot] != tick_.tick) {
    seen_tick_[slot] = tick_.tick;
    place_[slot] = static_cast<std::uint32_t>(keys.size());
    keys.push_back({slot, 0, 0, 0, 0});
    keys_->mark_changed(slot);
  }
  auto& counts = keys[place_[slot]];
  counts.total += cell.total;
  counts.failed += cell.failed;
  counts.viewers |= cell.failing_viewers;
}

const closed_tick& roll_up::finish() {
  for (auto& level : tick_.levels)
    for (auto& counts : level)
      counts.capped =
          monitor_->has_viewers ? std::min(counts.failed, distinct_from_bitmap(counts.viewers)) : counts.failed;
  return tick_;
}

void roll_up::forget_routes() {
  leaves_ = {};
  routes_.clear();
}

std::size_t roll_up::memory_bytes() const {
  return leaves_.bucket_count() * (sizeof(key_hash) + 2 * sizeof(leaf_route)) + routes_.capacity() * sizeof(key_slot) +
         seen_tick_.capacity() * (sizeof(tick_index) + sizeof(std::uint32_t));
}

} // namespace tocsin
