#include "detectors/incidents/incident.hpp"

#include "detectors/incidents/attribution.hpp"

#include <algorithm>
#include <cmath>

namespace tocsin {

namespace {

bool is_plausible(const incident& what) {
  const auto numbers = {what.baseline, what.expected, what.per_hour_on_open, what.per_hour_told};
  const auto optional = {what.evidence, what.once_in_days, what.confidence};
  return what.id.size() == 32 && what.failed >= 0 && what.failed <= what.total && what.total <= std::int64_t{1} << 53 &&
         what.baseline >= 0 && what.expected >= 0 &&
         std::all_of(optional.begin(), optional.end(), [](const auto& v) { return !v || std::isfinite(*v); }) &&
         std::all_of(numbers.begin(), numbers.end(), [](double v) { return std::isfinite(v); }) &&
         std::all_of(what.model.begin(), what.model.end(), [](const auto& m) { return std::isfinite(m.second); });
}

} // namespace

void incident::save(state_writer& out) const {
  out.text(id);
  out.u32(revision);
  out.i64(onset);
  out.i64(opened);
  out.i64(total);
  out.i64(failed);
  out.f64(expected);
  out.u64(viewers);
  out.f64(baseline);
  out.u8(static_cast<std::uint8_t>(harm));
  out.i64(lower_since);
  out.f64(per_hour_on_open);
  out.f64(per_hour_told);
  out.i64(told);
  for (const auto* number : {&evidence, &once_in_days, &confidence}) {
    out.u8(number->has_value() ? 1 : 0);
    if (*number)
      out.f64(**number);
  }
  out.u32(static_cast<std::uint32_t>(model.size()));
  for (const auto& [name, value] : model) {
    out.text(name);
    out.f64(value);
  }
  save_contributors(contributors, out);
}

bool incident::load(state_reader& in, incident& out) {
  out.id = in.text();
  out.revision = in.u32();
  out.onset = in.i64();
  out.opened = in.i64();
  out.total = in.i64();
  out.failed = in.i64();
  out.expected = in.f64();
  out.viewers = in.u64();
  out.baseline = in.f64();
  const auto harm = in.u8();
  if (harm > static_cast<std::uint8_t>(severity::critical))
    in.fail();
  out.harm = static_cast<severity>(harm);
  out.lower_since = in.i64();
  out.per_hour_on_open = in.f64();
  out.per_hour_told = in.f64();
  out.told = in.i64();
  for (auto* number : {&out.evidence, &out.once_in_days, &out.confidence}) {
    number->reset();
    if (in.u8() != 0)
      *number = in.f64();
  }
  out.model.clear();
  for (auto left = in.u32(); left > 0 && in.ok(); --left) {
    auto name = in.text();
    const auto value = in.f64();
    out.model.emplace_back(std::move(name), value);
  }
  out.contributors = load_contributors(in);
  return in.ok() && is_plausible(out);
}

} // namespace tocsin
