#pragma once

#include "detectors/values/time.hpp"

#include <cstdint>
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

struct detector_spec {
  std::string type; ///< "threshold", "count_bucket"
  std::string name; ///< unique within the monitor; the type unless configured
  std::variant<threshold_spec, count_bucket_spec> settings;
};

/// How much one monitor may keep. Totals of the monitor; a shard gets its equal part (all of it for scope []).
struct capacity_spec {
  std::uint64_t max_keys = 200'000;       ///< keys with state, all levels together
  std::uint64_t max_leaf_cells = 200'000; ///< leaf cells in one open tick of one partition
  std::uint64_t max_scopes = 10'000;      ///< scope values with state
};

/// One monitor, ready to run. Made by io/config from the user's file; every index is valid.
struct monitor_spec {
  std::string name;
  /// All dimensions of the leaf key: the scope's first, then those of the levels in order of appearance.
  std::vector<std::string> dimensions;
  std::uint32_t scope_size = 0;   ///< the first scope_size dimensions are the scope
  std::vector<level_spec> levels; ///< levels[0] is the scope's root, always present
  time_ms tick = 10 * second_ms;
  time_ms expire_after = 8 * day_ms; ///< keys and incidents without events for this long end
  bool has_viewers = false;          ///< the stream names viewers: gates hold for distinct viewers too
  gate_spec gates;
  severity_spec severity;
  time_ms update_every = 30 * minute_ms; ///< an open incident is told again at least this often
  capacity_spec capacity;
  std::vector<detector_spec> detectors;
};

/// Everything a world's verdicts depend on, besides records and journal.
struct world_spec {
  std::vector<monitor_spec> monitors;
  time_ms allowed_lateness = 5 * second_ms;
  time_ms max_ahead = 1 * hour_ms;  ///< events further ahead of the watermark are parked
  std::uint32_t ahead_accept = 100; ///< so many parked in a row accept the jump
  time_ms correction = 1 * hour_ms; ///< events later than this are dropped and counted
  std::string fingerprint;          ///< hash of everything that can change a verdict, in hex
};

/// Greatest common divisor of the monitors' ticks: the grid on which the world closes.
time_ms base_tick(const world_spec& world);

/// Index of the level's parent: the listed level with the most dimensions that is a proper subset of it (the first
/// listed, if several); the level itself for the root.
std::uint32_t parent_level(const monitor_spec& monitor, std::uint32_t level);

/// `["cdn","country"]` without the scope; `[]` for the root.
std::vector<std::string> level_names(const monitor_spec& monitor, std::uint32_t level);

} // namespace tocsin
