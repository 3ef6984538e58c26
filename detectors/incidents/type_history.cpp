#include "detectors/incidents/type_history.hpp"

#include <algorithm>
#include <map>

namespace tocsin {

namespace {

std::string pooled_value() {
  std::string out;
  append_pooled(out);
  return out;
}

} // namespace

type_history::type_history(const monitor_spec& monitor, std::uint32_t shard)
    : monitor_(&monitor), shard_(shard), typed_(with_types_as_dimension(monitor)), past_(typed_, shard) {}

void type_history::add(const cell_columns& failures) {
  for (auto i = failures.shard_begin[shard_]; i < failures.shard_begin[shard_ + 1]; ++i) {
    const auto& cell = failures.cells[i];
    values_.clear();
    key_reader reader(failures.key_of(cell));
    for (key_value value; reader.next(value);)
      values_.push_back(value.encoded);
    if (values_.size() != typed_.dimensions.size())
      continue;
    for (const auto& level : monitor_->levels)
      if (make_key(level))
        past_.add(hash_key(key_), key_, cell.scope_size, cell.failed, cell.failed);
  }
}

/// The cell's key at a level, with its type. False where a value is `(other)` itself: it would be that of a broader
/// level.
bool type_history::make_key(const level_spec& level) {
  static const auto pooled = pooled_value();
  key_.clear();
  for (std::uint32_t d = 0; d < monitor_->dimensions.size(); ++d) {
    const bool is_in = std::binary_search(level.dimensions.begin(), level.dimensions.end(), d);
    if (is_in && d >= monitor_->scope_size && values_[d] == pooled)
      return false;
    key_.append(is_in ? values_[d] : std::string_view(pooled));
  }
  key_.append(values_.back());
  return true;
}

value_set type_history::cells_of(const value_set& key) const {
  value_set out;
  auto given = key.values.begin();
  for (auto d = monitor_->scope_size; d < typed_.dimensions.size(); ++d) {
    const bool is_type = d + 1 == typed_.dimensions.size();
    if (given != key.values.end() && given->first == d)
      out.values.push_back(*given++);
    else if (!is_type)
      out.values.emplace_back(d, pooled_value());
  }
  return out;
}

std::vector<type_sums> type_history::types(std::string_view root_bytes, const value_set& within,
                                           tick_index onset) const {
  static const auto nameless = pooled_value();
  std::map<std::string, double> before;
  auto all_before = 0.0;
  for (const auto& [type, sums] : past_.by_last_dimension(root_bytes, cells_of({}), onset)) {
    if (type == nameless)
      continue;
    before[type] = sums.before;
    all_before += sums.before;
  }
  std::vector<type_sums> out;
  for (const auto& [type, sums] : past_.by_last_dimension(root_bytes, cells_of(within), onset))
    if (sums.failed > 0 && type != nameless)
      out.push_back({type, sums.failed, all_before > 0 ? before[type] / all_before : 0.0});
  return out;
}

} // namespace tocsin
