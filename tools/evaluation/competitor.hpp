#pragma once

#include "detectors/values/monitor_spec.hpp"

#include <optional>
#include <string>
#include <vector>

namespace tocsin::evaluation {

/// What windowed methods need to know of a scenario: the lengths that suit its traffic.
struct window_choice {
  time_ms window = 5 * minute_ms;       ///< of a rate
  std::int64_t z_history = 2016;        ///< windows
  std::int64_t bucket = 1000;           ///< events, at the root
  time_ms bucket_baseline = 1 * day_ms; ///< of the moving rate
  std::int64_t bucket_min_baseline = 1000;
  std::int64_t min_events = 10; ///< in a window, before a threshold or a burn rate means anything
};

/// One detector with one setting, in a comparison.
struct competitor {
  std::string family;  ///< the row's name
  std::string setting; ///< in words
  detector_spec spec;
  std::optional<double> budget; ///< false alarms a day that it promises
  bool untuned = false;         ///< as a user without false-alarm data sets it
};

/// The methods that are compared: each untuned, then each over a grid of its sensitivity, the most sensitive first.
/// `base_rate`: the failure rate a user would name for the stream; thresholds and objectives are relative to it.
/// `target`: false alarms a day of the whole world; the budgets around it are the grid of `sr_mixture`.
std::vector<competitor> untuned_competitors(const window_choice& windows, time_ms tick, double base_rate,
                                            double target);
std::vector<competitor> competitor_grid(const window_choice& windows, time_ms tick, double base_rate, double target);

/// The types of detectors that are compared, each once.
std::vector<std::string> compared_methods();

/// The specifications, with names that tell them apart.
std::vector<detector_spec> specs_of(const std::vector<competitor>& competitors);

/// Removes competitors whose detector this build does not have; adds a line about each missing type to `skipped`.
void drop_unavailable(std::vector<competitor>& competitors, std::vector<std::string>& skipped);

} // namespace tocsin::evaluation
