#include "detectors/judging/alarm_budget.hpp"

#include <algorithm>
#include <cmath>

namespace tocsin {

namespace {

constexpr double most_alarms_a_tick = 1.0 / 200;
constexpr double reserve = 0.1;               ///< of the budget, for new keys
constexpr std::uint64_t fewest_newcomers = 8; ///< the first new key must not take the whole reserve

} // namespace

double affordable_alarms_a_tick(double alarms_per_day, time_ms tick) {
  const auto ticks_a_day = static_cast<double>(day_ms) / static_cast<double>(tick);
  return std::min(alarms_per_day / ticks_a_day, most_alarms_a_tick);
}

void alarm_budget::set_rates() {
  const auto half = per_tick_ * (shared_ ? 1 - reserve : 1) / 2;
  equal_rate_ = half / static_cast<double>(std::max<std::uint64_t>(1, established_));
  weight_rate_ = half / static_cast<double>(std::max<std::uint64_t>(1, weights_));
  new_rate_ = per_tick_ * reserve / static_cast<double>(std::max(fewest_newcomers, newcomers_));
}

double alarm_budget::spent_a_tick() const {
  return static_cast<double>(established_) * equal_rate_ + static_cast<double>(weights_) * weight_rate_ +
         static_cast<double>(newcomers_) * new_rate_;
}

/// Cumulative shares are computed from the last change, not from the last look: when somebody looks must not show.
void alarm_budget::settle(tick_index now) {
  const auto ticks = static_cast<double>(now - anchor_);
  equal_ += equal_rate_ * ticks;
  weight_ += weight_rate_ * ticks;
  new_ += new_rate_ * ticks;
  anchor_ = now;
}

void alarm_budget::begin(tick_index now) {
  anchor_ = now;
  established_ = 1;
  weights_ = 1;
  set_rates();
}

void alarm_budget::join(tick_index now) {
  settle(now);
  ++newcomers_;
  set_rates();
}

void alarm_budget::establish(std::uint32_t weight, tick_index now) {
  settle(now);
  --newcomers_;
  ++established_;
  weights_ += weight;
  set_rates();
}

void alarm_budget::reweigh(std::uint32_t from, std::uint32_t to, tick_index now) {
  if (from == to)
    return;
  settle(now);
  weights_ += to;
  weights_ -= from;
  set_rates();
}

void alarm_budget::leave_new(tick_index now) {
  settle(now);
  --newcomers_;
  set_rates();
}

void alarm_budget::leave_established(std::uint32_t weight, tick_index now) {
  settle(now);
  --established_;
  weights_ -= weight;
  set_rates();
}

void alarm_budget::save(state_writer& out) const {
  out.u64(established_);
  out.u64(newcomers_);
  out.u64(weights_);
  out.i64(anchor_);
  out.f64(equal_);
  out.f64(weight_);
  out.f64(new_);
}

bool alarm_budget::load(state_reader& in) {
  established_ = in.u64();
  newcomers_ = in.u64();
  weights_ = in.u64();
  anchor_ = in.i64();
  equal_ = in.f64();
  weight_ = in.f64();
  new_ = in.f64();
  set_rates();
  const auto is_share = [](double value) { return std::isfinite(value) && value >= 0; };
  return in.ok() && established_ > 0 && weights_ >= established_ && is_share(equal_) && is_share(weight_) &&
         is_share(new_);
}

} // namespace tocsin
