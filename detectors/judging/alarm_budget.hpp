#pragma once

#include "detectors/values/codec.hpp"
#include "detectors/values/time.hpp"

#include <cstdint>

namespace tocsin {

/// A budget of false alarms a day, in alarms a tick; at most one in 200 ticks: a coarse stream decides too seldom to
/// afford more.
double affordable_alarms_a_tick(double alarms_per_day, time_ms tick);

/// Part of a scope's budget that is reserved for error types, where events name them.
inline constexpr double error_type_reserve = 0.1;

/// Shares one scope's budget of false alarms among its keys: at every instant the rates of all keys add up to at most
/// the budget.
///
///     established key:  0.9 B (1/2 / K + 1/2 r_k / sum r)      r_k = sqrt(events an hour), of the past only
///     new key:          0.1 B / max(8, N)                      younger than an hour
///
/// K, N: keys of either kind. A scope with one level has one key, which gets all of B. What a key may spend between
/// two ticks is the difference of a cumulative share, so that a key without events costs nothing while shares change.
/// Times are in ticks. See docs/adr/0007-alarm-budget.md. A value, owned by the state of the scope's root.
class alarm_budget {
public:
  alarm_budget() = default;
  /// `per_tick` = B in false alarms a tick; `shared`: the scope has keys besides its root.
  alarm_budget(double per_tick, bool shared) : per_tick_(per_tick), shared_(shared) {}

  /// The root, the first key: established at once, with weight 1.
  void begin(tick_index now);
  void join(tick_index now);
  /// A new key becomes an established one of this weight (at least 1).
  void establish(std::uint32_t weight, tick_index now);
  void reweigh(std::uint32_t from, std::uint32_t to, tick_index now);
  void leave_new(tick_index now);
  void leave_established(std::uint32_t weight, tick_index now);

  /// Everything a key of this kind could spend until the beginning of tick `now`, since the scope began.
  double new_until(tick_index now) const { return new_ + new_rate_ * static_cast<double>(now - anchor_); }
  double established_until(std::uint32_t weight, tick_index now) const {
    const auto ticks = static_cast<double>(now - anchor_);
    return equal_ + equal_rate_ * ticks + (weight_ + weight_rate_ * ticks) * static_cast<double>(weight);
  }
  /// What it may spend a tick at present.
  double new_rate() const { return new_rate_; }
  double established_rate(std::uint32_t weight) const {
    return equal_rate_ + weight_rate_ * static_cast<double>(weight);
  }
  /// All keys together, a tick; at most the budget.
  double spent_a_tick() const;

  std::uint64_t established() const { return established_; }
  std::uint64_t newcomers() const { return newcomers_; }
  std::uint64_t weights() const { return weights_; }

  void save(state_writer& out) const;
  bool load(state_reader& in);

private:
  void settle(tick_index now);
  void set_rates();

  double per_tick_ = 0;
  bool shared_ = false;
  std::uint64_t established_ = 0;
  std::uint64_t newcomers_ = 0;
  std::uint64_t weights_ = 0; ///< sum of r
  // Cumulative shares at `anchor_`; they grow at constant rates until something changes.
  tick_index anchor_ = 0;
  double equal_ = 0;      ///< of each established key
  double weight_ = 0;     ///< of each unit of weight
  double new_ = 0;        ///< of each new key
  double equal_rate_ = 0; ///< a tick, since the anchor
  double weight_rate_ = 0;
  double new_rate_ = 0;
};

} // namespace tocsin
