#include "detectors/judging/error_types/type_budget.hpp"

#include <algorithm>
#include <cmath>

namespace tocsin::error_types {

namespace {

constexpr std::uint64_t fewest_types = 8; ///< the first ones must not take everything

} // namespace

double type_budget::rate() const {
  return per_tick_ / 2 / static_cast<double>(std::max(fewest_types, types_));
}

void type_budget::settle(tick_index now) {
  const auto ticks = static_cast<double>(now - anchor_);
  share_ += rate() * ticks;
  purse_ = std::min(most_in_purse_, purse_ + per_tick_ / 2 * ticks);
  anchor_ = now;
}

void type_budget::share_among(std::uint64_t types, tick_index now) {
  if (types == types_)
    return;
  settle(now);
  types_ = types;
}

double type_budget::take_from_purse(tick_index now) {
  settle(now);
  const auto taken = purse_ / static_cast<double>(fewest_types);
  purse_ -= taken;
  return taken;
}

void type_budget::save(state_writer& out) const {
  out.u64(types_);
  out.i64(anchor_);
  out.f64(share_);
  out.f64(purse_);
}

bool type_budget::load(state_reader& in) {
  types_ = in.u64();
  anchor_ = in.i64();
  share_ = in.f64();
  purse_ = in.f64();
  return in.ok() && std::isfinite(share_) && share_ >= 0 && purse_ >= 0 && std::isfinite(purse_);
}

} // namespace tocsin::error_types
