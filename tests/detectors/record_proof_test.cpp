// From the JSON of an alert record alone, everything that sr_mixture said can be computed again.

#include "io/alert_json.hpp"
#include "models/binomial.hpp"
#include "tests/support/engine_harness.hpp"

#include <doctest/doctest.h>
#include <nlohmann/json.hpp>

#include <cmath>
#include <map>
#include <random>

using namespace tocsin;
using namespace tocsin::test;
using nlohmann::json;

namespace {

constexpr time_ms tick = 10 * second_ms;

/// The records of an outage from 1 % to 20 %, with viewers, as the log has them.
std::vector<json> records() {
  sr_mixture_spec settings;
  settings.false_alarms_per_day = 2;
  settings.incidents_per_day = 0.25;
  auto spec = one_monitor({"sr_mixture", "sr_mixture", settings});
  spec.monitors[0].has_viewers = true;
  spec.monitors[0].update_every = 1 * minute_ms;
  spec.monitors[0].gates = {1.5, 0.004, 5};
  harness h(std::move(spec));
  std::mt19937 random(5);
  for (int i = 0; i < 1080; ++i) {
    const auto rate = i < 720 || i >= 780 ? 0.01 : 0.2;
    const auto failed = std::binomial_distribution<std::int64_t>(8, rate)(random);
    for (std::int64_t e = 0; e < 8; ++e)
      h.event(noon + i * tick, 1, e < failed ? 1 : 0, i % 2 == 0 ? "a" : "b", static_cast<std::uint8_t>(random() % 64));
  }
  h.advance(noon + 1090 * tick);
  std::vector<json> out;
  for (const auto& record : h.all)
    out.push_back(json::parse(io::to_json(record)));
  return out;
}

/// Half a unit in the sixth digit.
double rounding(double printed) {
  return printed == 0 ? 0 : 0.5000001 * std::pow(10, std::floor(std::log10(std::abs(printed))) - 5);
}

/// `computed` is a sum, difference, product or ratio of printed numbers: their roundings add up to `slack` (relative).
void check_equal(double computed, double printed, double slack = 1.6e-5) {
  CHECK(std::abs(computed - printed) <= slack * std::abs(printed) + rounding(printed));
}

void check_measurement(const json& r) {
  const double failures = r["failures"], events = r["sample_size"];
  check_equal(failures / events, r["measured_value"], 0);
  const double expected = r["expected_failures"];
  CHECK(std::abs(failures - expected - r["excess_failures"].get<double>()) <=
        rounding(expected) + rounding(r["excess_failures"]));
  const auto range = jeffreys_interval(r["failures"], r["sample_size"]);
  check_equal(range.low, r["interval"][0], 0);
  check_equal(range.high, r["interval"][1], 0);
}

/// The three gates, as at the opening, for so many failures.
bool passes_gates(const json& m, double failures) {
  const double events = m["events_on_open"], rate = failures / events, expected = m["expected_rate_on_open"];
  return rate >= m["min_ratio"].get<double>() * expected && rate - expected >= m["min_difference"].get<double>() &&
         failures - m["expected_failures_on_open"].get<double>() >= m["min_excess_failures"].get<double>();
}

void check_opening(const json& r) {
  const auto& m = r["model"];
  const double evidence = r["evidence"];
  CHECK(evidence >= m["threshold"].get<double>());
  check_equal(evidence / m["budget_per_day"].get<double>(), r["once_in_days"]);
  const auto odds = evidence * m["incidents_per_day"].get<double>() / m["false_alarms_per_day"].get<double>();
  check_equal(odds / (1 + odds), r["confidence"]);
  CHECK(m["min_ratio"] == 1.5);
  CHECK(m["min_difference"] == 0.004);
  CHECK(m["min_excess_failures"] == 5);
  CHECK(passes_gates(m, m["failures_on_open"]));
  CHECK(passes_gates(m, m["capped_failures_on_open"]));
  CHECK(m["capped_failures_on_open"] <= m["failures_on_open"]);
  // The tail depends steeply on the expected rate: its value lies between those at the ends of the rate's rounding.
  const double rate = m["expected_rate_on_open"], tail = m["tail_probability"];
  const std::int64_t failed = m["failures_on_open"], events = m["events_on_open"];
  CHECK(tail > 0);
  CHECK(binomial_upper_tail(failed, events, rate - rounding(rate)) <= tail + rounding(tail));
  CHECK(binomial_upper_tail(failed, events, rate + rounding(rate)) >= tail - rounding(tail));
}

} // namespace

TEST_CASE("proof: each record of sr_mixture can be recomputed from its JSON alone") {
  std::map<std::string, int> kinds;
  for (const auto& r : records()) {
    CAPTURE(r.dump());
    ++kinds[r["kind"]];
    check_measurement(r);
    if (r["status"] != "open")
      continue;
    check_opening(r);
    if (r["kind"] != "open")
      continue;
    CHECK(r["description"].get<std::string>().find("chance alone would do this ") != std::string::npos);
    const auto& m = r["model"];
    CHECK(m["events_on_open"] == r["sample_size"]);
    CHECK(m["failures_on_open"] == r["failures"]);
    CHECK(m["expected_rate_on_open"] == r["baseline_value"]);
    CHECK(m["expected_failures_on_open"] == r["expected_failures"]);
  }
  CHECK(kinds["open"] > 1);
  CHECK(kinds["update"] > 1);
  CHECK(kinds["resolve"] > 1);
}
