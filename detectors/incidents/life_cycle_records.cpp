// What a life_cycle writes: how much harm an incident does, whether that is news, and its record.

#include "detectors/incidents/life_cycle.hpp"
#include "detectors/judging/dimensions.hpp"
#include "models/binomial.hpp"
#include "models/linear_counting.hpp"

#include <algorithm>
#include <cmath>

namespace tocsin {

namespace {

// A volume has its own severities: those of the monitor are about failures.
constexpr double major_share = 0.5; ///< of the expected events
constexpr double critical_share = 0.05;

} // namespace

// ---- How bad it is.

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

void life_cycle::refresh_severity(incident& what) const {
  const auto now = severity_of(what);
  const bool has_fallen = what.lower_since != incident::never &&
                          (tick_ - what.lower_since) * monitor_->tick >= monitor_->severity.fall_after;
  if (now >= what.harm || has_fallen) {
    what.harm = now;
    what.lower_since = incident::never;
  } else if (what.lower_since == incident::never) {
    what.lower_since = tick_;
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

// ---- Records.

void life_cycle::tell(key_slot slot, incident& what, alert_kind kind, alert_status status, const detector& judging,
                      const closing_counts* closing) {
  // What has had no events for days is forgotten by then.
  if (status != alert_status::expired)
    name_types(what, slot);
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
  record.error_types = what.error_types;
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

} // namespace tocsin
