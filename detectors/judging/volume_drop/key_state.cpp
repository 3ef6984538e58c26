#include "detectors/judging/volume_drop/key_state.hpp"

#include <algorithm>
#include <cmath>
#include <type_traits>

namespace tocsin::volume_drop {

namespace {

constexpr double least_drop = 1.3; ///< p_res of rates is at least 1.3 p0 as well

bool is_count(double value) {
  return value >= 0 && value < 1e18;
}

} // namespace

void excursion::follow(double pace, std::int64_t count, double expected_count) {
  events += count;
  expected += expected_count;
  ++ticks;
  if (static_cast<double>(events) >= pace * expected)
    *this = {};
}

void excursion::save(state_writer& out) const {
  out.i64(events);
  out.f64(expected);
  out.u32(ticks);
}

bool excursion::load(state_reader& in) {
  events = in.i64();
  expected = in.f64();
  ticks = in.u32();
  return in.ok() && events >= 0 && is_count(expected);
}

double open_drop::half_way() const {
  return std::min(1 / least_drop, (1 + share()) / 2);
}

void open_drop::save(state_writer& out) const {
  out.i64(onset);
  out.i64(accept_at);
  out.i64(events);
  out.f64(expected);
  out.i64(back_since);
  out.i64(back_events);
  out.f64(back.evidence());
}

bool open_drop::load(state_reader& in) {
  onset = in.i64();
  accept_at = in.i64();
  events = in.i64();
  expected = in.f64();
  back_since = in.i64();
  back_events = in.i64();
  return back.load(in.f64()) && in.ok() && events >= 0 && back_events >= 0 && is_count(expected);
}

void full_state::save(state_writer& out) const {
  auto numbers = baseline;
  numbers.for_each([&](auto& number) {
    if constexpr (std::is_same_v<std::decay_t<decltype(number)>, bool>)
      out.u8(number ? 1 : 0);
    else
      out.f32(number);
  });
  for (const auto component : evidence.components())
    out.f32(component);
  slow.save(out);
  fast.save(out);
  out.f64(share_seen);
  out.i64(scored_through);
  out.i64(look_at);
  out.f32(held);
  out.u32(weight);
  out.u8(static_cast<std::uint8_t>(has_held | held_spoiled << 1 | spoiled << 2 | watched << 3));
}

bool full_state::load(state_reader& in) {
  baseline.for_each([&](auto& number) {
    if constexpr (std::is_same_v<std::decay_t<decltype(number)>, bool>)
      number = in.u8() != 0;
    else
      number = in.f32();
  });
  shiryaev_roberts_mixture::evidence components{};
  for (auto& component : components)
    component = in.f32();
  if (!in.ok() || !baseline.is_plausible() || !evidence.load(components) || !slow.load(in) || !fast.load(in))
    return false;
  share_seen = in.f64();
  scored_through = in.i64();
  look_at = in.i64();
  held = in.f32();
  weight = in.u32();
  const auto flags = in.u8();
  has_held = (flags & 1) != 0;
  held_spoiled = (flags & 2) != 0;
  spoiled = (flags & 4) != 0;
  watched = (flags & 8) != 0;
  return in.ok() && flags < 16 && std::isfinite(share_seen) && is_count(static_cast<double>(held)) && weight > 0;
}

} // namespace tocsin::volume_drop
