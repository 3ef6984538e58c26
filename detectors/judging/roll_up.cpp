#include "detectors/judging/roll_up.hpp"

#include "models/linear_counting.hpp"

#include <algorithm>
#include <iterator>

namespace tocsin {

roll_up::roll_up(const monitor_spec& monitor, keyed_state& keys)
    : monitor_(&monitor), keys_(&keys), order_(parents_first(monitor)),
      most_routes_(4 * part_of_shard(monitor.capacity.max_leaf_cells, monitor)) {
  tick_.levels.resize(monitor.levels.size());
  for (std::uint32_t level = 0; level < monitor.levels.size(); ++level)
    parents_.push_back(parent_level(monitor, level));
}

void roll_up::begin(tick_index tick) {
  tick_.tick = tick;
  for (auto& level : tick_.levels)
    level.clear();
  tick_.types.clear();
  tick_.created.clear();
  tick_.late.clear();
  // Remembering routes must not grow with leaves that never come back.
  if (leaves_.size() > most_routes_)
    forget_routes();
}

[[gnu::always_inline]] inline void roll_up::prefetch_route(const key_hash& leaf) const {
  const auto row = leaves_.guess(leaf);
  if (row == hash_index::none)
    return;
  __builtin_prefetch(&leaf_hashes_[row]);
  __builtin_prefetch(&routes_[row * monitor_->levels.size()]);
}

void roll_up::add(const tick_slice& slice, std::uint32_t shard) {
  constexpr std::uint32_t entry_ahead = 16, route_ahead = 8;
  const auto end = slice.shard_begin[shard + 1];
  for (auto i = slice.shard_begin[shard]; i < end; ++i) {
    if (i + entry_ahead < end) {
      leaves_.prefetch(slice.cells[i + entry_ahead].leaf);
      prefetch_route(slice.cells[i + route_ahead].leaf);
    }
    const auto& cell = slice.cells[i];
    const auto* route = route_of(cell, slice.key_of(cell));
    for (const auto level : order_)
      add_to(level, route, cell);
  }
  for (auto late = slice.first_late(slice.shard_begin[shard]); late != slice.late.end() && late->cell < end; ++late) {
    const auto& cell = slice.cells[late->cell];
    const auto* route = route_of(cell, slice.key_of(cell));
    for (const auto level : order_)
      tick_.late.push_back({route[level], late->minute, late->total, late->failed});
  }
  if (slice.types.has_shard(shard))
    add_types(slice.types, shard);
}

void roll_up::add_types(const cell_columns& failures, std::uint32_t shard) {
  for (auto i = failures.shard_begin[shard]; i < failures.shard_begin[shard + 1]; ++i) {
    const auto& cell = failures.cells[i];
    const auto key = failures.key_of(cell);
    const auto root = keys_->find(hash_key(root_key(key.substr(0, cell.scope_size))));
    // Where even scopes overflow, the leaf cells went into the pooled scope, and the type has no root here.
    if (!root || *root >= seen_.size() || seen_[*root].tick != tick_.tick)
      continue;
    key_reader reader(key);
    key_value type;
    while (reader.next(type)) {
    }
    tick_.types.push_back({seen_[*root].place, type.encoded, cell.failed, cell.failing_viewers});
  }
}

void roll_up::merge_types() {
  auto& types = tick_.types;
  const auto same = [](const type_counts& a, const type_counts& b) { return a.place == b.place && a.type == b.type; };
  std::sort(types.begin(), types.end(), [](const type_counts& a, const type_counts& b) {
    return a.place != b.place ? a.place < b.place : a.type < b.type;
  });
  auto end = types.begin();
  for (auto it = types.begin(); it != types.end(); ++it) {
    if (end != types.begin() && same(*std::prev(end), *it)) {
      std::prev(end)->failed += it->failed;
      std::prev(end)->viewers |= it->viewers;
    } else {
      *end++ = *it;
    }
  }
  types.erase(end, types.end());
}

const key_slot* roll_up::route_of(const leaf_cell& cell, std::string_view leaf) {
  const auto hash_at = [this](std::uint32_t row) -> const key_hash& { return leaf_hashes_[row]; };
  const auto known = leaves_.find(cell.leaf, hash_at);
  if (known != hash_index::none)
    return &routes_[known * monitor_->levels.size()];
  values_.clear();
  key_reader reader(leaf);
  for (key_value value; reader.next(value);)
    values_.push_back(value.encoded);
  const auto first = routes_.size();
  key_slot root = no_slot;
  for (std::uint32_t level = 0; level < monitor_->levels.size(); ++level) {
    const auto slot = key_at(level, root);
    if (level == 0)
      root = slot;
    routes_.push_back(slot);
  }
  leaves_.append(cell.leaf, hash_at);
  leaf_hashes_.push_back(cell.leaf);
  return &routes_[first];
}

key_slot roll_up::key_at(std::uint32_t level, key_slot root) {
  key_.assign(1, static_cast<char>(level));
  for (const auto dimension : monitor_->levels[level].dimensions)
    key_.append(values_[dimension]);
  const auto hash = hash_key(key_);
  const auto known = keys_->find(hash);
  bool is_new = false;
  const auto slot = known ? *known : keys_->touch(hash, key_, level, root, tick_.tick, is_new);
  if (slot >= seen_.size())
    seen_.resize(keys_->slots());
  if (is_new) {
    tick_.created.push_back(slot);
    seen_[slot] = {};
  }
  return slot;
}

void roll_up::add_to(std::uint32_t level, const key_slot* route, const leaf_cell& cell) {
  const auto slot = route[level];
  auto& keys = tick_.levels[level];
  auto& seen = seen_[slot];
  if (seen.tick != tick_.tick) {
    seen = {tick_.tick, static_cast<std::uint32_t>(keys.size())};
    keys.push_back({slot, seen_[route[parents_[level]]].place, 0, 0, 0, 0});
    (*keys_)[slot].last_tick = tick_.tick;
    keys_->mark_changed(slot);
  }
  auto& counts = keys[seen.place];
  counts.total += cell.total;
  counts.failed += cell.failed;
  counts.viewers |= cell.failing_viewers;
}

const closed_tick& roll_up::finish() {
  merge_types();
  for (auto& level : tick_.levels)
    for (auto& counts : level)
      counts.capped =
          monitor_->has_viewers ? std::min(counts.failed, distinct_from_bitmap(counts.viewers)) : counts.failed;
  return tick_;
}

void roll_up::forget_routes() {
  leaves_.clear();
  leaf_hashes_.clear();
  routes_.clear();
}

std::size_t roll_up::memory_bytes() const {
  return leaves_.memory_bytes() + leaf_hashes_.capacity() * sizeof(key_hash) + routes_.capacity() * sizeof(key_slot) +
         seen_.capacity() * sizeof(seen_slot);
}

} // namespace tocsin
