#include "detectors/judging/sr_mixture/key_state.hpp"

#include <algorithm>
#include <cmath>
#include <initializer_list>

namespace tocsin::sr_mixture {

namespace {

constexpr double most_events = 1e30;

bool all_counts(std::initializer_list<float> values) {
  return std::all_of(values.begin(), values.end(),
                     [](float v) { return v >= 0 && v <= static_cast<float>(most_events); });
}

void put(state_writer& out, std::initializer_list<float> values) {
  for (const auto value : values)
    out.f32(value);
}

float take(state_reader& in) {
  return in.f32();
}

} // namespace

void excursion::save(state_writer& out) const {
  out.u32(ticks);
  if (ticks == 0)
    return;
  out.f64(total);
  out.u64(viewers);
  put(out, {failed, capped, expected});
}

bool excursion::load(state_reader& in) {
  *this = {};
  ticks = in.u32();
  if (ticks == 0)
    return in.ok();
  total = in.f64();
  viewers = in.u64();
  failed = take(in);
  capped = take(in);
  expected = take(in);
  return in.ok() && total >= 0 && total <= most_events && all_counts({failed, capped, expected});
}

void hour_sums::save(state_writer& out) const {
  put(out, {failed, expected, exposure, squares});
}

bool hour_sums::load(state_reader& in) {
  failed = take(in);
  expected = take(in);
  exposure = take(in);
  squares = take(in);
  return in.ok() && all_counts({failed, expected, exposure}) && squares >= 0 && std::isfinite(squares);
}

void key_state::save(state_writer& out) const {
  out.u8(static_cast<std::uint8_t>(is_new | has_held << 1 | current_spoiled << 2 | held_spoiled << 3 | in_shape << 4 |
                                   day_spoiled << 5));
  out.u8(active_ticks);
  out.u8(passing_incidents);
  for (const auto component : evidence.components())
    out.f32(component);
  slow.save(out);
  fast.save(out);
  out.f64(share_seen);
  out.i64(last_tick);
  put(out, {level.failures, level.exposure});
  current.save(out);
  if (has_held)
    held.save(out);
  put(out, {hour_events, mean_failures, recent_failures, recent_weight, hottest});
  out.u32(static_cast<std::uint32_t>(hour));
  out.u32(static_cast<std::uint32_t>(held_hour));
  out.u32(weight);
}

bool key_state::load(state_reader& in) {
  const auto flags = in.u8();
  is_new = (flags & 1) != 0;
  has_held = (flags & 2) != 0;
  current_spoiled = (flags & 4) != 0;
  held_spoiled = (flags & 8) != 0;
  in_shape = (flags & 16) != 0;
  day_spoiled = (flags & 32) != 0;
  current_whole = (flags & 64) != 0;
  held_whole = (flags & 128) != 0;
  active_ticks = in.u8();
  passing_incidents = in.u8();
  shiryaev_roberts_mixture::evidence components{};
  for (auto& component : components)
    component = take(in);
  if (!evidence.load(components) || !slow.load(in) || !fast.load(in))
    return false;
  share_seen = in.f64();
  last_tick = in.i64();
  level.failures = take(in);
  level.exposure = take(in);
  if (!current.load(in) || (has_held && !held.load(in)))
    return false;
  hour_events = take(in);
  mean_failures = take(in);
  recent_failures = take(in);
  recent_weight = take(in);
  hottest = take(in);
  hour = static_cast<std::int32_t>(in.u32());
  held_hour = static_cast<std::int32_t>(in.u32());
  weight = in.u32();
  return in.ok() && std::isfinite(share_seen) && hottest >= 0 && std::isfinite(hottest) && weight > 0 &&
         all_counts({level.failures, level.exposure, hour_events, mean_failures, recent_failures, recent_weight});
}

void full_state::save(state_writer& out) const {
  for (std::size_t i = 0; i < season_cells; ++i)
    put(out, {season.failures[i], season.expected[i]});
  put(out, {dispersion.excess, dispersion.squares, misfit.excess, misfit.squares, held_events});
}

bool full_state::load(state_reader& in) {
  bool counts = true;
  for (std::size_t i = 0; i < season_cells; ++i) {
    season.failures[i] = take(in);
    season.expected[i] = take(in);
    counts = counts && all_counts({season.failures[i], season.expected[i]});
  }
  dispersion.excess = take(in);
  dispersion.squares = take(in);
  misfit.excess = take(in);
  misfit.squares = take(in);
  held_events = take(in);
  return in.ok() && counts && std::isfinite(dispersion.excess) && dispersion.squares >= 0 &&
         std::isfinite(dispersion.squares) && std::isfinite(misfit.excess) && misfit.squares >= 0 &&
         std::isfinite(misfit.squares) && all_counts({held_events});
}

} // namespace tocsin::sr_mixture
