#pragma once

#include "tools/evaluation/engine_feed.hpp"
#include "tools/evaluation/noisy_stream.hpp"
#include "tools/evaluation/reference_cusum.hpp"

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace tocsin::evaluation {

/// A planted outage: how the failure rate of a key changes from its onset on.
struct outage {
  enum class kind {
    times,    ///< `size` times as high, at once
    ramp,     ///< rises evenly to `size` times over `rise`
    absolute, ///< `size` instead of the seasonal rate, with the noise of the tick
  };
  std::string name;
  kind shape = kind::times;
  double size = 2;
  time_ms length = hour_ms;
  time_ms horizon = hour_ms; ///< how long after the onset is looked for an alarm
  time_ms rise = 0;
};
/// Failure rate of a tick that begins `since` after the onset.
double rate_during(const outage& what, const stream_tick& tick, time_ms since);
/// How many times as high as `base_rate` the outage is in the end; a ramp counts as 2, as soon as it matters.
double ratio_of(const outage& what, double base_rate);

/// One key of the run: what is counted, under which name its alerts come, and its future.
struct key_source {
  leaf_key leaf;
  std::string key_bytes; ///< in alert records
  noisy_stream stream;
};

/// The only key of a world without dimensions.
key_source whole_world(noisy_stream stream);
/// A key of the second level of a world whose dimensions are all in it.
key_source leaf_source(const std::vector<std::string>& values, noisy_stream stream);

struct planting {
  std::size_t source = 0;
  std::size_t outage = 0;
};
/// Outages that begin together, in one fork of the world.
struct wave {
  time_ms onset = 0;
  std::vector<planting> plantings;
};

/// What became of one planted outage, by one detector.
struct finding {
  bool open_before = false;        ///< an incident of this key was open at the onset: it proves nothing
  std::optional<time_ms> opened;   ///< end of the tick that decided the first opening since the onset
  std::int64_t events = 0;         ///< of the key, from the onset to that tick
  bool resolved_early = false;     ///< an incident closed while the outage lasted
  bool open_at_end = false;        ///< an incident was open when the outage ended
  std::optional<time_ms> resolved; ///< the first closing after that
};

struct trial {
  std::size_t source = 0;
  std::size_t outage = 0;
  time_ms onset = 0;
  stream_tick first;                 ///< the tick of the onset, without outage
  std::vector<finding> by_detector;  ///< in the order of the monitor's detectors
  std::vector<finding> by_reference; ///< in the order of run_plan::references
};

struct reference_plan {
  double ratio = 2;
  double threshold = 0; ///< of its alarms in trials
};

struct run_plan {
  std::shared_ptr<const world_spec> world;
  std::vector<key_source> sources;
  std::vector<outage> outages;
  std::vector<reference_plan> references;
  time_ms start = evaluation_start;
  time_ms measured_from = 0; ///< the warm-up ends here
  time_ms end = 0;
  std::vector<wave> waves; ///< by onset; onsets lie on ticks and may be equal
  std::uint64_t seed = 1;  ///< of the failures in forks
  std::size_t jobs = 1;    ///< threads for the forks of one moment
};

struct run_result {
  std::vector<incident_record> records; ///< of the trunk: nothing was planted there
  std::uint64_t events = 0;             ///< of the trunk, after the warm-up
  std::vector<trial> trials;            ///< in the order of the waves and their plantings
  /// By reference: peaks of at least 1 of the excursions that ended after the warm-up, of all sources.
  std::vector<std::vector<double>> reference_peaks;
};

/// Runs one world to its end, and beside it a fork for each wave: the same state, volume and noise, but with outages.
/// Nothing a fork does reaches the trunk. Throws std::runtime_error if a fork cannot start, which would be a bug of the
/// engine.
run_result run(run_plan plan);

} // namespace tocsin::evaluation
