#pragma once

#include "detectors/values/time.hpp"

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace tocsin {

/// Values of some dimensions: the leaf cells that have all of them. Empty: every leaf cell of the scope.
struct value_set {
  /// Dimension (index in monitor_spec::dimensions, ascending; those of the scope are left out) and the value's bytes as
  /// they stand in keys (key_value::encoded).
  std::vector<std::pair<std::uint32_t, std::string>> values;

  friend bool operator==(const value_set& a, const value_set& b) { return a.values == b.values; }
  friend bool operator!=(const value_set& a, const value_set& b) { return !(a == b); }
};

/// Events, failures and expected failures of some leaf cells.
struct leaf_sums {
  std::int64_t total = 0;
  std::int64_t failed = 0;
  double expected = 0;
};

/// A smallest set of dimension values that makes the excess of an incident, beside the values of the incident's key.
struct cause {
  value_set set;
  double excess = 0;       ///< failures - expected failures in the set
  double share = 0;        ///< of the incident's excess
  double rate_without = 0; ///< failure rate of the incident's key without the set
  double score = 0;        ///< log likelihood ratio, in nats
};

/// Failures of one error type, and how many of the scope's failures were of this type before.
struct type_sums {
  std::string type; ///< encoded
  std::int64_t failed = 0;
  double share_before = 0;
};

/// Of which error types the failures of a scope are. Owned by the monitor's part of a shard; not thread-safe.
class type_finder {
public:
  virtual ~type_finder();
  /// The types that failed in `within` (an incident's key) in [onset, now], by type; those for which there was room.
  virtual std::vector<type_sums> types(std::string_view root_bytes, const value_set& within,
                                       tick_index onset) const = 0;
};

/// Where the failures of a scope are: answers from the leaf cells of the scope's past. Owned by the monitor's part of a
/// shard; not thread-safe. An unknown scope has no leaf cells: sums are 0, causes are none.
class cause_finder {
public:
  virtual ~cause_finder();
  /// Sums over the scope's leaf cells that lie in both sets (the scope of `root_bytes`, the key bytes of the scope's
  /// root), in [onset, now].
  virtual leaf_sums sums(std::string_view root_bytes, const value_set& a, const value_set& b,
                         tick_index onset) const = 0;
  /// The causes of what happens in `within` (an incident's key) since onset, best first, at most five.
  virtual std::vector<cause> causes(std::string_view root_bytes, const value_set& within, tick_index onset) const = 0;
};

} // namespace tocsin
