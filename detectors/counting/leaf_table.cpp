#include "detectors/counting/leaf_table.hpp"

#include <algorithm>

namespace tocsin {

leaf_table::leaf_table(const monitor_spec& monitor) : monitor_(&monitor) {
  table_limit_ = std::max<std::uint64_t>(1, monitor.capacity.max_leaf_cells);
  // One scope value may take a quarter of the table, so that a flood of keys in it leaves room for the others.
  scope_limit_ = monitor.scope_size == 0 ? table_limit_ : std::max<std::uint64_t>(1, table_limit_ / 4);
}

bool leaf_table::add(const observation& seen, std::string_view key) {
  bool found_room = true;
  leaf_cell* cell = nullptr;
  const auto known = index_.find(seen.leaf);
  if (known != index_.end()) {
    cell = &cells_[known->second];
  } else if (has_room(key.substr(0, seen.scope_size))) {
    cell = &cell_of(seen.leaf, key, seen.scope_size);
  } else {
    const auto pooled = pooled_key(key.substr(0, seen.scope_size));
    const auto scope_size = pooled.size() - (monitor_->dimensions.size() - monitor_->scope_size);
    cell = &cell_of(hash_key(pooled), pooled, static_cast<std::uint16_t>(scope_size));
    found_room = false;
  }
  cell->total += seen.total;
  cell->failed += seen.failed;
  if (seen.failed > 0 && seen.has_viewer)
    cell->failing_viewers |= std::uint64_t{1} << seen.viewer_bit;
  return found_room;
}

leaf_cell& leaf_table::cell_of(const key_hash& leaf, std::string_view key, std::uint16_t scope_size) {
  const auto [position, is_new] = index_.try_emplace(leaf, static_cast<std::uint32_t>(cells_.size()));
  if (!is_new)
    return cells_[position->second];
  leaf_cell cell;
  cell.leaf = leaf;
  cell.key_begin = static_cast<std::uint32_t>(key_bytes_.size());
  cell.key_size = static_cast<std::uint16_t>(key.size());
  cell.scope_size = scope_size;
  cell.shard = shard_of(key.substr(0, scope_size));
  key_bytes_.append(key);
  if (monitor_->scope_size > 0)
    ++cells_of_scope_[hash_key(key.substr(0, scope_size)).low];
  cells_.push_back(cell);
  return cells_.back();
}

bool leaf_table::has_room(std::string_view scope) {
  if (cells_.size() >= table_limit_)
    return false;
  if (monitor_->scope_size == 0)
    return true;
  const auto held = cells_of_scope_.find(hash_key(scope).low);
  return held == cells_of_scope_.end() || held->second < scope_limit_;
}

std::string leaf_table::pooled_key(std::string_view scope) const {
  // A scope that is known keeps its own pooled leaf; when even scopes overflow, they share one.
  std::string key;
  const bool scopes_overflow = cells_.size() >= table_limit_ + monitor_->capacity.max_scopes;
  if (scopes_overflow)
    for (std::uint32_t i = 0; i < monitor_->scope_size; ++i)
      append_pooled(key);
  else
    key.assign(scope);
  for (std::size_t i = monitor_->scope_size; i < monitor_->dimensions.size(); ++i)
    append_pooled(key);
  return key;
}

void leaf_table::take(tick_slice& out) {
  // Counting sort by shard: stable, so the order within a shard is that of first appearance.
  out.shard_begin.fill(0);
  for (const auto& cell : cells_)
    ++out.shard_begin[cell.shard + 1];
  for (std::size_t s = 0; s < shard_count; ++s)
    out.shard_begin[s + 1] += out.shard_begin[s];
  auto next = out.shard_begin;
  out.cells.resize(cells_.size());
  for (const auto& cell : cells_)
    out.cells[next[cell.shard]++] = cell;
  out.key_bytes.assign(key_bytes_);
  // Clearing a map costs its buckets: after a burst, give the large one back.
  constexpr std::size_t small = 1024;
  if (index_.bucket_count() > small && cells_.size() < index_.bucket_count() / 16)
    index_ = {};
  else
    index_.clear();
  if (!cells_of_scope_.empty())
    cells_of_scope_.clear();
  cells_.clear();
  key_bytes_.clear();
}

} // namespace tocsin
