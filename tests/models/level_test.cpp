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
