#pragma once

#include "detectors/values/event_batch.hpp"
#include "detectors/values/time.hpp"

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace tocsin {

enum class alert_kind : std::uint8_t { open, update, resolve, expire, rebase, retract };
enum class alert_status : std::uint8_t { open, closed, expired };
enum class severity : std::uint8_t { warning, major, critical };
/// What a record's values are: a failure rate (fraction), or events an hour.
enum class measurement : std::uint8_t { error_rate, volume };
const char* name_of(alert_kind kind);
const char* name_of(alert_status status);
const char* name_of(severity value);
const char* name_of(measurement value);

/// A dimension and its value; no value where the field is missing (shown as null).
struct dimension_value {
  std::string dimension;
  std::optional<std::string> value;
  bool pooled = false; ///< the pooled tail `(other)`
};

/// A set of dimension values that explains an incident: where the excess failures are.
struct contributor {
  std::vector<dimension_value> set; ///< at most three dimensions, none of them the scope's
  double excess = 0;                ///< failures - expected failures in the set since the onset
  double share = 0;                 ///< of the incident's excess
  double rate_without = 0;          ///< failure rate of the incident's key without the set
  double score = 0;                 ///< log likelihood ratio, in nats
};

/// Failures of one type among those of an incident.
struct error_type_count {
  std::optional<std::string> type; ///< no value where the event names none
  std::int64_t failures = 0;
  double expected = 0;
};

/// One change of an incident: a record of the alert log. docs/alerts.md describes each field; rates are fractions,
/// volumes are events an hour, times are event times. A record of a volume has no failures, but expected events.
struct alert {
  std::string id; ///< 32 hex digits, a function of the data alone
  std::uint32_t revision = 0;
  alert_kind kind = alert_kind::open;
  alert_status status = alert_status::open;
  tocsin::severity level_of_harm = severity::warning;
  std::string monitor;
  std::string detector;
  bool shadow = false;
  std::vector<dimension_value> scope;
  std::vector<std::string> level;
  std::vector<dimension_value> key;
  time_ms tick = 0; ///< end of the tick that decided this
  measurement measures = measurement::error_rate;
  double measured_value = 0;
  std::optional<double> measured_value_on_close;
  double baseline_value = 0;
  double interval_low = 0;
  double interval_high = 0;
  bool effective = false; ///< the rate has no denominator: sample size and failures are what its noise is worth
  std::int64_t sample_size = 0;
  std::int64_t failures = 0;
  double expected_failures = 0;
  double excess_failures = 0;
  double expected_events = 0; ///< of a volume
  std::optional<std::int64_t> affected_viewers;
  bool affected_viewers_at_least = false;
  double affected_per_hour = 0;
  double affected_per_hour_on_open = 0;
  std::optional<double> evidence;
  std::optional<double> once_in_days;
  std::optional<double> confidence;
  std::vector<contributor> contributors;     ///< best first, at most five
  std::optional<std::string> parent_id;      ///< the incident that explains this one: only that one pages
  std::vector<std::string> children;         ///< ids of the incidents that this one explains, in order; at most fifty
  std::uint32_t children_count = 0;          ///< all of them
  std::vector<error_type_count> error_types; ///< most excess first, at most five
  std::uint32_t reopen_count = 0;            ///< excursions merged into this incident after its first
  time_ms onset = 0;
  time_ms detected_at = 0;
  std::optional<time_ms> resolved_at;
  time_ms watermark = 0;
  std::string closes_when;
  std::vector<std::pair<std::string, double>> model; ///< numbers of the detector that made the verdict
  std::string config_fingerprint;
  std::vector<std::pair<partition_id, stream_offset>>
      source_offsets; ///< first record of the deciding tick, per partition

  // Order of the log: (tick, monitor, detector, key bytes, revision).
  std::uint32_t monitor_index = 0;
  std::uint32_t detector_index = 0;
  std::string key_bytes;
};

/// Total order of a world's alert log.
bool precedes(const alert& a, const alert& b);
/// Sorts the records from place `first` on.
void sort_alerts(std::vector<alert>& all, std::size_t first = 0);

} // namespace tocsin
