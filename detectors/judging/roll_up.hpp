#pragma once

#include "detectors/counting/hash_index.hpp"
#include "detectors/counting/tick_slice.hpp"
#include "detectors/judging/keyed_state.hpp"
#include "detectors/values/monitor_spec.hpp"

#include <cstdint>
#include <limits>
#include <string>
#include <string_view>
#include <vector>

namespace tocsin {

/// What one key did in one tick.
struct key_counts {
  key_slot slot = no_slot;
  std::uint32_t parent = 0; ///< place of the parent's counts among those of its level; its own for a root
  std::int64_t total = 0;
  std::int64_t failed = 0;
  std::int64_t capped = 0;   ///< min(failed, distinct failing viewers); failed where the stream has no viewers
  std::uint64_t viewers = 0; ///< bitmap of failing viewers
};

/// Events of a key that came late: counted in the tick, but of another minute.
struct late_counts {
  key_slot slot = no_slot;
  time_ms minute = 0; ///< begin
  std::int64_t total = 0;
  std::int64_t failed = 0;
};

/// Failures of one error type in a scope.
struct type_counts {
  std::uint32_t place = 0; ///< of the scope's root among the counts of roots
  std::string_view type;   ///< encoded; its bytes are the slice's
  std::int64_t failed = 0;
  std::uint64_t viewers = 0; ///< bitmap of failing viewers
};

/// A closed tick of one monitor in one shard: the keys that had events, by level, roots first.
struct closed_tick {
  tick_index tick = 0;
  std::vector<std::vector<key_counts>> levels;
  std::vector<type_counts> types; ///< sorted by place and type, each once; none where nothing names types
  std::vector<key_slot> created;  ///< keys that this tick brought
  std::vector<late_counts> late;  ///< part of the counts; a key may have several, also of one minute
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
  /// Where a slot's sums of the present tick are.
  struct seen_slot {
    tick_index tick = std::numeric_limits<tick_index>::min(); ///< the last tick in which `place` is valid
    std::uint32_t place = 0;                                  ///< index in tick_.levels[level]
  };

  void prefetch_route(const key_hash& leaf) const;
  const key_slot* route_of(const leaf_cell& cell, std::string_view leaf);
  key_slot key_at(std::uint32_t level, key_slot root);
  void add_types(const cell_columns& failures, std::uint32_t shard);
  void merge_types();
  void add_to(std::uint32_t level, const key_slot* route, const leaf_cell& cell);

  const monitor_spec* monitor_;
  keyed_state* keys_;
  std::vector<std::uint32_t> order_;   ///< of the levels, parents first
  std::vector<std::uint32_t> parents_; ///< of each level, its parent's number
  std::uint64_t most_routes_;          ///< remembered from one tick to the next
  closed_tick tick_;
  std::vector<std::string_view> values_; ///< encoded values of the leaf at hand
  std::string key_;                      ///< scratch
  std::vector<seen_slot> seen_;          ///< by slot
  hash_index leaves_;                    ///< of leaf_hashes_
  std::vector<key_hash> leaf_hashes_;    ///< leaves whose keys are remembered
  std::vector<key_slot> routes_;         ///< routes_[leaf * levels + level]: slot of the leaf's key at that level
};

} // namespace tocsin
