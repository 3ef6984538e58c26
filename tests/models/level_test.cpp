#include "models/level.hpp"

#include <doctest/doctest.h>

#include <cmath>
#include <initializer_list>

using namespace tocsin;

TEST_CASE("a level without events is its parent's, with many its own") {
  learned_level level;
  CHECK(level.rate(0.02, 4) == doctest::Approx(0.02));
  CHECK(level.variance(4) == doctest::Approx(0.25));
  level.learn(4, 100); // as much as the prior, at twice the parent's rate
  CHECK(level.rate(0.02, 4) == doctest::Approx(8.0 / 300));
  CHECK(level.variance(4) == doctest::Approx(1.0 / 8));
  for (int i = 0; i < 1000; ++i)
    level.learn(5, 100);
  CHECK(level.rate(0.02, 4) == doctest::Approx(0.05).epsilon(0.001));
}

TEST_CASE("a level forgets half in a week") {
  learned_level level;
  level.learn(800, 4000);
  for (int i = 0; i < 168; ++i)
    level.forget(level_kept(1));
  CHECK(static_cast<double>(level.failures) == doctest::Approx(400).epsilon(1e-4));
  CHECK(static_cast<double>(level.exposure) == doctest::Approx(2000).epsilon(1e-4));
  CHECK(level_kept(168) == doctest::Approx(0.5));
  CHECK(level_kept(0) == 1);
  level.forget(level_kept(24 * 365 * 30)); // gone, and the parent's again
  CHECK(level.rate(0.3, 4) == doctest::Approx(0.3));
}

TEST_CASE("rare failures are remembered longer, as far as a level can drift") {
  // 0.4 failures a day settle where 1/a grows by q in the time that one failure takes: a = sqrt(rate / q).
  learned_level level;
  const auto an_hour = 0.4 / 24;
  for (int i = 0; i < 24 * 365; ++i) {
    level.forget(level_kept(1, static_cast<double>(level.failures)));
    level.learn(an_hour, an_hour / 0.02);
  }
  CHECK(static_cast<double>(level.failures) == doctest::Approx(std::sqrt(an_hour / level_drift)).epsilon(0.01));
  CHECK(level.rate(0.5, 1e-6) == doctest::Approx(0.02).epsilon(0.01));
  // Many failures: as ever. None: eight weeks.
  CHECK(level_kept(5, 100) == level_kept(5));
  CHECK(level_kept(longest_level_half_life_hours, 0) == doctest::Approx(0.5));
  for (const auto failures : {0.0, 0.1, 1.0, 10.0, 25.0, 30.0, 35.0, 1e30})
    for (const auto hours : {0.0, 1e-3, 1.0, 24.0, 1e6}) {
      CHECK(level_kept(hours, failures) >= level_kept(hours));
      CHECK(level_kept(hours, failures) <= 1);
    }
}

TEST_CASE("levels stay finite and positive at the extremes") {
  for (const auto parent : {1e-6, 0.5, 0.9, 1.0})
    for (const auto failed : {0.0, 1e-9, 1.0, 1e18, 1e30})
      for (const auto exposure : {0.0, 1.0, 1e18, 1e30}) {
        learned_level level;
        level.learn(failed, exposure);
        CHECK(std::isfinite(level.rate(parent, 1)));
        CHECK(level.rate(parent, 1) > 0);
        CHECK(std::isfinite(level.variance(50)));
      }
}
