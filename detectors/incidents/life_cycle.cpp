#include "detectors/incidents/life_cycle.hpp"

#include "detectors/incidents/attribution.hpp"
#include "detectors/judging/dimensions.hpp"
#include "detectors/judging/gates.hpp"
#include "models/binomial.hpp"
#include "models/linear_counting.hpp"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <iterator>
#include <optional>
#include <variant>

namespace tocsin {

namespace {

// A volume has its own gates and severities: those of the monitor are about failures.
constexpr double least_drop = 1.25; ///< expected / observed events
constexpr double least_missing = 20;
constexpr double major_share = 0.5; ///< of the expected events
constexpr double critical_share = 0.05;

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

// ---- What waits is opened, as its group wants it.

bool life_cycle::is_convincing(const incident& what) const {
  return !what.gated ||
         pass_gates(what.total, what.failed, std::min(what.capped, what.failed), what.baseline, what.expected);
}

void life_cycle::drop(key_slot slot) {
  stop_waiting(slot);
  ended_.erase(slot);
  leave(slot);
  open_.erase(slot);
  keys_->mark_changed(slot);
}

incident& life_cycle::stop_waiting(key_slot slot) {
  waiting_.erase(slot);
  return open_.find(slot).value();
}

life_cycle::opened_child life_cycle::open_as_child(key_slot slot, const std::string& parent, const detector& judging) {
  auto& what = stop_waiting(slot);
  what.who.parent = parent;
  auto kind = alert_kind::open;
  if (what.earlier && what.earlier->parent == parent) {
    what.who = *what.earlier;
    ++what.who.reopened;
    kind = alert_kind::update;
  }
  what.earlier.reset();
  const opened_child out{what.who.id, kind == alert_kind::update};
  open(slot, what, kind, judging);
  end_if_over(slot, judging);
  return out;
}

void life_cycle::open_as_page(key_slot slot, const std::vector<std::string>& children, const detector& judging) {
  auto& what = stop_waiting(slot);
  what.earlier.reset();
  for (const auto& child : children)
    what.add_child(child);
  open(slot, what, alert_kind::open, judging);
  end_if_over(slot, judging);
}

void life_cycle::end_if_over(key_slot slot, const detector& judging) {
  const auto over = ended_.find(slot);
  if (over != ended_.end())
    end(slot, over->second, judging);
}

void life_cycle::adopt(key_slot slot, const std::string& child, time_ms end) {
  auto& what = open_.find(slot).value();
  what.add_child(child);
  keys_->mark_changed(slot);
  remind_(tick_of(end, monitor_->tick), slot);
}

void life_cycle::promote(key_slot slot, time_ms end) {
  auto& what = open_.find(slot).value();
  what.who.parent.clear();
  what.has_news = true;
  keys_->mark_changed(slot);
  remind_(tick_of(end, monitor_->tick), slot);
}

void life_cycle::move_under(key_slot slot, const std::string& parent) {
  open_.find(slot).value().who.parent = parent;
  keys_->mark_changed(slot);
}

// ---- While it is open.

void life_cycle::reminded(key_slot slot) {
  // Only what is due counts: older reminders are forgotten by a restart, so they must not show.
  const auto known = open_.find(slot);
  if (known != open_.end() && is_due(known->second))
    touched_.push_back(slot);
}

bool life_cycle::is_due(const incident& what) const {
  switch (what.at) {
  case stage::waiting: return true;
  case stage::open:
    return what.has_news || is_look_due(what) || tick_ == what.told + update_ticks_ ||
           (!what.proposed && tick_ == what.looked + look_ticks_);
  case stage::calm: return tick_ >= what.until;
  case stage::closed: return tick_ > what.until;
  }
  return false;
}

bool life_cycle::is_look_due(const incident& what) const {
  const auto looks = later_looks(*monitor_, what.opened);
  return attributes() && std::find(looks.begin(), looks.end(), tick_) != looks.end();
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

/// Asks for the reminders at which the incident is due.
void life_cycle::remind(const incident& what, key_slot slot) const {
  switch (what.at) {
  case stage::waiting: remind_(tick_ + 1, slot); break;
  case stage::open:
    if (what.told + update_ticks_ > tick_)
      remind_(what.told + update_ticks_, slot);
    if (!what.proposed)
      remind_(what.looked + look_ticks_, slot);
    if (what.has_news)
      remind_(tick_ + 1, slot);
    if (attributes())
      for (const auto look : later_looks(*monitor_, what.opened))
        if (look > tick_)
          remind_(look, slot);
    break;
  case stage::calm: remind_(what.until, slot); break;
  case stage::closed: remind_(what.until + 1, slot); break;
  }
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
  const bool has_other_causes = is_look_due(what) && attribute(what, slot);
  const bool was_proposed = what.proposed;
  look_for_new_normal(what);
  if (what.proposed && !was_proposed)
    tell(slot, what, alert_kind::rebase, alert_status::open, judging, nullptr);
  else if (what.harm != before || has_other_causes || is_news(what))
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

void life_cycle::refresh_severity(incident& what) const {
  const auto now = severity_of(what);
  if (now >= what.harm) {
    what.harm = now;
    what.lower_since = incident::never;
  } else if (what.lower_since == incident::never) {
    what.lower_since = tick_;
  } else if ((tick_ - what.lower_since) * monitor_->tick >= monitor_->severity.fall_after) {
    what.harm = now;
    what.lower_since = incident::never;
  }
}

bool life_cycle::is_news(const incident& what) const {
  if (tick_ == what.told)
    return false;
  if (what.has_news || tick_ - what.told >= update_ticks_)
    return true;
  const auto now = excess_per_hour(what);
  return now > 0 && what.per_hour_told > 0 && (now >= 2 * what.per_hour_told || now <= what.per_hour_told / 2);
}

double life_cycle::hours_since_onset(const incident& what) const {
  return static_cast<double>(tick_end_ - tick_start(what.onset, monitor_->tick)) / static_cast<double>(hour_ms);
}

double life_cycle::excess_of(const incident& what) const {
  return measures_ == measurement::volume ? what.expected - static_cast<double>(what.total)
                                          : static_cast<double>(what.failed) - what.expected;
}

double life_cycle::excess_per_hour(const incident& what) const {
  return excess_of(what) / hours_since_onset(what);
}

severity life_cycle::severity_of(const incident& what) const {
  if (measures_ == measurement::volume) {
    const auto share = static_cast<double>(what.total) / std::max(what.expected, 1.0);
    return share < critical_share ? severity::critical : share < major_share ? severity::major : severity::warning;
  }
  const auto& limits = monitor_->severity;
  const auto rate = what.total > 0 ? static_cast<double>(what.failed) / static_cast<double>(what.total) : 0;
  const auto per_hour = excess_per_hour(what);
  if ((rate >= limits.critical_rate && what.total >= limits.critical_events) ||
      per_hour >= limits.critical_excess_per_hour)
    return severity::critical;
  if (rate >= limits.major_ratio * what.baseline && per_hour >= limits.major_excess_per_hour)
    return severity::major;
  return severity::warning;
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

void life_cycle::forget(const std::vector<bool>& slots) {
  for (auto it = open_.begin(); it != open_.end();)
    it = slots[it->first] ? open_.erase(it) : std::next(it);
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

// ---- Records.

void life_cycle::tell(key_slot slot, incident& what, alert_kind kind, alert_status status, const detector& judging,
                      const closing_counts* closing) {
  const auto& key = (*keys_)[slot];
  alert record;
  record.id = what.who.id;
  record.revision = what.who.revision++;
  record.kind = kind;
  record.status = status;
  record.level_of_harm = what.harm;
  record.monitor = monitor_->name;
  record.detector = monitor_->detectors[detector_index_].name;
  record.shadow = monitor_->detectors[detector_index_].shadow;
  record.level = level_names(*monitor_, key.level);
  record.key = name_dimensions(*monitor_, key.level, key.bytes);
  record.scope.assign(record.key.begin(), record.key.begin() + static_cast<std::ptrdiff_t>(monitor_->scope_size));
  record.tick = tick_end_;
  if (measures_ == measurement::volume)
    measure_volume(record, what, closing);
  else
    measure(record, what, closing);
  record.affected_per_hour = excess_per_hour(what);
  record.affected_per_hour_on_open = what.per_hour_on_open;
  record.evidence = what.evidence;
  record.once_in_days = what.once_in_days;
  record.confidence = what.confidence;
  record.contributors = what.contributors;
  if (!what.is_page())
    record.parent_id = what.who.parent;
  record.children = what.children;
  record.children_count = what.children_count;
  record.reopen_count = what.who.reopened;
  record.onset = tick_start(what.onset, monitor_->tick);
  record.detected_at = tick_end(what.opened, monitor_->tick);
  if (status != alert_status::open)
    record.resolved_at = tick_end_;
  record.watermark = tick_end_;
  if (status == alert_status::open)
    record.closes_when = judging.closes_when(slot);
  record.model = closing != nullptr ? closing->model : what.model;
  record.config_fingerprint = world_->fingerprint;
  record.source_offsets = *offsets_;
  record.monitor_index = monitor_index_;
  record.detector_index = detector_index_;
  record.key_bytes = key.bytes;
  out_->push_back(std::move(record));
  what.told = tick_;
  what.per_hour_told = excess_per_hour(what);
  what.has_news = false;
  if (status == alert_status::open)
    remind_(tick_ + update_ticks_, slot);
}

void life_cycle::measure(alert& record, const incident& what, const closing_counts* closing) const {
  record.measured_value = what.total > 0 ? static_cast<double>(what.failed) / static_cast<double>(what.total) : 0;
  if (closing != nullptr && closing->total > 0)
    record.measured_value_on_close = static_cast<double>(closing->failed) / static_cast<double>(closing->total);
  record.baseline_value = what.baseline;
  const auto range = jeffreys_interval(what.failed, what.total);
  record.interval_low = range.low;
  record.interval_high = range.high;
  record.effective = monitor_->has_rates;
  record.sample_size = what.total;
  record.failures = what.failed;
  record.expected_failures = what.expected;
  record.excess_failures = static_cast<double>(what.failed) - what.expected;
  if (monitor_->has_viewers) {
    record.affected_viewers = std::min(distinct_from_bitmap(what.viewers), what.failed);
    record.affected_viewers_at_least = saturated(what.viewers);
  }
}

void life_cycle::measure_volume(alert& record, const incident& what, const closing_counts* closing) const {
  record.measures = measurement::volume;
  const auto hours = hours_since_onset(what);
  const auto events = static_cast<double>(what.total);
  record.measured_value = events / hours;
  if (closing != nullptr) {
    const auto span = tick_end_ - tick_start(closing->onset, monitor_->tick);
    record.measured_value_on_close =
        static_cast<double>(closing->total) * static_cast<double>(hour_ms) / static_cast<double>(span);
  }
  record.baseline_value = what.expected / hours;
  // Score interval of a Poisson mean, 95 %.
  constexpr double z = 1.959964;
  const auto middle = events + z * z / 2;
  const auto reach = z * std::sqrt(events + z * z / 4);
  record.interval_low = std::max(0.0, middle - reach) / hours;
  record.interval_high = (middle + reach) / hours;
  record.sample_size = what.total;
  record.expected_events = what.expected;
}

// ---- Looking in, and state.

const incident* life_cycle::held(key_slot slot) const {
  const auto known = open_.find(slot);
  return known == open_.end() ? nullptr : &known.value();
}

const incident* life_cycle::open_incident(key_slot slot) const {
  const auto* known = held(slot);
  return known != nullptr && known->at != stage::closed ? known : nullptr;
}

bool life_cycle::is_ongoing(key_slot slot) const {
  const auto* known = held(slot);
  return known != nullptr && known->is_ongoing();
}

/// The key's incident is not closed from now on.
void life_cycle::enter(key_slot slot) {
  auto& key = (*keys_)[slot];
  ++key.holds;
  alive_[key.root].insert(slot);
  ++alive_count_;
}

void life_cycle::leave(key_slot slot) {
  auto& key = (*keys_)[slot];
  --key.holds;
  --alive_count_;
  const auto scope = alive_.find(key.root);
  scope.value().erase(slot);
  if (scope->second.empty())
    alive_.erase(scope);
}

void life_cycle::restore(key_slot slot, incident&& held) {
  if (held.at == stage::waiting)
    waiting_.insert(slot);
  open_[slot] = std::move(held);
}

bool life_cycle::can_have_been(const incident& what, tick_index last_tick) const {
  const bool in_order = what.onset <= what.opened && what.opened <= last_tick && what.told <= last_tick &&
                        what.looked <= last_tick && is_within_time(what.onset, monitor_->tick) &&
                        is_within_time(what.told, monitor_->tick) && is_within_time(what.looked, monitor_->tick);
  const bool severity_in_order =
      what.lower_since == incident::never || (what.lower_since >= what.onset && what.lower_since <= last_tick);
  switch (what.at) {
  case stage::waiting: return in_order && severity_in_order && groups();
  case stage::open:
    return in_order && severity_in_order && what.told + update_ticks_ > last_tick &&
           (what.proposed || what.looked + look_ticks_ > last_tick);
  case stage::calm:
  case stage::closed: return in_order && what.until >= last_tick && is_within_time(what.until, monitor_->tick);
  }
  return false;
}

bool life_cycle::remind_all(tick_index last_tick) {
  tick_ = last_tick;
  for (const auto& [slot, what] : open_) {
    if (!can_have_been(what, last_tick))
      return false;
    // Only now every key knows its root.
    if (what.at != stage::closed)
      enter(slot);
    remind(what, slot);
  }
  return true;
}

} // namespace tocsin
