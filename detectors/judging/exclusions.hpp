#pragma once

#include "detectors/judging/keyed_state.hpp"
#include "detectors/values/monitor_spec.hpp"
#include "detectors/values/operator_action.hpp"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace tocsin {

/// Dimension values that tell keys of a monitor apart. A value.
class key_matcher {
public:
  /// Nothing if the monitor lacks one of the dimensions.
  static std::optional<key_matcher> of(const monitor_spec& monitor,
                                       const std::vector<std::pair<std::string, std::string>>& values);
  /// The key (level byte first) has all of the values; it may have others too.
  bool covers(const monitor_spec& monitor, std::string_view key) const;
  /// The same of a leaf key (all dimensions, no level byte).
  bool covers_leaf(std::string_view leaf) const;
  /// The key has exactly these values.
  bool is(const monitor_spec& monitor, std::string_view key) const;

private:
  std::size_t matching(const monitor_spec& monitor, std::string_view key) const;
  bool has(std::uint32_t dimension, const key_value& value) const;
  std::vector<std::pair<std::uint32_t, std::string>> values_; ///< dimension, value as shown
};

/// The ranges of time that an operator has taken out of learning, for one monitor in one shard. Detectors ask when they
/// are about to learn something, which is later than it happened: so a range that is given afterwards still takes out
/// what has waited in quarantine. Owned by a monitor_shard; not thread-safe; a function of the journal and the tick at
/// hand.
class exclusions {
public:
  exclusions(const monitor_spec& monitor, const keyed_state& keys) : monitor_(&monitor), keys_(&keys) {}

  /// An action without meaning for this monitor is left out.
  void add(const operator_action& action);
  /// Moves to a tick: what is in force by its end holds.
  void advance(tick_index tick);

  /// Nothing of this key is to be learned in the tick at hand.
  bool covers(key_slot slot) const { return !now_.empty() && covers_now(slot); }
  /// Nothing of this key is to be learned that holds a moment of [from, to).
  bool covers(key_slot slot, time_ms from, time_ms to) const {
    return !in_force_.empty() && covers_range(slot, from, to);
  }
  /// The same of a leaf key (all dimensions, no level byte).
  bool covers_leaf(std::string_view leaf, time_ms from, time_ms to) const {
    return !in_force_.empty() && covers_leaf_in_range(leaf, from, to);
  }
  /// How many ranges are in force: grows, and never falls.
  std::size_t in_force() const { return in_force_.size(); }
  /// Calls visit(from, to) for each range of the key that does not end before `after`.
  template <class Visit>
  void for_each(key_slot slot, time_ms after, const Visit& visit) const {
    for (const auto i : in_force_)
      if (all_[i].to > after && all_[i].keys.covers(*monitor_, (*keys_)[slot].bytes))
        visit(all_[i].from, all_[i].to);
  }

private:
  struct range {
    time_ms from = 0;
    time_ms to = 0;
    time_ms in_force = 0;
    key_matcher keys;
  };
  bool covers_now(key_slot slot) const;
  bool covers_range(key_slot slot, time_ms from, time_ms to) const;
  bool covers_leaf_in_range(std::string_view leaf, time_ms from, time_ms to) const;

  const monitor_spec* monitor_;
  const keyed_state* keys_;
  std::vector<range> all_;
  std::vector<std::size_t> in_force_; ///< of all_, at the tick at hand
  std::vector<std::size_t> now_;      ///< of these, ranges that the tick lies in
};

} // namespace tocsin
