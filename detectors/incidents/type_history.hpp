#pragma once

#include "detectors/incidents/leaf_history.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace tocsin {

/// The past of the error types of one monitor in one shard: failures by type of each key of the levels, in a
/// leaf_history of its own whose cells are such keys with the type as last dimension (`(other)` stands for a dimension
/// that the level leaves out). So the types of a whole scope are its heaviest cells and stay exact, whatever is
/// below them. Bounded as a leaf_history is; what found no room has no name (and is not told: see error_types_of).
///
/// Owned by a monitor_shard; not thread-safe; total. In each tick: past().begin, add, past().finish.
class type_history final : public type_finder {
public:
  type_history(const monitor_spec& monitor, std::uint32_t shard);

  /// Adds the failures by leaf key and type of one partition.
  void add(const cell_columns& failures);
  leaf_history& past() { return past_; }
  const leaf_history& past() const { return past_; }

  std::vector<type_sums> types(std::string_view root_bytes, const value_set& within, tick_index onset) const override;

private:
  /// The cells of one level key, or of all types where its values leave the type out.
  value_set cells_of(const value_set& key) const;
  bool make_key(const level_spec& level);

  const monitor_spec* monitor_;
  std::uint32_t shard_;
  monitor_spec typed_;
  leaf_history past_;
  std::vector<std::string_view> values_; ///< of the cell at hand
  std::string key_;                      ///< scratch
};

} // namespace tocsin
