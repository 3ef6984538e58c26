#pragma once

#include "detectors/counting/hash_index.hpp"
#include "detectors/counting/tick_slice.hpp"
#include "detectors/values/event_batch.hpp"
#include "detectors/values/monitor_spec.hpp"

#include <tsl/robin_map.h>

#include <cstdint>
#include <map>
#include <string>
#include <utility>

namespace tocsin {

/// The leaf cells of one monitor in one open tick of one partition: one hash probe an event. Bounded: when it is full,
/// new leaf keys share the pooled leaf `(other)` of their scope. Owned by a partition_counter; recycled by clear().
class leaf_table {
public:
  /// `values`: how many values a key has; `limit`: so many cells before new ones share a pooled one.
  leaf_table(const monitor_spec& monitor, std::size_t values, std::uint64_t limit);

  /// Adds one observation (its weight is not 0). Returns false if it had to go to a pooled cell.
  bool add(const observation& seen, std::string_view key);
  /// The same for an event whose own tick was closed already; `minute`: the begin of the one it belongs to.
  bool add_late(const observation& seen, std::string_view key, time_ms minute);
  /// Hide the memory's latency: the first some events ahead of add(), the second nearer to it.
  [[gnu::always_inline]] void prefetch(const key_hash& leaf) const { index_.prefetch(leaf); }
  [[gnu::always_inline]] void prefetch_cell(const key_hash& leaf) const {
    if (const auto position = index_.guess(leaf); position != hash_index::none)
      __builtin_prefetch(&cells_[position]);
  }
  std::size_t size() const { return cells_.size(); }
  /// Moves the cells out, sorted by shard, and their late parts; the table is empty afterwards.
  void take(cell_columns& out, std::vector<late_part>& late);

private:
  struct scope_cells {
    std::uint32_t shard = 0;
    std::uint64_t cells = 0;
  };

  leaf_cell& count(const observation& seen, std::string_view key, bool& found_room);
  leaf_cell* find(const key_hash& leaf);
  leaf_cell* append_if_room(const observation& seen, std::string_view key);
  leaf_cell& append(const key_hash& leaf, std::string_view key, std::uint16_t scope_size, scope_cells& scope);
  leaf_cell& pooled_cell(std::string_view scope);
  scope_cells& scope_of(std::string_view scope);
  std::string pooled_key(std::string_view scope) const;

  const monitor_spec* monitor_;
  std::size_t values_;
  std::uint64_t table_limit_;
  std::uint64_t scope_limit_;
  hash_index index_; ///< of cells_
  tsl::robin_map<std::uint64_t, scope_cells> scopes_;
  std::vector<leaf_cell> cells_;
  std::string key_bytes_;
  std::map<std::pair<std::uint32_t, time_ms>, late_part> late_; ///< by cell and minute
};

} // namespace tocsin
