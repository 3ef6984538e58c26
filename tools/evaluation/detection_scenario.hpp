#pragma once

#include "tools/evaluation/competitor.hpp"
#include "tools/evaluation/planted_run.hpp"
#include "tools/evaluation/suite.hpp"

#include <string>
#include <vector>

namespace tocsin::evaluation {

/// A scenario of the suite `detection`: independent streams, each a world of its own, or (fleet) the keys of one world.
struct detection_scenario {
  std::string name;
  std::string about;
  stream_shape shape;
  std::vector<outage> outages; ///< of a fleet: one a class of volume
  std::size_t streams = 20;
  time_ms warm_up = 28 * day_ms;
  time_ms measured = 60 * day_ms; ///< after the warm-up
  time_ms gap = day_ms;           ///< mean time between the trials of a stream
  double rate_spread = 0.2;       ///< standard deviation of the logarithm of a stream's own base rate
  double phase_spread = 0.6;      ///< of the daily season's phase, in radians
  double target = 1.0 / 30;       ///< false alarms a key-day, at which methods are compared
  bool fleet = false;
  gate_spec gates; ///< of the monitor
  window_choice windows;
};
const std::vector<detection_scenario>& detection_scenario_list();

/// One world of a scenario with everything but detectors.
struct scenario_world {
  run_plan plan;
  double base_rate = 0; ///< that a user would name
  std::size_t keys = 1;
};
scenario_world make_world(const detection_scenario& scenario, std::uint64_t seed, std::size_t number, std::size_t keys);

/// Mean events a day of a stream.
double events_a_day(const noisy_stream& stream);

/// Measures one scenario; adds its tables.
void run_scenario(const detection_scenario& scenario, const suite_options& options, report& out);

} // namespace tocsin::evaluation
