#include "bench/support/zeta_simulation.hpp"
#include "models/zeta.hpp"

#include <doctest/doctest.h>

#include <cmath>
#include <initializer_list>
#include <limits>

using namespace tocsin;

namespace {

// Two simulations of `spans` and 4,000 spans, both with zeta alarms a span: Poisson.
double standard_error(double zeta, double spans) {
  return std::sqrt(zeta / spans + zeta / 4'000);
}

} // namespace

TEST_CASE("the zeta table agrees with a shorter simulation of other random numbers") {
  constexpr auto spans = 100;
  for (const auto mean : {0.1, 1.0, 10.0}) {
    const auto zeta = simulate_zeta(mean, spans, 4711).max(zeta_floor).eval();
    const per_alternative tabulated = 1 / start_weights(mean);
    for (Eigen::Index j = 0; j < alternatives; ++j) {
      CAPTURE(mean);
      CAPTURE(j);
      // The nearest row is at most 13 % off the mean, for which zeta falls by at most as much.
      const auto bound = 3.5 * standard_error(zeta[j], spans) + 0.13 * tabulated[j];
      CHECK(std::abs(tabulated[j] - zeta[j]) <= bound);
    }
  }
}

TEST_CASE("the zeta table agrees with the published one") {
  struct row {
    double mean;
    double zeta[alternatives];
  };
  const row published[] = {
      {0.01, {.900, .820, .670, .600, .507, .328, .198, .052}}, {0.1, {.932, .855, .705, .557, .355, .172, .070, .05}},
      {0.3, {.935, .787, .550, .465, .247, .05, .05, .05}},     {1, {.845, .627, .430, .260, .055, .05, .05, .05}},
      {3, {.748, .473, .253, .110, .05, .05, .05, .05}},        {10, {.622, .295, .100, .05, .05, .05, .05, .05}}};
  for (const auto& r : published) {
    const per_alternative tabulated = 1 / start_weights(r.mean);
    for (Eigen::Index j = 0; j < alternatives; ++j) {
      CAPTURE(r.mean);
      CAPTURE(j);
      const auto bound = 3.5 * standard_error(r.zeta[j], 400) + 0.13 * tabulated[j];
      CHECK(std::abs(tabulated[j] - r.zeta[j]) <= bound);
    }
  }
}

TEST_CASE("start weights lie between 1 and 20, and change in small steps") {
  for (const auto rate : {0.0, 0.01, 0.2, 0.9})
    for (auto mean = 0.005; mean < 20; mean *= 1.05) {
      const auto& here = start_weights(mean, rate);
      const auto& next = start_weights(mean * 1.05, rate);
      CAPTURE(mean);
      CAPTURE(rate);
      CHECK(here.minCoeff() >= 1);
      CHECK(here.maxCoeff() <= 1 / zeta_floor);
      CHECK((next / here).maxCoeff() <= 1.35);
      CHECK((next / here).minCoeff() >= 0.75);
    }
  // From few to many failures a tick, evidence overshoots more.
  CHECK((start_weights(10) >= start_weights(0.01)).all());
}

TEST_CASE("at high rates start weights follow the ratio of the rates, not of the odds") {
  // At 20 %, 250 times the odds are 4.9 times the rate, and 60 times are 4.7: about as 4 times, or 8, at a low rate.
  const auto& high = start_weights(0.1, 0.2);
  const auto& low = start_weights(0.1, 0);
  for (Eigen::Index j = 0; j < alternatives; ++j)
    CHECK(high[j] <= low[j]);
  CHECK(high[7] < low[4]);
  CHECK(high[7] > low[2]);
  // As good as a rate of 0, from below 0.1 % on.
  CHECK((start_weights(0.1, 1e-4) == low).all());
}

TEST_CASE("start weights exist for any input") {
  constexpr auto infinity = std::numeric_limits<double>::infinity();
  constexpr auto not_a_number = std::numeric_limits<double>::quiet_NaN();
  const auto numbers = {-infinity, -1.0, 0.0, 1e-300, 0.01, 0.95, 1.0, 10.0, 1e300, infinity, not_a_number};
  for (const auto mean : numbers)
    for (const auto rate : numbers) {
      const auto& weights = start_weights(mean, rate);
      CHECK((weights >= 1 && weights <= 1 / zeta_floor).all());
    }
  CHECK(&start_weights(not_a_number) == &start_weights(0.01));
  CHECK(&start_weights(1e-9) == &start_weights(0.01));
  CHECK(&start_weights(1e9) == &start_weights(10));
  CHECK(&start_weights(1, not_a_number) == &start_weights(1, 0));
  CHECK(&start_weights(1, 7) == &start_weights(1, 0.95));
}
