#include "detectors/incidents/incident.hpp"

#include "detectors/incidents/attribution.hpp"

#include <algorithm>
#include <cmath>

namespace tocsin {

namespace {

constexpr std::size_t id_size = 32;
constexpr std::uint32_t most_named = 64; ///< numbers of a model
constexpr auto most_events = std::int64_t{1} << 53;

bool are_counts(std::int64_t failed, std::int64_t total) {
  return failed >= 0 && failed <= total && total <= most_events;
}

bool are_finite(const std::vector<named_number>& model) {
  return std::all_of(model.begin(), model.end(), [](const auto& m) { return std::isfinite(m.second); });
}

bool is_plausible(const incident& what) {
  const auto numbers = {what.baseline,      what.expected,        what.per_hour_on_open,
                        what.per_hour_told, what.looked_expected, what.last_rate};
  const auto optional = {what.evidence, what.once_in_days, what.confidence};
  const auto is_id = [](const std::string& id) { return id.size() == id_size; };
  return are_counts(what.failed, what.total) && what.capped >= 0 && what.baseline >= 0 && what.expected >= 0 &&
         std::all_of(what.children.begin(), what.children.end(), is_id) &&
         what.children_count >= what.children.size() &&
         std::all_of(optional.begin(), optional.end(), [](const auto& v) { return !v || std::isfinite(*v); }) &&
         std::all_of(numbers.begin(), numbers.end(), [](double v) { return std::isfinite(v); }) &&
         are_finite(what.model) && (!what.earlier || what.at == stage::waiting);
}

void save(const std::vector<named_number>& model, state_writer& out) {
  out.u32(static_cast<std::uint32_t>(model.size()));
  for (const auto& [name, value] : model) {
    out.text(name);
    out.f64(value);
  }
}

void load(state_reader& in, std::vector<named_number>& model) {
  model.clear();
  const auto count = in.u32();
  if (count > most_named)
    in.fail();
  for (auto left = count; left > 0 && in.ok(); --left) {
    auto name = in.text();
    const auto value = in.f64();
    model.emplace_back(std::move(name), value);
  }
}

} // namespace

void incident_identity::save(state_writer& out) const {
  out.text(id);
  out.u32(revision);
  out.u32(reopened);
  out.text(parent);
}

bool incident_identity::load(state_reader& in, incident_identity& out) {
  out.id = in.text();
  out.revision = in.u32();
  out.reopened = in.u32();
  out.parent = in.text();
  return in.ok() && out.id.size() == id_size && (out.parent.empty() || out.parent.size() == id_size);
}

void closing_counts::save(state_writer& out) const {
  out.i64(onset);
  out.i64(total);
  out.i64(failed);
  tocsin::save(model, out);
}

bool closing_counts::load(state_reader& in, closing_counts& out) {
  out.onset = in.i64();
  out.total = in.i64();
  out.failed = in.i64();
  tocsin::load(in, out.model);
  return in.ok() && are_counts(out.failed, out.total) && are_finite(out.model);
}

void incident::add_child(const std::string& id) {
  if (std::find(children.begin(), children.end(), id) != children.end())
    return;
  ++children_count;
  if (children.size() < most_children)
    children.push_back(id);
  has_news = true;
}

void incident::save(state_writer& out) const {
  out.u8(static_cast<std::uint8_t>(at));
  who.save(out);
  out.u8(earlier ? 1 : 0);
  if (earlier)
    earlier->save(out);
  out.u32(static_cast<std::uint32_t>(children.size()));
  for (const auto& id : children)
    out.text(id);
  out.u32(children_count);
  out.u8(has_news ? 1 : 0);
  out.i64(onset);
  out.i64(opened);
  out.i64(total);
  out.i64(failed);
  out.i64(capped);
  out.u8(gated ? 1 : 0);
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
  tocsin::save(model, out);
  out.i64(looked);
  out.i64(looked_total);
  out.i64(looked_failed);
  out.f64(looked_expected);
  out.f64(last_rate);
  out.u8(proposed ? 1 : 0);
  out.i64(until);
  closing.save(out);
  save_contributors(contributors, out);
  save_error_types(error_types, out);
}

bool incident::load(state_reader& in, incident& out) {
  const auto at = in.u8();
  if (at > static_cast<std::uint8_t>(stage::closed))
    in.fail();
  out.at = static_cast<stage>(at);
  if (!incident_identity::load(in, out.who))
    return false;
  out.earlier.reset();
  if (in.u8() != 0 && !incident_identity::load(in, out.earlier.emplace()))
    return false;
  const auto listed = in.u32();
  if (listed > most_children)
    in.fail();
  out.children.clear();
  for (auto left = listed; left > 0 && in.ok(); --left)
    out.children.push_back(in.text());
  out.children_count = in.u32();
  out.has_news = in.u8() != 0;
  out.onset = in.i64();
  out.opened = in.i64();
  out.total = in.i64();
  out.failed = in.i64();
  out.capped = in.i64();
  out.gated = in.u8() != 0;
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
  tocsin::load(in, out.model);
  out.looked = in.i64();
  out.looked_total = in.i64();
  out.looked_failed = in.i64();
  out.looked_expected = in.f64();
  out.last_rate = in.f64();
  out.proposed = in.u8() != 0;
  out.until = in.i64();
  const bool has_closing = closing_counts::load(in, out.closing);
  out.contributors = load_contributors(in);
  out.error_types = load_error_types(in);
  return has_closing && in.ok() && is_plausible(out);
}

} // namespace tocsin
