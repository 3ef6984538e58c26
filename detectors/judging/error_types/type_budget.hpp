#pragma once

#include "detectors/values/codec.hpp"
#include "detectors/values/time.hpp"

#include <cstdint>

namespace tocsin::error_types {

/// Shares what a scope may spend on false alarms of error types, B a tick: half of it among the types that are known,
///
///     each type:      B/2 / max(8, K)         K: types known
///
/// the other half gathers in a purse, for at most a day, of which each type takes an eighth when it is named. So the
/// sum is at most B at every instant, however many types appear, and the first new type in a long time gets much. What
/// a type may spend between two ticks is the difference of a cumulative share, as in alarm_budget. Times are in ticks.
/// A value, owned by the types of a scope.
class type_budget {
public:
  type_budget() = default;
  type_budget(double per_tick, double ticks_a_day, tick_index now)
      : per_tick_(per_tick), most_in_purse_(per_tick / 2 * ticks_a_day), anchor_(now) {}

  /// So many types share from now on.
  void share_among(std::uint64_t types, tick_index now);
  /// Everything that one type could spend until the beginning of tick `now`, since the scope began.
  double until(tick_index now) const { return share_ + rate() * static_cast<double>(now - anchor_); }
  /// What a type may spend a tick at present.
  double rate() const;
  /// What the type that is named in this tick begins with.
  double take_from_purse(tick_index now);

  void save(state_writer& out) const;
  bool load(state_reader& in);

private:
  void settle(tick_index now);

  double per_tick_ = 0;
  double most_in_purse_ = 0;
  std::uint64_t types_ = 0;
  tick_index anchor_ = 0;
  double share_ = 0; ///< of each type, at the anchor
  double purse_ = 0; ///< at the anchor
};

} // namespace tocsin::error_types
