// The streams of `tocsin evaluate`: their laws, at fixed seeds. Bounds are four standard deviations unless told.
#include "tools/evaluation/noisy_stream.hpp"

#include <doctest/doctest.h>

#include <cmath>
#include <vector>

using namespace tocsin;
using namespace tocsin::evaluation;

namespace {

/// Neither season nor noise.
stream_shape plain() {
  stream_shape shape;
  shape.volume_daily = shape.volume_noise = 0;
  shape.rate_daily = shape.rate_weekend = 0;
  shape.slow_noise = shape.dispersion = 0;
  return shape;
}

std::vector<stream_tick> ticks_of(const stream_shape& shape, std::size_t count, std::uint64_t seed = 1) {
  noisy_stream stream(shape, seed, evaluation_start);
  std::vector<stream_tick> ticks;
  for (std::size_t i = 0; i < count; ++i)
    ticks.push_back(stream.next());
  return ticks;
}

template <class Value>
double mean_of(const std::vector<stream_tick>& ticks, Value value) {
  double sum = 0;
  for (const auto& tick : ticks)
    sum += value(tick);
  return sum / static_cast<double>(ticks.size());
}

} // namespace

TEST_CASE("volume and failure rate have the means that were asked for") {
  stream_shape shape;
  shape.tick = minute_ms;
  const auto ticks = ticks_of(shape, 28 * 1440);
  // Weekends are 0.85, other days 1.06: one on average. Slow noises of memory 1 h over 672 h have a mean that
  // varies by sqrt(2/672) of their deviation, 10 % and 8 %.
  CHECK(std::abs(mean_of(ticks, [](const auto& t) { return static_cast<double>(t.total); }) / 600 - 1) < 0.022);
  CHECK(std::abs(mean_of(ticks, [](const auto& t) { return t.rate / t.expected_rate; }) - 1) < 0.0175 + 0.0045);
}

TEST_CASE("the season of the failure rate is that of its formula") {
  auto shape = plain();
  shape.tick = hour_ms;
  shape.rate_daily = 0.4;
  shape.rate_weekend = 0.1;
  const auto ticks = ticks_of(shape, 7 * 24);
  const auto season = [](double hour, double weekend) {
    const double h = 6.283185307179586 * hour / 24 - 1;
    return 0.01 * std::exp(0.4 * std::sin(h) + 0.12 * std::sin(2 * h + 0.7) + weekend);
  };
  CHECK(ticks[30].expected_rate == doctest::Approx(season(6, -0.04)));
  CHECK(ticks[5 * 24 + 13].expected_rate == doctest::Approx(season(13, 0.1)));
  CHECK(ticks[30].rate == ticks[30].expected_rate);

  shape.rate_weekend = 0;
  shape.rate_weekly = 0.3;
  const auto weekly = ticks_of(shape, 7 * 24);
  CHECK(weekly[42].expected_rate == doctest::Approx(season(18, 0.3 * std::sin(6.283185307179586 / 4))));
}

TEST_CASE("a deployment shifts the rate for good") {
  auto shape = plain();
  shape.deploy_shift = 1.2;
  shape.deploy_at = evaluation_start + 5 * shape.tick;
  const auto ticks = ticks_of(shape, 10);
  CHECK(ticks[4].rate == doctest::Approx(0.01));
  CHECK(ticks[5].rate == doctest::Approx(0.012));
  CHECK(ticks[9].rate == doctest::Approx(0.012));
}

TEST_CASE("the noise of a tick has the variance kappa") {
  auto shape = plain();
  shape.dispersion = 0.05;
  const auto variance_of = [](const std::vector<stream_tick>& ticks) {
    return mean_of(ticks, [](const auto& t) { return std::pow(t.rate / t.expected_rate - 1, 2); });
  };
  // Fourth central moment of a gamma with mean 1 and variance k: 3 k^2 + 6 k^3.
  CHECK(std::abs(variance_of(ticks_of(shape, 100'000)) - 0.05) < 4 * std::sqrt((2 * 0.0025 + 6 * 0.000125) / 1e5));
  shape.burst_share = 0.02;
  shape.burst_dispersion = 0.5;
  CHECK(std::abs(variance_of(ticks_of(shape, 100'000)) - (0.98 * 0.05 + 0.02 * 0.5)) < 4 * std::sqrt(0.03 / 1e5));
}

TEST_CASE("the slow noise has its deviation and its memory") {
  auto shape = plain();
  shape.tick = minute_ms;
  shape.slow_noise = 0.08;
  shape.slow_memory = 10 * minute_ms;
  std::vector<double> noise;
  for (const auto& tick : ticks_of(shape, 60 * 1440))
    noise.push_back(std::log(tick.rate / tick.expected_rate) + 0.5 * 0.08 * 0.08);
  const auto covariance = [&](std::size_t lag) {
    double sum = 0;
    for (std::size_t i = lag; i < noise.size(); ++i)
      sum += noise[i] * noise[i - lag];
    return sum / static_cast<double>(noise.size() - lag);
  };
  // 8640 memories long: correlations are known to about 1/sqrt(8640).
  CHECK(std::abs(std::sqrt(covariance(0)) - 0.08) < 4 * 0.08 / std::sqrt(2 * 8640.0));
  CHECK(std::abs(covariance(10) / covariance(0) - std::exp(-1)) < 4 / std::sqrt(8640.0));
  CHECK(std::abs(covariance(30) / covariance(0) - std::exp(-3)) < 4 / std::sqrt(8640.0));
}

TEST_CASE("failures are as many as the rate says, and at most 95 %") {
  noisy_stream stream(plain(), 3, evaluation_start);
  double total = 0;
  double failed = 0;
  double capped = 0;
  for (int i = 0; i < 10'000; ++i) {
    const auto tick = stream.next();
    total += static_cast<double>(tick.total);
    failed += static_cast<double>(stream.failures(tick, 0.2));
    capped += static_cast<double>(stream.failures(tick, 7));
  }
  CHECK(std::abs(failed / total - 0.2) < 4 * std::sqrt(0.16 / total));
  CHECK(std::abs(capped / total - 0.95) < 4 * std::sqrt(0.0475 / total));
}

TEST_CASE("a branch keeps volume and noise and draws other failures") {
  noisy_stream trunk({}, 5, evaluation_start);
  for (int i = 0; i < 100; ++i)
    trunk.next();
  auto same = trunk;
  auto branch = trunk;
  branch.branch(99);
  std::int64_t differences = 0;
  for (int i = 0; i < 1000; ++i) {
    const auto tick = trunk.next();
    const auto again = same.next();
    const auto other = branch.next();
    CHECK(tick.total == again.total);
    CHECK(tick.total == other.total);
    CHECK(tick.rate == other.rate);
    const auto failed = trunk.failures(tick, tick.rate);
    CHECK(failed == same.failures(again, again.rate));
    differences += failed != branch.failures(other, other.rate) ? 1 : 0;
  }
  CHECK(differences > 300);
}

TEST_CASE("seeds of other parts are others") {
  CHECK(seed_of({1, 2}) == seed_of({1, 2}));
  CHECK(seed_of({1, 2}) != seed_of({2, 1}));
  CHECK(seed_of({1}) != seed_of({1, 0}));
}
