#include "detectors/judging/effective_counts.hpp"
#include "io/alert_json.hpp"
#include "tests/support/alert_schema.hpp"
#include "tests/support/engine_harness.hpp"

#include <doctest/doctest.h>

#include <cmath>
#include <random>

using namespace tocsin;
using namespace tocsin::test;

namespace {

closed_tick tick_with(double rate, std::int64_t records = 1) {
  closed_tick tick;
  key_counts counts;
  counts.slot = 0;
  counts.total = records * rate_units;
  counts.failed = std::llround(rate * static_cast<double>(counts.total));
  tick.levels = {{counts}};
  return tick;
}

/// A rate with gamma noise of this relative variance.
double noisy(std::mt19937_64& random, double mean, double variance) {
  return std::min(1.0, mean * std::gamma_distribution<double>(1 / variance, variance)(random));
}

world_spec rates_world(detector_spec detector) {
  auto spec = one_monitor(std::move(detector));
  spec.monitors[0].tick = hour_ms;
  spec.monitors[0].levels = {{{}}};
  spec.monitors[0].has_rates = true;
  spec.monitors[0].gates.min_difference = 0;
  return spec;
}

void feed(harness& h, time_ms t, double rate) {
  h.event(t, rate_units, std::llround(rate * static_cast<double>(rate_units)));
}

} // namespace

TEST_CASE("a rate is worth as many events as scatter like it") {
  for (const double kappa : {0.04, 0.2})
    for (const double mean : {2e-5, 0.003, 0.2}) {
      std::mt19937_64 random(3);
      effective_counts scale;
      scale.resize(1);
      double sum = 0;
      for (int i = 0; i < 3000; ++i) {
        auto tick = tick_with(noisy(random, mean, kappa));
        scale.scale(tick);
        if (i >= 1000)
          sum += static_cast<double>(tick.levels[0][0].total) / 2000;
      }
      // Mean and kappa are themselves estimates of 240 ticks, and 1 / estimate is above 1 / truth.
      CHECK(sum == doctest::Approx((1 - mean) / (mean * kappa)).epsilon(0.2));
    }
}

TEST_CASE("effective counts keep the rate, and records of one tick average") {
  effective_counts scale;
  scale.resize(1);
  for (int i = 0; i < 500; ++i) {
    auto tick = tick_with(0.01);
    scale.scale(tick);
  }
  auto three = tick_with(0.04, 3);
  scale.scale(three);
  const auto& counts = three.levels[0][0];
  CHECK(static_cast<double>(counts.failed) / static_cast<double>(counts.total) == doctest::Approx(0.04).epsilon(0.01));
  CHECK(static_cast<double>(counts.total) == doctest::Approx(3 * 99 * 400).epsilon(0.01)); // kappa at its floor
}

TEST_CASE("effective counts are restored exactly, and damage is refused") {
  std::mt19937_64 random(5);
  effective_counts one, other;
  one.resize(1);
  other.resize(1);
  for (int i = 0; i < 50; ++i) {
    auto tick = tick_with(noisy(random, 0.01, 0.3));
    one.scale(tick);
  }
  state_writer out(1);
  one.save(0, out);
  const auto bytes = out.seal();
  state_reader in(bytes);
  REQUIRE(other.load(0, in));
  for (int i = 0; i < 50; ++i) {
    auto a = tick_with(noisy(random, 0.01, 0.3));
    auto b = a;
    one.scale(a);
    other.scale(b);
    CHECK(a.levels[0][0].total == b.levels[0][0].total);
    CHECK(a.levels[0][0].failed == b.levels[0][0].failed);
  }
  state_writer bad(1);
  for (int i = 0; i < 5; ++i)
    bad.f32(-2);
  const auto damaged = bad.seal();
  state_reader from(damaged);
  CHECK_FALSE(other.load(0, from));
}

TEST_CASE("sr_mixture keeps its budget on rates without denominators and finds five times the rate") {
  std::size_t false_alarms = 0, found = 0;
  constexpr int runs = 20;
  for (std::uint64_t seed = 1; seed <= runs; ++seed) {
    harness h(rates_world({"sr_mixture", "sr_mixture", sr_mixture_spec{}}));
    std::mt19937_64 random(seed);
    const auto start = noon + hour_ms;
    const int hours = 28 * 24;
    for (int i = 0; i < hours; ++i)
      feed(h, start + i * hour_ms, noisy(random, 0.0004, 0.15));
    false_alarms += h.of("open", 0).size();
    const auto before = h.of("open", 0).size();
    for (int i = hours; i < hours + 6; ++i)
      feed(h, start + i * hour_ms, noisy(random, 0.002, 0.15));
    h.advance(start + (hours + 6) * hour_ms);
    const auto opened = h.of("open", 0);
    found += opened.size() > before ? 1U : 0U;
    for (const auto& record : opened) {
      CHECK(record.effective);
      CHECK(record.sample_size < 10'000'000);
      CHECK(record.excess_failures >= 3);
      CHECK(schema_violations(io::to_json(record)).empty());
      CHECK(io::describe(record).find("no denominator: it scatters like one of") != std::string::npos);
    }
  }
  CHECK(false_alarms <= runs * 28); // one a day
  CHECK(found >= runs - 1);
  MESSAGE(false_alarms << " false alarms in " << runs * 28 << " days, " << found << " of " << runs << " found");
}

TEST_CASE("threshold and z_score work on rates without denominators") {
  threshold_spec threshold;
  threshold.rate = threshold.resolve_rate = 0.05;
  threshold.window = hour_ms;
  z_score_spec z_score;
  z_score.window = hour_ms;
  z_score.history = 100;
  for (const auto& detector : {detector_spec{"threshold", "threshold", threshold, false},
                               detector_spec{"z_score", "z_score", z_score, false}}) {
    CAPTURE(detector.type);
    harness h(rates_world(detector));
    const auto start = noon + hour_ms;
    for (int i = 0; i < 200; ++i)
      feed(h, start + i * hour_ms, i % 2 == 0 ? 0.009 : 0.011);
    CHECK(h.all.empty());
    for (int i = 200; i < 204; ++i)
      feed(h, start + i * hour_ms, 0.08);
    h.advance(start + 204 * hour_ms);
    REQUIRE(h.of("open", 0).size() == 1);
    CHECK(h.of("open", 0)[0].measured_value == doctest::Approx(0.08).epsilon(0.02));
  }
}
