#pragma once

#include "io/config/config.hpp"
#include "io/result.hpp"
#include "tools/replaying/recording.hpp"
#include "tools/report/incident_book.hpp"
#include "tools/report/rate_series.hpp"

#include <cstddef>
#include <functional>
#include <map>
#include <string>
#include <vector>

namespace tocsin::tools {

/// The counts of a recording that its charts show.
struct recorded_counts {
  time_ms first_event = end_of_time;
  std::vector<rate_series> whole;               ///< by monitor: all its events
  std::map<std::size_t, rate_series> incidents; ///< by index in the book
};

/// The stretch of time that an incident's chart shows: before the onset as long as it lasted, but at least 90 ticks and
/// at most a day (or 90 ticks), and a third of that after its end.
struct chart_window {
  time_ms begin = 0;
  time_ms end = 0;
};
chart_window window_of(const reported_incident& incident, time_ms tick, time_ms judged_through);

/// The key of an incident as the engine has it (level byte first); nothing if the configuration has no such key.
std::optional<std::pair<std::uint32_t, std::string>> engine_key_of(const reported_incident& incident,
                                                                   const world_spec& world);

/// Replays the recording once more and counts: the whole, and for each of the `chosen` incidents its key, with what was
/// expected of it then. Only now it is known which keys have incidents; the engine judges as before, so that
/// expectation and guard are exact. Memory: at most `points` buckets for each chosen incident and each monitor. A key
/// is watched only near its incident. `step` is called after each block; false ends the pass early.
io::result<recorded_counts> count_again(const io::config& config, const recorded_input& input,
                                        const incident_book& book, const std::vector<std::size_t>& chosen,
                                        time_ms judged_through, const std::function<bool(recording&)>& step);

} // namespace tocsin::tools
