#include "detectors/judging/error_types/known_type.hpp"

#include "detectors/values/key.hpp"

#include <cmath>
#include <initializer_list>
#include <limits>

namespace tocsin::error_types {

namespace {

constexpr std::uint32_t most_types = 1 << 20; ///< in a state record that is not damaged
constexpr auto most_events = std::numeric_limits<std::int64_t>::max() / 2;

bool are_amounts(std::initializer_list<double> numbers) {
  for (const auto number : numbers)
    if (!(number >= 0 && number <= 1e300))
      return false;
  return true;
}

bool are_events(std::initializer_list<std::int64_t> numbers) {
  for (const auto number : numbers)
    if (number < 0 || number > most_events)
      return false;
  return true;
}

bool is_rate(double value) {
  return value >= 0 && value <= 1;
}

} // namespace

void type_run::save(state_writer& out) const {
  out.u8(goes_on ? 1 : 0);
  if (!goes_on)
    return;
  out.i64(onset);
  out.i64(events_before);
  out.f64(expected_before);
  out.f64(known);
  out.f64(share);
  out.i64(failed);
  out.u64(viewers);
}

bool type_run::load(state_reader& in) {
  *this = {};
  goes_on = in.u8() != 0;
  if (!goes_on)
    return in.ok();
  onset = in.i64();
  events_before = in.i64();
  expected_before = in.f64();
  known = in.f64();
  share = in.f64();
  failed = in.i64();
  viewers = in.u64();
  return in.ok() && are_events({events_before, failed}) && are_amounts({expected_before, known, share});
}

void open_type::save(state_writer& out) const {
  out.i64(opened);
  out.i64(accept_at);
  out.f64(share);
  out.f64(total);
  out.f64(failed);
  out.f64(calm_total);
  out.f64(calm_failed);
  out.i64(calm_since);
  out.f64(rate);
  out.f64(bound);
  out.f64(back.evidence());
}

bool open_type::load(state_reader& in) {
  opened = in.i64();
  accept_at = in.i64();
  share = in.f64();
  total = in.f64();
  failed = in.f64();
  calm_total = in.f64();
  calm_failed = in.f64();
  calm_since = in.i64();
  rate = in.f64();
  bound = in.f64();
  return back.load(in.f64()) && in.ok() && are_amounts({share, total, failed, calm_total, calm_failed}) &&
         failed <= total && calm_failed <= calm_total && is_rate(rate) && is_rate(bound);
}

void known_type::save(state_writer& out) const {
  out.f64(test.failures());
  for (const auto component : test.mixture().components())
    out.f32(component);
  out.u32(static_cast<std::uint32_t>(hour));
  out.i64(last_tick);
  out.i64(events_seen);
  out.f64(exposure_seen);
  out.f64(spent);
  run.save(out);
  out.u8(open ? 1 : 0);
  if (open)
    open->save(out);
}

bool known_type::load(state_reader& in) {
  const auto failures = in.f64();
  shiryaev_roberts_mixture::evidence components{};
  for (auto& component : components)
    component = in.f32();
  if (!in.ok() || !test.load(failures, components))
    return false;
  hour = static_cast<std::int32_t>(in.u32());
  last_tick = in.i64();
  events_seen = in.i64();
  exposure_seen = in.f64();
  spent = in.f64();
  if (!run.load(in) || !are_events({events_seen}) || !are_amounts({exposure_seen, spent}))
    return false;
  open.reset();
  return in.u8() == 0 ? in.ok() : open.emplace().load(in);
}

void scope_types::save(state_writer& out) const {
  budget.save(out);
  out.u32(static_cast<std::uint32_t>(hour));
  out.i64(events);
  out.f64(gone);
  out.f64(exposure);
  out.f64(expected);
  out.i64(began);
  out.u32(static_cast<std::uint32_t>(known.size()));
  for (const auto& [type, what] : known) {
    out.text(type);
    what.save(out);
  }
}

bool scope_types::load(state_reader& in) {
  if (!budget.load(in))
    return false;
  hour = static_cast<std::int32_t>(in.u32());
  events = in.i64();
  gone = in.f64();
  exposure = in.f64();
  expected = in.f64();
  began = in.i64();
  const auto count = in.u32();
  if (!in.ok() || count > most_types || !are_events({events}) || !are_amounts({gone, exposure, expected}))
    return false;
  for (auto left = count; left > 0; --left) {
    const auto type = in.text();
    key_reader reader(type);
    key_value value;
    known_type what;
    if (!reader.next(value) || value.encoded.size() != type.size() || !what.load(in))
      return false;
    if (what.open)
      open.insert(type);
    if (!known.emplace(type, std::move(what)).second)
      return false;
  }
  return in.ok();
}

} // namespace tocsin::error_types
