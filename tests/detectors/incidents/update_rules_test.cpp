// When an open incident is told again: docs/alerts.md, "Life cycle".

#include "tests/support/engine_harness.hpp"

#include <doctest/doctest.h>

#include <string>
#include <vector>

using namespace tocsin;
using namespace tocsin::test;

namespace {

constexpr time_ms tick = 10 * second_ms;

/// Open from 5 % on, back below 2 %; told again by nothing but what a test wants.
world_spec quiet_world() {
  threshold_spec limit;
  limit.rate = 0.05;
  limit.resolve_rate = 0.02;
  limit.window = tick;
  auto spec = one_monitor({"threshold", "t", limit});
  auto& monitor = spec.monitors[0];
  monitor.attributes = false;
  monitor.update_every = 10 * day_ms;
  monitor.severity.major_excess_per_hour = monitor.severity.critical_excess_per_hour = 1e12;
  monitor.severity.critical_rate = 1;
  return spec;
}

std::vector<time_ms> ticks_of(const std::vector<alert>& records) {
  std::vector<time_ms> out;
  for (const auto& a : records)
    out.push_back(a.tick);
  return out;
}

} // namespace

TEST_CASE("an update tells when the impact has doubled or halved since the last record") {
  auto spec = quiet_world();
  harness h(spec);
  std::vector<time_ms> expected;
  double excess = 0, told = 0;
  int doubled = 0, halved = 0;
  for (int i = 0; i < 340; ++i) {
    const auto failed = i < 20 ? 30 : i < 80 ? 100 : 10;
    h.event(noon + i * tick, 100, failed);
    excess += failed - 5.0;
    const auto impact = excess / (i + 1);
    const bool is_twice = impact >= 2 * told, is_half = impact <= told / 2;
    if (!is_twice && !is_half)
      continue;
    if (i > 0) {
      expected.push_back(noon + (i + 1) * tick);
      (is_twice ? doubled : halved) += 1;
    }
    told = impact;
  }
  h.advance(noon + 340 * tick);
  REQUIRE(h.of("open", 0).size() == 1);
  CHECK(ticks_of(h.of("update", 0)) == expected);
  CHECK(doubled >= 1);
  CHECK(halved >= 1);
}

TEST_CASE("an update tells each higher severity in the tick that reaches it") {
  auto spec = quiet_world();
  auto& limits = spec.monitors[0].severity;
  limits.major_excess_per_hour = 50;
  limits.critical_rate = 0.5;
  harness h(spec);
  h.steady(noon, 12, 10, 1); // twice the limit
  // The rate since the onset is 22 of 130 after one more tick, three times the limit; 112 of 220 after ten.
  h.steady(noon + 12 * tick, 10, 10, 10);
  h.advance(noon + 22 * tick);
  REQUIRE(h.of("open", 0).size() == 1);
  CHECK(h.of("open", 0)[0].level_of_harm == severity::warning);
  std::vector<std::pair<time_ms, severity>> rises;
  auto last = severity::warning;
  for (const auto& a : h.of("update", 0))
    if (a.level_of_harm != last) {
      rises.emplace_back(a.tick, a.level_of_harm);
      last = a.level_of_harm;
    }
  CHECK(rises == std::vector<std::pair<time_ms, severity>>{{noon + 13 * tick, severity::major},
                                                           {noon + 22 * tick, severity::critical}});
}

TEST_CASE("an update tells of a quiet incident by the clock alone") {
  auto spec = quiet_world();
  spec.monitors[0].update_every = 30 * minute_ms;
  harness h(spec);
  h.steady(noon, 6 * 120, 100, 10);
  h.advance(noon + 2 * hour_ms);
  REQUIRE(h.of("open", 0).size() == 1);
  std::vector<time_ms> expected;
  for (int i = 1; i <= 3; ++i)
    expected.push_back(h.of("open", 0)[0].tick + i * 30 * minute_ms);
  CHECK(ticks_of(h.of("update", 0)) == expected);
}
