#pragma once

#include "detectors/counting/tick_slice.hpp"
#include "detectors/judging/keyed_state.hpp"
#include "detectors/values/monitor_spec.hpp"

#include <tsl/robin_map.h>

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace tocsin {

/// What one key did in one tick.
struct key_counts {
  key_slot slot = no_slot;
  std::int64_t total = 0;
  std::int64_t failed = 0;
  std::int64_t capped = 0;   ///< min(failed, distinct failing viewers); failed where the stream has no viewers
  std::uint64_t viewers = 0; ///< bitmap of failing viewers
};

/// A closed tick of one monitor in one shard: the keys that had events, by level, roots first.
struct closed_tick {
  tick_index tick = 0;
  std::vector<std::vector<key_counts>> levels;
  std::vector<key_slot> created; ///< keys that this tick brought
};

/// Sums the leaf cells of a tick up the levels of a monitor. Owned by a monitor_shard.
class roll_up {
public:
  roll_up(const monitor_spec& monitor, keyed_state& keys);

  void begin(tick_index tick);
  /// Adds the cells of one partition that belong to `shard`.
  void add(const tick_slice& slice, std::uint32_t shard);
  /// The tick's sums; valid until begin().
  const closed_tick& finish();

  /// Keys were erased: slots that were remembered for leaves are void.
  void forget_routes();
  std::size_t memory_bytes() const;

private:
  struct leaf_route {
    std::uint32_t first = 0; ///< routes_[first + level] is the slot of the leaf's key at that level
  };

  const key_slot* route_of(const leaf_cell& cell, std::string_view leaf);
  key_slot key_at(std::uint32_t level, key_slot root);
  void add_to(std::uint32_t level, key_slot slot, const leaf_cell& cell);

  const monitor_spec* monitor_;
  keyed_state* keys_;
  std::uint64_t most_routes_; ///< remembered from one tick to the next
  closed_tick tick_;
  std::vector<std::string_view> values_; ///< encoded values of the leaf at hand
  std::string key_;                      ///< scratch
  std::vector<tick_index> seen_tick_;    ///< by slot: the last tick in which place_ is valid
  std::vector<std::uint32_t> place_;     ///< by slot: index in tick_.levels[level]
  tsl::robin_map<key_hash, leaf_route, key_hash_hasher> leaves_;
  std::vector<key_slot> routes_;
};

} // namespace tocsin
