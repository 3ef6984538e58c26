#pragma once

#include "detectors/counting/tick_slice.hpp"
#include "detectors/values/event_batch.hpp"
#include "detectors/values/monitor_spec.hpp"

#include <tsl/robin_map.h>

#include <cstdint>
#include <string>

namespace tocsin {

/// The leaf cells of one monitor in one open tick of one partition: one hash probe an event. Bounded: when it is full,
/// new leaf keys share the pooled leaf `(other)` of their scope. Owned by a partition_counter; recycled by clear().
class leaf_table {
public:
  explicit leaf_table(const monitor_spec& monitor);

  /// Adds one observation (its weight is not 0). Returns false if it had to go to a pooled cell.
  bool add(const observation& seen, std::string_view key);
  std::size_t size() const { return cells_.size(); }
  /// Moves the cells out, sorted by shard; the table is empty afterwards.
  void take(tick_slice& out);

private:
  leaf_cell& cell_of(const key_hash& leaf, std::string_view key, std::uint16_t scope_size);
  bool has_room(std::string_view scope);
  std::string pooled_key(std::string_view scope) const;

  const monitor_spec* monitor_;
  std::uint64_t table_limit_;
  std::uint64_t scope_limit_;
  tsl::robin_map<key_hash, std::uint32_t, key_hash_hasher> index_;
  tsl::robin_map<std::uint64_t, std::uint64_t> cells_of_scope_; ///< only for monitors with a scope
  std::vector<leaf_cell> cells_;
  std::string key_bytes_;
};

} // namespace tocsin
