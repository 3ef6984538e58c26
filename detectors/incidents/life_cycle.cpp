#include "detectors/incidents/life_cycle.hpp"

#include "detectors/incidents/attribution.hpp"
#include "detectors/judging/dimensions.hpp"
#include "detectors/judging/gates.hpp"
#include "models/binomial.hpp"
#include "models/linear_counting.hpp"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <optional>
#include <variant>

namespace tocsin {

namespace {

// A volume has its own gates and severities: those of the monitor are about failures.
constexpr double least_drop = 1.25; ///< expected / observed events
constexpr double least_missing = 20;
constexpr double major_share = 0.5; ///< of the expected events
constexpr double critical_share = 0.05;

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

} // namespace

life_cycle::life_cycle(const world_spec& world, std::uint32_t monitor, std::uint32_t detector, keyed_state& keys)
    : world_(&world), monitor_(&world.monitors[monitor]), monitor_index_(monitor), detector_index_(detector),
      measures_(std::holds_alternative<volume_drop_spec>(monitor_->detectors[detector].settings)
                    ? measurement::volume
                    : measurement::error_rate),
      keys_(&keys), update_ticks_(std::max<tick_index>(1, monitor_->update_every / monitor_->tick)) {}

void life_cycle::begin_tick(const closed_tick& tick, const detector& judging, const source_offsets& offsets,
                            std::vector<alert>& out) {
  tick_ = tick.tick;
  tick_end_ = tick_end(tick.tick, monitor_->tick);
  offsets_ = &offsets;
  out_ = &out;
  touched_.clear();
  if (open_.empty())
    return;
  for (const auto& level : tick.levels)
    for (const auto& counts : level)
      count(counts, judging);
}

void life_cycle::count(const key_counts& counts, const detector& judging) {
  const auto known = open_.find(counts.slot);
  if (known == open_.end())
    return;
  auto& what = known.value();
  what.total += counts.total;
  touched_.push_back(counts.slot);
  if (measures_ == measurement::volume)
    return;
  what.baseline = judging.expected_rate(counts.slot);
  what.failed += counts.failed;
  what.expected += what.baseline * static_cast<double>(counts.total);
  what.viewers |= counts.viewers;
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
  if (known == open_.end()) {
    if (what.type == verdict::kind::excess && passes_gates(what))
      open(what, judging);
  } else if (what.type == verdict::kind::normal) {
    close(what.slot, alert_kind::resolve, judging, &what);
  } else if (what.type == verdict::kind::accepted) {
    close(what.slot, alert_kind::rebase, judging, &what);
  } else {
    known.value().model = what.model;
  }
}

bool life_cycle::passes_gates(const verdict& what) const {
  if (!what.gated)
    return true;
  if (measures_ == measurement::volume) {
    const auto events = static_cast<double>(what.total);
    const auto expected = what.expected.value_or(0);
    return expected >= least_drop * events && expected - events >= least_missing;
  }
  const auto passes = [&](std::int64_t failures) {
    return all_pass(check_gates(monitor_->gates, what.total, failures, what.baseline, expected_failures(what)));
  };
  return passes(what.failed) && (!monitor_->has_viewers || passes(what.capped));
}

void life_cycle::open(const verdict& what, const detector& judging) {
  incident made;
  made.onset = what.onset;
  made.opened = tick_;
  made.total = what.total;
  made.failed = what.failed;
  made.baseline = what.baseline;
  made.expected = expected_failures(what);
  made.evidence = what.evidence;
  made.once_in_days = what.once_in_days;
  made.confidence = what.confidence;
  made.model = what.model;
  made.id = incident_id(*monitor_, monitor_->detectors[detector_index_], (*keys_)[what.slot].bytes,
                        tick_start(what.onset, monitor_->tick));
  made.harm = severity_of(made);
  made.per_hour_on_open = excess_per_hour(made);
  made.viewers = what.viewers;
  ++(*keys_)[what.slot].holds;
  keys_->mark_changed(what.slot);
  attribute(made, what.slot);
  remind_of_looks(made, what.slot, tick_);
  auto& stored = open_[what.slot] = std::move(made);
  tell(what.slot, stored, alert_kind::open, alert_status::open, judging, nullptr);
}

void life_cycle::reminded(key_slot slot) {
  // Only the reminder of the last record counts: older ones are forgotten by a restart, so they must not show.
  const auto known = open_.find(slot);
  if (known != open_.end() && (tick_ == known->second.told + update_ticks_ || is_look_due(known->second)))
    touched_.push_back(slot);
}

bool life_cycle::is_look_due(const incident& what) const {
  const auto looks = later_looks(*monitor_, what.opened);
  return finder_ != nullptr && std::find(looks.begin(), looks.end(), tick_) != looks.end();
}

bool life_cycle::attribute(incident& what, key_slot slot) const {
  if (finder_ == nullptr || measures_ == measurement::volume)
    return false;
  const auto& key = (*keys_)[slot];
  auto now = contributors_of(*monitor_,
                             finder_->causes((*keys_)[key.root].bytes, values_of(*monitor_, key.bytes), what.onset));
  const bool changed = !same_sets(now, what.contributors);
  what.contributors = std::move(now);
  return changed;
}

void life_cycle::remind_of_looks(const incident& what, key_slot slot, tick_index after) const {
  if (finder_ == nullptr || measures_ == measurement::volume)
    return;
  for (const auto look : later_looks(*monitor_, what.opened))
    if (look > after)
      remind_(look, slot);
}

void life_cycle::end_tick(const detector& judging) {
  // Events and reminders may both have named a key; how often must not show.
  std::sort(touched_.begin(), touched_.end());
  touched_.erase(std::unique(touched_.begin(), touched_.end()), touched_.end());
  for (const auto slot : touched_) {
    const auto known = open_.find(slot);
    if (known == open_.end())
      continue;
    auto& what = known.value();
    follow(what, slot, judging);
    keys_->mark_changed(slot);
    const auto before = what.harm;
    refresh_severity(what);
    const bool other_causes = is_look_due(what) && attribute(what, slot);
    if (what.harm != before || is_news(what) || other_causes)
      tell(slot, what, alert_kind::update, alert_status::open, judging, nullptr);
  }
}

void life_cycle::refresh_severity(incident& what) {
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
  if (tick_ - what.told >= update_ticks_)
    return true;
  const auto now = excess_per_hour(what);
  return now > 0 && what.per_hour_told > 0 && (now >= 2 * what.per_hour_told || now <= what.per_hour_told / 2);
}

double life_cycle::hours_since_onset(const incident& what) const {
  return static_cast<double>(tick_end_ - tick_start(what.onset, monitor_->tick)) / static_cast<double>(hour_ms);
}

double life_cycle::excess_per_hour(const incident& what) const {
  const auto harm = measures_ == measurement::volume ? what.expected - static_cast<double>(what.total)
                                                     : static_cast<double>(what.failed) - what.expected;
  return harm / hours_since_onset(what);
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

void life_cycle::expire(key_slot slot, const detector& judging) {
  if (open_.find(slot) != open_.end())
    close(slot, alert_kind::expire, judging, nullptr);
}

void life_cycle::close(key_slot slot, alert_kind kind, const detector& judging, const verdict* closing) {
  const auto known = open_.find(slot);
  const auto status = kind == alert_kind::expire ? alert_status::expired : alert_status::closed;
  follow(known.value(), slot, judging);
  tell(slot, known.value(), kind, status, judging, closing);
  open_.erase(known);
  --(*keys_)[slot].holds;
  keys_->mark_changed(slot);
}

void life_cycle::tell(key_slot slot, incident& what, alert_kind kind, alert_status status, const detector& judging,
                      const verdict* closing) {
  const auto& key = (*keys_)[slot];
  alert record;
  record.id = what.id;
  record.revision = what.revision++;
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
  if (status == alert_status::open)
    remind_(tick_ + update_ticks_, slot);
}

void life_cycle::measure(alert& record, const incident& what, const verdict* closing) const {
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

void life_cycle::measure_volume(alert& record, const incident& what, const verdict* closing) const {
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

const incident* life_cycle::open_incident(key_slot slot) const {
  const auto known = open_.find(slot);
  return known == open_.end() ? nullptr : &known.value();
}

void life_cycle::restore(key_slot slot, incident&& open) {
  open_[slot] = std::move(open);
  ++(*keys_)[slot].holds;
}

bool life_cycle::remind_all(tick_index last_tick) {
  for (const auto& [slot, what] : open_) {
    const bool in_order = what.onset <= what.opened && what.opened <= what.told && what.told <= last_tick &&
                          is_within_time(what.onset, monitor_->tick);
    const bool severity_in_order =
        what.lower_since == incident::never || (what.lower_since >= what.opened && what.lower_since <= last_tick);
    if (!in_order || !severity_in_order || what.told + update_ticks_ <= last_tick)
      return false;
    remind_(what.told + update_ticks_, slot);
    remind_of_looks(what, slot, last_tick);
  }
  return true;
}

} // namespace tocsin
