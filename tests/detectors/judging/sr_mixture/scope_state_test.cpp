#include "detectors/judging/sr_mixture/scope_state.hpp"

#include <doctest/doctest.h>

#include <cmath>
#include <random>

using namespace tocsin;
using namespace tocsin::sr_mixture;

TEST_CASE("the slow misfit of a level is the same however large its keys are") {
  for (const auto expected : {100.0, 1e4, 1e5, 1e7, 1e12}) {
    CAPTURE(expected);
    level_prior prior;
    for (int hour = 0; hour < 2000; ++hour) {
      const auto sd = std::sqrt(expected + 0.01 * expected * expected);
      prior.observe_hour(expected + (hour % 2 == 0 ? sd : -sd), expected, 0, 0);
      prior.fold(1);
    }
    CHECK(prior.misfit() == doctest::Approx(0.01).epsilon(0.02));
  }
}

TEST_CASE("the strength of a level's prior follows how much its keys differ") {
  std::mt19937_64 random(3);
  const auto learned = [&](double variance) {
    level_prior prior;
    for (int key = 0; key < 2000; ++key) {
      const auto rate = variance > 0 ? std::gamma_distribution<double>(1 / variance, variance)(random) : 1;
      prior.observe(static_cast<double>(std::poisson_distribution<int>(20 * rate)(random)), 20, 0);
    }
    prior.fold(1);
    return prior.strength();
  };
  CHECK(level_prior().strength() == 4);
  CHECK(learned(0) == 50);
  CHECK(learned(0.1) == doctest::Approx(10).epsilon(0.2));
  CHECK(learned(0.5) == doctest::Approx(2).epsilon(0.2));
}

TEST_CASE("keys of a level teach the same in any order, at any size") {
  level_prior one, other;
  for (int i = 0; i < 1000; ++i) {
    one.observe(i % 7, 3 + i % 5, 0.0025);
    one.observe_hour(i * 1e9, 1e9 * (i % 13), 1e15, 1);
  }
  for (int i = 999; i >= 0; --i) {
    other.observe(i % 7, 3 + i % 5, 0.0025);
    other.observe_hour(i * 1e9, 1e9 * (i % 13), 1e15, 1);
  }
  one.fold(0.5);
  other.fold(0.5);
  CHECK(one.strength() == other.strength());
  CHECK(one.misfit() == other.misfit());
  CHECK(std::isfinite(one.misfit()));
}

TEST_CASE("classes of traffic are decades of events a day") {
  CHECK(traffic_class(0) == 0);
  CHECK(traffic_class(9.9) == 0);
  CHECK(traffic_class(10) == 1);
  CHECK(traffic_class(9'999'999) == 6);
  CHECK(traffic_class(1e300) == traffic_classes - 1);
}
