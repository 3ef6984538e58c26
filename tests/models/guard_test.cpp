#include "models/guard.hpp"

#include <doctest/doctest.h>

#include <cmath>
#include <initializer_list>
#include <limits>

using namespace tocsin;

TEST_CASE("the guard is 1.25 v, or what the worst of many hours makes of it where counts resolve it") {
  CHECK(guard_exponent({0.04, 0, 720}) == doctest::Approx(0.25));
  CHECK(guard_exponent({0.04, 4, 720}) == doctest::Approx(0.25)); // 1/sqrt(4) hides the noise
  const auto resolved = 0.85 * std::sqrt(2 * std::log(720.0)) * (0.2 - 0.01);
  CHECK(guard_exponent({0.04, 1e4, 720}) == doctest::Approx(resolved));
  CHECK(resolved > 0.25);
}

TEST_CASE("the guard grows with uncertainty, traffic and patience") {
  auto last = 0.0;
  for (auto v = 0.0; v < 2; v += 0.01) {
    const auto now = guard_exponent({v * v, 100, 720});
    CHECK(now >= last);
    CHECK(now >= 1.25 * v - 1e-12);
    last = now;
  }
  last = 0;
  for (auto m = 0.01; m < 1e9; m *= 2) {
    const auto now = guard_exponent({0.09, m, 720});
    CHECK(now >= last);
    last = now;
  }
  last = 0;
  for (auto hours = 0.001; hours < 1e15; hours *= 2) {
    const auto now = guard_exponent({0.09, 1e5, hours});
    CHECK(now >= last);
    last = now;
  }
}

TEST_CASE("guarded rates stay rates at the extremes") {
  const auto infinite = std::numeric_limits<double>::infinity();
  for (const auto variance : {-1.0, 0.0, 1e-300, 1.0, 1e300, infinite})
    for (const auto failures : {0.0, 1e-300, 1.0, 1e300, infinite})
      for (const auto hours : {0.0, 1e-9, 1.0, 1e300, infinite}) {
        const auto g = guard_exponent({variance, failures, hours});
        CHECK(g >= 0);
        CHECK(g <= 5);
        for (const auto rate : {0.0, 1e-300, 1e-6, 0.5, 0.9, 1.0}) {
          const auto p = guarded_rate(rate, g);
          CHECK(p >= 1e-6);
          CHECK(p <= 0.9);
        }
      }
  CHECK(guarded_rate(0.01, 0) == doctest::Approx(0.01));
  CHECK(guarded_rate(0.01, std::log(2.0)) == doctest::Approx(0.02));
}
