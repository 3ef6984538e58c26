#include "detectors/counting/leaf_table.hpp"

#include <algorithm>

namespace tocsin {

leaf_table::leaf_table(const monitor_spec& monitor, std::size_t values, std::uint64_t limit)
    : monitor_(&monitor), values_(values) {
  table_limit_ = std::max<std::uint64_t>(1, limit);
  // One scope value may take a quarter of the table, so that a flood of keys in it leaves room for the others.
  scope_limit_ = monitor.scope_size == 0 ? table_limit_ : std::max<std::uint64_t>(1, table_limit_ / 4);
}

bool leaf_table::add(const observation& seen, std::string_view key) {
  bool found_room = true;
  count(seen, key, found_room);
  return found_room;
}

bool leaf_table::add_late(const observation& seen, std::string_view key, time_ms minute) {
  bool found_room = true;
  const auto& cell = count(seen, key, found_room);
  const auto position = static_cast<std::uint32_t>(&cell - cells_.data());
  auto& part = late_[{position, minute}];
  part.cell = position;
  part.minute = minute;
  part.total += seen.total;
  part.failed += seen.failed;
  return found_room;
}

leaf_cell& leaf_table::count(const observation& seen, std::string_view key, bool& found_room) {
  auto* cell = find(seen.leaf);
  found_room = cell != nullptr || (cell = append_if_room(seen, key)) != nullptr;
  if (!found_room)
    cell = &pooled_cell(key.substr(0, seen.scope_size));
  cell->total += seen.total;
  cell->failed += seen.failed;
  if (seen.failed > 0 && seen.has_viewer)
    cell->failing_viewers |= std::uint64_t{1} << seen.viewer_bit;
  return *cell;
}

leaf_cell* leaf_table::find(const key_hash& leaf) {
  const auto position = index_.find(leaf, [this](std::uint32_t at) -> const key_hash& { return cells_[at].leaf; });
  return position == hash_index::none ? nullptr : &cells_[position];
}

leaf_cell* leaf_table::append_if_room(const observation& seen, std::string_view key) {
  // A full table does not even remember new scopes: they may be without number.
  if (cells_.size() >= table_limit_)
    return nullptr;
  auto& scope = scope_of(key.substr(0, seen.scope_size));
  return scope.cells < scope_limit_ ? &append(seen.leaf, key, seen.scope_size, scope) : nullptr;
}

leaf_cell& leaf_table::append(const key_hash& leaf, std::string_view key, std::uint16_t scope_size,
                              scope_cells& scope) {
  leaf_cell cell;
  cell.leaf = leaf;
  cell.key_begin = static_cast<std::uint32_t>(key_bytes_.size());
  cell.key_size = static_cast<std::uint16_t>(key.size());
  cell.scope_size = scope_size;
  cell.shard = scope.shard;
  ++scope.cells;
  key_bytes_.append(key);
  index_.append(leaf, [this](std::uint32_t at) -> const key_hash& { return cells_[at].leaf; });
  cells_.push_back(cell);
  return cells_.back();
}

leaf_cell& leaf_table::pooled_cell(std::string_view scope) {
  const auto key = pooled_key(scope);
  const auto leaf = hash_key(key);
  if (auto* known = find(leaf))
    return *known;
  const auto scope_size = key.size() - (values_ - monitor_->scope_size);
  return append(leaf, key, static_cast<std::uint16_t>(scope_size),
                scope_of(std::string_view(key).substr(0, scope_size)));
}

leaf_table::scope_cells& leaf_table::scope_of(std::string_view scope) {
  const auto [position, is_new] = scopes_.try_emplace(hash_key(scope).low);
  auto& found = position.value();
  if (is_new)
    found.shard = shard_of(scope);
  return found;
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
  for (std::size_t i = monitor_->scope_size; i < values_; ++i)
    append_pooled(key);
  return key;
}

void leaf_table::take(cell_columns& out, std::vector<late_part>& late_parts) {
  // Counting sort by shard: stable, so the order within a shard is that of first appearance.
  out.shard_begin.fill(0);
  for (const auto& cell : cells_)
    ++out.shard_begin[cell.shard + 1];
  for (std::size_t s = 0; s < shard_count; ++s)
    out.shard_begin[s + 1] += out.shard_begin[s];
  auto next = out.shard_begin;
  out.cells.resize(cells_.size());
  std::map<std::uint32_t, std::uint32_t> moved; // those with late parts
  for (const auto& late : late_)
    moved[late.first.first] = 0;
  for (const auto& cell : cells_) {
    const auto place = next[cell.shard]++;
    out.cells[place] = cell;
    if (moved.empty())
      continue;
    const auto is_late = moved.find(static_cast<std::uint32_t>(&cell - cells_.data()));
    if (is_late != moved.end())
      is_late->second = place;
  }
  for (auto& late : late_) {
    late.second.cell = moved[late.second.cell];
    late_parts.push_back(late.second);
  }
  std::sort(late_parts.begin(), late_parts.end(), [](const late_part& a, const late_part& b) {
    return a.cell != b.cell ? a.cell < b.cell : a.minute < b.minute;
  });
  late_.clear();
  out.key_bytes.assign(key_bytes_);
  index_.clear();
  scopes_.clear();
  cells_.clear();
  key_bytes_.clear();
}

} // namespace tocsin
