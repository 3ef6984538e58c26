#include "detectors/incidents/life_cycle.hpp"

#include "detectors/incidents/attribution.hpp"
#include "detectors/judging/gates.hpp"

#include <algorithm>
#include <cstdio>
#include <iterator>
#include <optional>
#include <variant>

namespace tocsin {

namespace {

// A volume has its own gates: those of the monitor are about failures.
constexpr double least_drop = 1.25; ///< expected / observed events
constexpr double least_missing = 20;

// A rate is stable if it does not change by more from one stretch to the next.
constexpr double same_rate = 1.25;
/// How long the second excursion must be over before its incident closes; twice as long for each one after it.
constexpr time_ms first_calm = minute_ms;

/// Hash of what makes an incident this one: a function of the data alone.
std::string incident_id(const monitor_spec& monitor, const detector_spec& detector, std::string_view key,
                        time_ms onset) {
  std::string name = monitor.name;
  const bool is_volume = std::holds_alternative<volume_drop_spec>(detector.settings);
  name += '\n' + detector.name + (is_volume ? "\ndown\n" : "\nup\n") + std::to_string(onset) + '\n';
  name.append(key);
  const auto hash = hash_key(name);
  char text[33];
  std::snprintf(text, sizeof text, "%016llx%016llx", static_cast<unsigned long long>(hash.high),
                static_cast<unsigned long long>(hash.low));
  return text;
}

double expected_failures(const verdict& what) {
  return what.expected.value_or(what.baseline * static_cast<double>(what.total));
}

closing_counts counts_of(const verdict& what) {
  return {what.onset, what.total, what.failed, what.model};
}

} // namespace

life_cycle::life_cycle(const world_spec& world, std::uint32_t monitor, std::uint32_t detector, keyed_state& keys,
                       const late_ledger& late)
    : world_(&world), monitor_(&world.monitors[monitor]), monitor_index_(monitor), detector_index_(detector),
      measures_(std::holds_alternative<volume_drop_spec>(monitor_->detectors[detector].settings)
                    ? measurement::volume
                    : measurement::error_rate),
      keys_(&keys), late_(&late), update_ticks_(std::max<tick_index>(1, monitor_->update_every / monitor_->tick)),
      reopen_ticks_(monitor_->life.reopen_within / monitor_->tick),
      look_ticks_(std::max<tick_index>(1, monitor_->life.propose_after / 2 / monitor_->tick)) {}

// ---- The tick.

void life_cycle::begin_tick(const closed_tick& tick, const detector& judging, const source_offsets& offsets,
                            std::vector<alert>& out) {
  tick_ = tick.tick;
  tick_end_ = tick_end(tick.tick, monitor_->tick);
  offsets_ = &offsets;
  out_ = &out;
  touched_.clear();
  corrections_.clear();
  ended_.clear();
  if (open_.empty())
    return;
  for (const auto& level : tick.levels)
    for (const auto& counts : level)
      count(counts, judging);
  correct(tick);
}

void life_cycle::count(const key_counts& counts, const detector& judging) {
  const auto known = open_.find(counts.slot);
  if (known == open_.end() || !known->second.is_ongoing())
    return;
  auto& what = known.value();
  what.total += counts.total;
  touched_.push_back(counts.slot);
  if (measures_ == measurement::volume)
    return;
  what.baseline = judging.expected_rate(counts.slot);
  what.failed += counts.failed;
  what.capped += counts.capped;
  what.expected += what.baseline * static_cast<double>(counts.total);
  what.viewers |= counts.viewers;
}

/// Late events have been counted with the tick; those of the time before the onset do not belong here.
void life_cycle::correct(const closed_tick& tick) {
  for (const auto& late : tick.late) {
    const auto known = open_.find(late.slot);
    if (known == open_.end() || !known->second.is_ongoing())
      continue;
    auto& what = known.value();
    if (late.minute + minute_ms > tick_start(what.onset, monitor_->tick)) {
      corrections_.push_back({late.slot, late.total, late.failed});
      continue;
    }
    what.total -= late.total;
    if (measures_ == measurement::volume)
      continue;
    what.failed -= late.failed;
    what.capped = std::min(what.capped, what.failed);
    what.expected = std::max(0.0, what.expected - what.baseline * static_cast<double>(late.total));
  }
  std::sort(corrections_.begin(), corrections_.end(),
            [](const correction& a, const correction& b) { return a.slot < b.slot; });
}

/// Events are missing also where none are counted: what should have been there, the detector knows.
void life_cycle::follow(incident& what, key_slot slot, const detector& judging) const {
  if (measures_ != measurement::volume)
    return;
  what.baseline = judging.expected_rate(slot);
  what.expected = judging.expected_events(slot);
}

void life_cycle::hear(const verdict& what, const detector& judging) {
  const auto known = open_.find(what.slot);
  const bool is_excess = what.type == verdict::kind::excess;
  if (known == open_.end() || !known->second.is_ongoing()) {
    if (!is_excess)
      return;
    const auto seen = corrected(what);
    const bool has_excess = measures_ == measurement::volume || seen.failed > 0;
    if (has_excess && passes_gates(seen))
      raise(seen, judging);
  } else if (known->second.at == stage::open) {
    if (is_excess)
      known.value().model = what.model;
    else
      end(what.slot, what, judging);
  } else {
    // What is over before it was told is told, and ends, with its group.
    ended_.erase(what.slot);
    if (is_excess)
      known.value().model = what.model;
    else
      ended_.emplace(what.slot, what);
  }
}

/// Without the late events of the time before the onset.
verdict life_cycle::corrected(const verdict& what) const {
  auto out = what;
  const auto late = late_->before(what.slot, what.onset, tick_);
  if (late.total == 0)
    return out;
  out.total = std::max<std::int64_t>(0, what.total - late.total);
  if (measures_ == measurement::volume)
    return out;
  out.failed = std::clamp<std::int64_t>(what.failed - late.failed, 0, out.total);
  out.capped = std::min(what.capped, out.failed);
  out.expected = std::max(0.0, expected_failures(what) - what.baseline * static_cast<double>(late.total));
  return out;
}

bool life_cycle::passes_gates(const verdict& what) const {
  return !what.gated || pass_gates(what.total, what.failed, what.capped, what.baseline, expected_failures(what));
}

bool life_cycle::pass_gates(std::int64_t total, std::int64_t failed, std::int64_t capped, double baseline,
                            double expected) const {
  if (measures_ == measurement::volume) {
    const auto events = static_cast<double>(total);
    return expected >= least_drop * events && expected - events >= least_missing;
  }
  const auto passes = [&](std::int64_t failures) {
    return all_pass(check_gates(monitor_->gates, total, failures, baseline, expected));
  };
  return passes(failed) && (!monitor_->has_viewers || passes(capped));
}

// ---- An excursion begins.

/// An incident of a detector in shadow must not explain, nor be explained by, what people are told.
bool life_cycle::groups() const {
  return monitor_->life.group_wait.has_value() && !monitor_->detectors[detector_index_].shadow;
}

incident life_cycle::excursion_of(const verdict& what) const {
  incident made;
  made.onset = what.onset;
  made.opened = made.looked = tick_;
  made.total = made.looked_total = what.total;
  made.failed = made.looked_failed = what.failed;
  made.capped = what.capped;
  made.gated = what.gated;
  made.baseline = what.baseline;
  made.expected = made.looked_expected = expected_failures(what);
  made.evidence = what.evidence;
  made.once_in_days = what.once_in_days;
  made.confidence = what.confidence;
  made.model = what.model;
  made.viewers = what.viewers;
  made.told = tick_;
  made.harm = severity_of(made);
  made.per_hour_on_open = excess_per_hour(made);
  made.who.id = incident_id(*monitor_, monitor_->detectors[detector_index_], (*keys_)[what.slot].bytes,
                            tick_start(what.onset, monitor_->tick));
  return made;
}

void life_cycle::raise(const verdict& what, const detector& judging) {
  auto made = excursion_of(what);
  auto& held = open_[what.slot];
  keys_->mark_changed(what.slot);
  if (held.at == stage::calm) {
    // Nobody was told that it had ended.
    go_on(held, std::move(made));
    attribute(held, what.slot);
    touched_.push_back(what.slot);
    remind(held, what.slot);
    return;
  }
  enter(what.slot);
  const bool is_again = held.at == stage::closed && tick_ <= held.until;
  if (is_again && (held.is_page() || !groups())) {
    go_on(held, std::move(made));
    attribute(held, what.slot);
    tell(what.slot, held, alert_kind::update, alert_status::open, judging, nullptr);
    remind(held, what.slot);
    return;
  }
  // A child goes on with its parent only: without it, this is something else.
  if (is_again)
    made.earlier = held.who;
  made.at = groups() ? stage::waiting : stage::open;
  held = std::move(made);
  if (held.at == stage::open) {
    open(what.slot, held, alert_kind::open, judging);
  } else {
    waiting_.insert(what.slot);
    remind(held, what.slot);
  }
}

/// The next excursion of an incident.
void life_cycle::go_on(incident& held, incident&& excursion) const {
  auto before = std::exchange(held, std::move(excursion));
  held.at = stage::open;
  held.who = std::move(before.who);
  ++held.who.reopened;
  held.children = std::move(before.children);
  held.children_count = before.children_count;
  held.has_news = before.has_news;
  held.told = before.told;
  held.per_hour_told = before.per_hour_told;
  held.harm = std::max(held.harm, before.harm);
}

void life_cycle::open(key_slot slot, incident& what, alert_kind kind, const detector& judging) {
  what.at = stage::open;
  what.harm = severity_of(what);
  what.per_hour_on_open = excess_per_hour(what);
  what.looked = tick_;
  what.looked_total = what.total;
  what.looked_failed = what.failed;
  what.looked_expected = what.expected;
  keys_->mark_changed(slot);
  attribute(what, slot);
  tell(slot, what, kind, alert_status::open, judging, nullptr);
  remind(what, slot);
}

// ---- While it is open.

void life_cycle::reminded(key_slot slot) {
  // Only what is due counts: older reminders are forgotten by a restart, so they must not show.
  const auto known = open_.find(slot);
  if (known != open_.end() && is_due(known->second))
    touched_.push_back(slot);
}

bool life_cycle::is_look_due(const incident& what) const {
  const auto due = later_looks(*monitor_, what.opened);
  return looks() && std::find(due.begin(), due.end(), tick_) != due.end();
}

bool life_cycle::attribute(incident& what, key_slot slot) const {
  if (!attributes())
    return false;
  const auto& key = (*keys_)[slot];
  auto now = contributors_of(*monitor_,
                             finder_->causes((*keys_)[key.root].bytes, values_of(*monitor_, key.bytes), what.onset));
  const bool changed = !same_sets(now, what.contributors);
  what.contributors = std::move(now);
  return changed;
}

bool life_cycle::name_types(incident& what, key_slot slot) const {
  if (!names_types())
    return false;
  const auto& key = (*keys_)[slot];
  auto now = error_types_of(types_->types((*keys_)[key.root].bytes, values_of(*monitor_, key.bytes), what.onset),
                            what.failed, what.expected);
  const bool changed = !same_types(now, what.error_types);
  what.error_types = std::move(now);
  return changed;
}

bool life_cycle::look_again(incident& what, key_slot slot) const {
  const bool has_other_causes = attribute(what, slot);
  const bool has_other_types = name_types(what, slot);
  return has_other_causes || has_other_types;
}

/// Each once, although several reminders of one incident, and its events, may fall into one tick. Leaf cells answer
/// questions about one onset in a row much faster than in turn.
void life_cycle::in_order_of_onset(std::vector<key_slot>& slots) const {
  std::vector<std::pair<tick_index, key_slot>> order;
  order.reserve(slots.size());
  for (const auto slot : slots)
    if (const auto known = open_.find(slot); known != open_.end())
      order.emplace_back(known->second.onset, slot);
  std::sort(order.begin(), order.end());
  order.erase(std::unique(order.begin(), order.end()), order.end());
  slots.clear();
  for (const auto& [onset, slot] : order)
    slots.push_back(slot);
}

void life_cycle::end_tick(detector& judging) {
  in_order_of_onset(touched_);
  for (const auto slot : touched_) {
    const auto known = open_.find(slot);
    auto& what = known.value();
    keys_->mark_changed(slot);
    switch (what.at) {
    case stage::waiting:
      follow(what, slot, judging);
      remind(what, slot);
      break;
    case stage::open: refresh(slot, what, judging); break;
    case stage::calm:
      if (is_due(what)) {
        const auto closing = what.closing;
        close(slot, alert_kind::resolve, judging, &closing);
      }
      break;
    case stage::closed:
      if (is_due(what))
        open_.erase(known);
      break;
    }
  }
}

void life_cycle::refresh(key_slot slot, incident& what, detector& judging) {
  follow(what, slot, judging);
  if (is_refuted(slot, what)) {
    close(slot, alert_kind::retract, judging, nullptr);
    judging.withdraw(slot);
    return;
  }
  const auto before = what.harm;
  refresh_severity(what);
  const bool is_seen_otherwise = is_look_due(what) && look_again(what, slot);
  const bool was_proposed = what.proposed;
  look_for_new_normal(what);
  if (what.proposed && !was_proposed)
    tell(slot, what, alert_kind::rebase, alert_status::open, judging, nullptr);
  else if (what.harm != before || is_seen_otherwise || is_news(what))
    tell(slot, what, alert_kind::update, alert_status::open, judging, nullptr);
  if (!what.proposed && what.looked == tick_)
    remind_(what.looked + look_ticks_, slot);
}

/// The incident passed its gates until late events came.
bool life_cycle::is_refuted(key_slot slot, const incident& what) const {
  if (!what.gated)
    return false;
  correction late;
  const auto first = std::lower_bound(corrections_.begin(), corrections_.end(), slot,
                                      [](const correction& c, key_slot wanted) { return c.slot < wanted; });
  for (auto one = first; one != corrections_.end() && one->slot == slot; ++one) {
    late.total += one->total;
    late.failed += one->failed;
  }
  if (late.total == 0)
    return false;
  const auto pass = [&](std::int64_t total, std::int64_t failed) {
    const auto expected = measures_ == measurement::volume
                              ? what.expected
                              : std::max(0.0, what.expected - what.baseline * static_cast<double>(what.total - total));
    return pass_gates(total, failed, std::min(what.capped, failed), what.baseline, expected);
  };
  return pass(what.total - late.total, what.failed - late.failed) && !pass(what.total, what.failed);
}

void life_cycle::look_for_new_normal(incident& what) {
  if (what.proposed || tick_ < what.looked + look_ticks_)
    return;
  const auto events = static_cast<double>(what.total - what.looked_total);
  const auto rate = measures_ == measurement::volume
                        ? events / std::max(1e-9, what.expected - what.looked_expected)
                        : static_cast<double>(what.failed - what.looked_failed) / std::max(1.0, events);
  const auto least = std::min(rate, what.last_rate);
  what.proposed = least > 0 && std::max(rate, what.last_rate) <= same_rate * least;
  what.last_rate = std::max(0.0, rate);
  what.looked = tick_;
  what.looked_total = what.total;
  what.looked_failed = what.failed;
  what.looked_expected = what.expected;
}

// ---- It ends.

void life_cycle::end(key_slot slot, const verdict& what, const detector& judging) {
  auto& held = open_.find(slot).value();
  keys_->mark_changed(slot);
  const auto closing = counts_of(what);
  if (is_refuted(slot, held)) {
    close(slot, alert_kind::retract, judging, nullptr);
  } else if (what.type == verdict::kind::accepted) {
    close(slot, alert_kind::rebase, judging, &closing);
  } else if (held.who.reopened == 0 || calm_ticks(held) == 0) {
    close(slot, alert_kind::resolve, judging, &closing);
  } else {
    follow(held, slot, judging);
    held.at = stage::calm;
    held.until = tick_ + calm_ticks(held);
    held.closing = closing;
    remind(held, slot);
  }
}

void life_cycle::accept_calm(key_slot slot, const detector& judging) {
  const auto closing = open_.find(slot)->second.closing;
  close(slot, alert_kind::rebase, judging, &closing);
}

/// A key that comes and goes must not be told each time: the more often, the longer it must stay calm.
tick_index life_cycle::calm_ticks(const incident& what) const {
  const auto doubled = std::min<std::uint32_t>(what.who.reopened - 1, 20);
  return std::min(reopen_ticks_, (first_calm << doubled) / monitor_->tick);
}

void life_cycle::expire(key_slot slot, const detector& judging) {
  const auto known = open_.find(slot);
  if (known == open_.end())
    return;
  if (known->second.at == stage::waiting)
    drop(slot); // nobody was told
  else if (open_incident(slot) != nullptr)
    close(slot, alert_kind::expire, judging, nullptr);
}

void life_cycle::close(key_slot slot, alert_kind kind, const detector& judging, const closing_counts* closing) {
  const auto known = open_.find(slot);
  auto& what = known.value();
  const auto status = kind == alert_kind::expire ? alert_status::expired : alert_status::closed;
  if (what.at == stage::open)
    follow(what, slot, judging);
  tell(slot, what, kind, status, judging, closing);
  leave(slot);
  if (kind == alert_kind::retract && what.children_count > 0)
    refuted_pages_.emplace_back((*keys_)[slot].root, what.who.id);
  keys_->mark_changed(slot);
  if (kind != alert_kind::resolve || reopen_ticks_ == 0) {
    open_.erase(known);
    return;
  }
  // Detectors that look at windows do not tell since when the rate is normal.
  const auto took = closing != nullptr && closing->onset > what.opened ? tick_ - closing->onset + 1 : 0;
  what.at = stage::closed;
  what.until = tick_ + std::max(reopen_ticks_, took);
  remind(what, slot);
}

} // namespace tocsin
