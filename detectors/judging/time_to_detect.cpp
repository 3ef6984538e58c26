#include "detectors/judging/time_to_detect.hpp"

#include "detectors/judging/words.hpp"
#include "models/optimal_delay.hpp"

#include <algorithm>
#include <cmath>

namespace tocsin {

namespace {

constexpr double shares[] = {1, 0.5, 0.2, 0.1};
constexpr double multiples[] = {5, 2};
constexpr double near_certain = 0.999; ///< a rate of 1 would make each success impossible
constexpr double most_events = 1e15;

/// Outages that the gates take for harmless, however long they last.
bool is_gated(const gate_spec& gates, double expected, double rate) {
  return rate < gates.min_ratio * expected || rate - expected < gates.min_difference;
}

time_to_detect time_of(std::string outage, double rate, const detectability& key, const gate_spec& gates,
                       time_ms tick) {
  time_to_detect out;
  out.outage = std::move(outage);
  out.rate = rate;
  if (is_gated(gates, key.expected_rate, rate) || !(key.alarms_a_day > 0))
    return out;
  const auto between_alarms = 24 * std::max(key.events_an_hour, 1e-3) / key.alarms_a_day;
  const auto optimum = optimal_delay(key.guarded_rate, std::min(rate, near_certain), std::max(2.0, between_alarms));
  const auto for_gates = gates.min_excess_failures / (rate - key.expected_rate);
  const auto events = std::max({1.0, delay_over_optimum * optimum, for_gates});
  if (!(events < most_events))
    return out;
  out.events = events;
  if (key.events_an_hour > 0)
    out.seconds = events / key.events_an_hour * 3600 + static_cast<double>(tick) / second_ms / 2;
  return out;
}

} // namespace

std::vector<time_to_detect> times_to_detect(const detectability& key, const gate_spec& gates, time_ms tick) {
  std::vector<time_to_detect> out;
  for (const auto rate : shares)
    out.push_back(time_of(in_percent(rate), rate, key, gates, tick));
  for (const auto times : multiples)
    if (times * key.expected_rate <= 1)
      out.push_back(time_of("x" + in_words(times), times * key.expected_rate, key, gates, tick));
  out.erase(
      std::remove_if(out.begin(), out.end(), [&](const time_to_detect& one) { return !(one.rate > key.guarded_rate); }),
      out.end());
  std::stable_sort(out.begin(), out.end(),
                   [](const time_to_detect& a, const time_to_detect& b) { return a.rate > b.rate; });
  return out;
}

} // namespace tocsin
