#pragma once

#include "detectors/values/time.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

namespace tocsin {

/// A level of a monitor: the set of dimensions its keys have, as indices into monitor_spec::dimensions,
/// ascending; the scope dimensions (0 .. scope_size-1) are part of every level.
struct level_spec {
  std::vector<std::uint32_t> dimensions;
};

/// When evidence may become an incident (ALERTS: Open). Applied to failures and, where the stream has
/// viewers, also to failures capped by distinct failing viewers a tick.
struct gate_spec {
  double min_ratio = 1.25;        ///< observed rate / baseline rate
  double min_difference = 0.002;  ///< observed rate - baseline rate
  double min_excess_failures = 3; ///< failures - expected failures
};

/// Severity limits; see docs/alerts.md.
struct severity_spec {
  double major_ratio = 3;
  double major_excess_per_hour = 50;
  double critical_rate = 0.5;
  std::int64_t critical_events = 20;
  double critical_excess_per_hour = 500;
  time_ms fall_after = 10 * minute_ms; ///< severity rises at once and falls only after this time
};

/// How incidents live; see docs/alerts.md.
struct life_spec {
  /// Alarms of a scope wait so long for others of the same cause; nothing: each is an incident for itself.
  std::optional<time_ms> group_wait;
  time_ms reopen_within = 15 * minute_ms; ///< after closing; at least as long as the resolve took
  time_ms propose_after = 1 * day_ms;     ///< open at a stable rate for so long: perhaps the new normal
  time_ms accept_after = 3 * day_ms;      ///< ... which it is then; detectors with a model
};

/// Detector `threshold`: the rate over a sliding window is at least `rate` for `hold` without a break.
struct threshold_spec {
  double rate = 0;                ///< open at or above this failure rate, in (0, 1]
  time_ms window = 1 * minute_ms; ///< length of the sliding window
  time_ms hold = 0;               ///< how long the condition must last ("for")
  std::int64_t min_events = 1;    ///< a window with fewer events does not open
  double resolve_rate = 0;        ///< resolve below this rate ...
  time_ms resolve_hold = 0;       ///< ... for this long
};

/// Detector `count_bucket` (Mux, 2016): buckets of a fixed number of events, each compared with the moving
/// failure rate of the scope.
struct count_bucket_spec {
  std::int64_t scope_bucket = 1000; ///< events a bucket at the scope's root
  std::int64_t key_bucket = 100;    ///< events a bucket at every other key
  time_ms baseline = 1 * day_ms;    ///< length of the moving failure rate
  std::int64_t min_baseline = 1000; ///< events the moving rate needs before anything is judged
  double outlier = 1e-6;            ///< a bucket whose upper tail probability is at most this opens
  double normal = 0.01;             ///< a bucket whose upper tail probability is at least this closes
};

/// Detector `sr_mixture`: a Shiryaev-Roberts mixture against the guarded, hierarchical, seasonal baseline.
struct sr_mixture_spec {
  double false_alarms_per_day = 1; ///< budget of each scope value, all its keys together
  /// Evidence starts with the whole budget only where the guarantee holds for any traffic; else (calibrated) also what
  /// the overshoot of the threshold leaves unspent.
  bool strict = false;
  double incidents_per_day = 0.1; ///< prior hazard of a real incident in one scope, for the record's confidence
  time_ms sliding_baseline = 0;   ///< length of a sliding window as baseline; 0 = discounted and seasonal
};

/// One rule of `burn_rate`: the error budget burns at `factor` times the allowed speed over both windows.
struct burn_rate_rule {
  time_ms long_window = 1 * hour_ms;
  time_ms short_window = 5 * minute_ms;
  double factor = 14.4;
};

/// Detector `burn_rate`: multi-window, multi-burn-rate alerts on a service level objective (Beyer et al., "The Site
/// Reliability Workbook", O'Reilly 2018, chapter 5).
struct burn_rate_spec {
  double objective = 0.999; ///< share of events that must succeed, in (0, 1)
  std::vector<burn_rate_rule> rules{
      {1 * hour_ms, 5 * minute_ms, 14.4}, {6 * hour_ms, 30 * minute_ms, 6}, {3 * day_ms, 6 * hour_ms, 1}};
  std::int64_t min_events = 1; ///< with fewer events in the short window a rule does not open
};

/// Detector `volume_drop`: fewer events than chance allows; the mathematics of sr_mixture on counts.
struct volume_drop_spec {
  double false_alarms_per_day = 1;
  double min_events_per_hour = 60; ///< keys expected to have fewer are not judged
};

/// Detector `z_score`: the rate of one window against mean and deviation of the windows before it.
struct z_score_spec {
  time_ms window = 5 * minute_ms;
  std::int64_t history = 2016;   ///< windows that make mean and deviation
  std::int64_t min_history = 12; ///< windows needed before anything is judged
  double outlier = 4;            ///< opens at so many standard deviations above the mean
  double normal = 2;             ///< closes below so many
};

using detector_settings =
    std::variant<threshold_spec, count_bucket_spec, sr_mixture_spec, burn_rate_spec, volume_drop_spec, z_score_spec>;

struct detector_spec {
  std::string type; ///< "threshold", "count_bucket", "sr_mixture", "burn_rate", "volume_drop", "z_score"
  std::string name; ///< unique within the monitor; the type unless configured
  detector_settings settings;
  bool shadow = false; ///< its incidents are recorded, but not delivered
};

/// From `since` on, local time is UTC + `offset`.
struct zone_transition {
  time_ms since = 0;
  time_ms offset = 0;
};

/// How much one monitor may keep. Totals of the monitor; a shard gets its equal part (all of it for scope []).
struct capacity_spec {
  std::uint64_t max_keys = 200'000;       ///< keys with state, all levels together
  std::uint64_t max_leaf_cells = 200'000; ///< leaf cells in one open tick of one partition
  std::uint64_t max_scopes = 10'000;      ///< scope values with state
  std::uint64_t max_leaves = 20'000;      ///< leaf keys whose past is kept, for attribution
};

/// Failures by leaf key and error type are fewer than leaf keys: cells of an open tick; and cells whose past is kept.
inline std::uint64_t most_type_cells(const capacity_spec& of) {
  return of.max_leaf_cells / 4;
}
inline std::uint64_t most_types_past(const capacity_spec& of) {
  return of.max_leaves / 2;
}

/// One monitor, ready to run. Made by io/config from the user's file; every index is valid.
struct monitor_spec {
  std::string name;
  /// All dimensions of the leaf key: the scope's first, then those of the levels in order of appearance, then those
  /// that only attribution uses.
  std::vector<std::string> dimensions;
  std::uint32_t scope_size = 0;   ///< the first scope_size dimensions are the scope
  std::vector<level_spec> levels; ///< levels[0] is the scope's root, always present
  /// Field that names the error type of a failure. Types have keys of a level of their own, of which `level_at` and
  /// `dimension_name` know; `levels` and `dimensions` do not.
  std::optional<std::string> error_type;
  level_spec type_level; ///< the scope and the error type; made by name_error_type()
  time_ms tick = 10 * second_ms;
  time_ms expire_after = 8 * day_ms; ///< keys and incidents without events for this long end
  bool has_rates = false;            ///< records are rates without denominators, in `rate_units`
  bool attributes = true;            ///< incidents are told with their causes
  bool has_viewers = false;          ///< the stream names viewers: gates hold for distinct viewers too
  gate_spec gates;
  severity_spec severity;
  life_spec life;
  time_ms update_every = 30 * minute_ms; ///< an open incident is told again at least this often
  capacity_spec capacity;
  std::vector<detector_spec> detectors;
  std::vector<zone_transition> zone; ///< of the season, ascending; UTC if empty
};

/// Everything a world's verdicts depend on, besides records and journal.
struct world_spec {
  std::vector<monitor_spec> monitors;
  time_ms allowed_lateness = 5 * second_ms;
  time_ms max_ahead = 1 * hour_ms;  ///< events further ahead of the watermark + settle are parked
  std::uint32_t ahead_accept = 100; ///< so many parked in a row accept the jump
  time_ms correction = 1 * hour_ms; ///< events later than this are dropped and counted
  time_ms settle = 0;               ///< judging waits so much longer: outcomes that become known late
  std::string fingerprint;          ///< hash of everything that can change a verdict, in hex
};

/// How far the watermark stays behind the newest event.
inline time_ms holdback(const world_spec& world) {
  return world.allowed_lateness + world.settle;
}

/// Greatest common divisor of the monitors' ticks: the grid on which the world closes.
time_ms base_tick(const world_spec& world);

/// Whether incidents of the monitor are told with their causes: it has dimensions to tell apart, and events to count.
bool has_attribution(const monitor_spec& monitor);

/// The field that names the error types of the monitor's failures.
void name_error_type(monitor_spec& monitor, std::string field);

/// Number of the level of error types, behind those of the monitor.
inline std::uint32_t type_level_of(const monitor_spec& monitor) {
  return static_cast<std::uint32_t>(monitor.levels.size());
}

/// Whether there is a level of this number, with that of error types.
inline bool has_level(const monitor_spec& monitor, std::uint32_t level) {
  return level < type_level_of(monitor) || (monitor.error_type && level == type_level_of(monitor));
}

/// A level, that of error types too.
inline const level_spec& level_at(const monitor_spec& monitor, std::uint32_t level) {
  return level < type_level_of(monitor) ? monitor.levels[level] : monitor.type_level;
}

/// Name of a dimension, the error type too.
inline const std::string& dimension_name(const monitor_spec& monitor, std::uint32_t dimension) {
  return dimension < monitor.dimensions.size() ? monitor.dimensions[dimension] : *monitor.error_type;
}

/// The monitor's failures by leaf key and error type, as if the type were a last dimension; with its capacities.
monitor_spec with_types_as_dimension(const monitor_spec& monitor);

/// Index of the level's parent: the listed level with the most dimensions that is a proper subset of it (the first
/// listed, if several); the level itself for the root.
std::uint32_t parent_level(const monitor_spec& monitor, std::uint32_t level);

/// The levels, every parent before its children.
std::vector<std::uint32_t> parents_first(const monitor_spec& monitor);

/// Local time of the monitor's season, in milliseconds since 1970-01-01T00:00 local time.
time_ms local_time(const monitor_spec& monitor, time_ms t);

/// `["cdn","country"]` without the scope; `[]` for the root.
std::vector<std::string> level_names(const monitor_spec& monitor, std::uint32_t level);

} // namespace tocsin
