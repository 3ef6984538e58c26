#pragma once

#include "detectors/values/monitor_spec.hpp"

#include <optional>
#include <string>
#include <vector>

namespace tocsin {

/// What an outage of a certain size would take to be found.
struct time_to_detect {
  std::string outage;            ///< `100 %`: so much fails; `x5`: so many times the expected rate
  double rate = 0;               ///< failure rate while it lasts
  std::optional<double> events;  ///< of the key, on average; nothing where the gates keep it quiet for ever
  std::optional<double> seconds; ///< until the deciding tick ends, on average, at the key's own rate of events
};

/// What the time to detect depends on.
struct detectability {
  double expected_rate = 0;
  double guarded_rate = 0;   ///< the greatest rate that the test takes for normal
  double events_an_hour = 0; ///< 0: not known yet
  double alarms_a_day = 0;   ///< the key's share of the budget
};

/// Mean delay of the detector over that of the optimal test that is told both rates, measured on streams of binomial
/// counts (docs/quality.md).
inline constexpr double delay_over_optimum = 1.25;

/// Outages of 100, 50, 20 and 10 %, and of 5 and 2 times the expected rate: those that lie above the guarded rate,
/// largest first.
///
///     events = max(1.25 D*(guarded rate, outage), those that bring the gates' excess failures)
///     seconds = events / rate of events + half a tick
///
/// D* as in models/optimal_delay.hpp, with gamma = events a day / false alarms a day. Against the guarded rate, not the
/// expected one, because that is what the test compares with: the more uncertain a baseline, the later. Dispersion
/// makes real delays longer. The record is written when the watermark has passed: add `holdback` of the world.
std::vector<time_to_detect> times_to_detect(const detectability& key, const gate_spec& gates, time_ms tick);

} // namespace tocsin
