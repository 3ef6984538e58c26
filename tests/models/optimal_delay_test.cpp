#include "models/optimal_delay.hpp"

#include <doctest/doctest.h>

#include <cmath>
#include <initializer_list>
#include <limits>

using namespace tocsin;

TEST_CASE("optimal delays agree with the reference table") {
  // Rates, events between false alarms, Lorden's bound and D* in events, rounded to whole ones.
  struct row {
    double p0, p1, gamma, lorden, optimal;
  };
  const row rows[] = {
      {0.01, 0.015, 864'000 * 30.0, 15595, 8332},
      {0.01, 0.02, 864'000 * 30.0, 4362, 2632},
      {0.01, 0.03, 864'000 * 30.0, 1297, 865},
      {0.01, 0.05, 864'000 * 30.0, 413, 300},
      {0.01, 0.10, 864'000 * 30.0, 118, 93},
      {0.01, 0.02, 86'400 * 30.0, 3773, 2044},
      {0.01, 0.04, 86'400 * 30.0, 570, 373},
      {0.01, 0.2, 86'400 * 30.0, 34, 28},
      {0.02, 0.30, 20 * 30.0, 11, 7},
      {0.02, 0.10, 20 * 30.0, 76, 31},
      {0.01, 0.04, 100 * 1000.0, 444, 248},
      {0.01, 0.04, 1000 * 1000.0, 533, 336},
      {0.01, 0.04, 10'000 * 1000.0, 622, 425},
      {0.01, 0.04, 50'000 * 1000.0, 684, 487},
  };
  for (const auto& r : rows) {
    CAPTURE(r.p1);
    CAPTURE(r.gamma);
    CHECK(std::abs(optimal_delay(r.p0, r.p1, r.gamma) - r.optimal) <= 0.5);
    CHECK(std::abs(lorden_delay(r.p0, r.p1, r.gamma) - r.lorden) <= 0.5);
  }
}

TEST_CASE("optimal delays solve their equation for rare and for frequent alarms") {
  const auto p0 = 0.02;
  const auto p1 = 0.3;
  const auto I0 = p0 * std::log(p0 / p1) + (1 - p0) * std::log((1 - p0) / (1 - p1));
  const auto I1 = p1 * std::log(p1 / p0) + (1 - p1) * std::log((1 - p1) / (1 - p0));
  for (const auto h : {0.8, 2.0, 10.0, 50.0}) {
    const auto gamma = (std::expm1(h) - h) / I0;
    CHECK(optimal_delay(p0, p1, gamma) == doctest::Approx((h - 1 + std::exp(-h)) / I1).epsilon(1e-9));
  }
}

TEST_CASE("a change is found the later the smaller it is and the rarer alarms shall be") {
  for (const auto gamma : {1e2, 1e5, 1e9}) {
    CHECK(optimal_delay(0.01, 0.02, gamma) > optimal_delay(0.01, 0.03, gamma));
    CHECK(optimal_delay(0.01, 0.02, 10 * gamma) > optimal_delay(0.01, 0.02, gamma));
    CHECK(optimal_delay(0.01, 0.02, gamma) < lorden_delay(0.01, 0.02, gamma));
  }
}

TEST_CASE("delays are finite and not negative for any input") {
  constexpr auto infinity = std::numeric_limits<double>::infinity();
  constexpr auto not_a_number = std::numeric_limits<double>::quiet_NaN();
  const auto numbers = {-infinity, -1.0, 0.0, 1e-300, 1e-9,     0.01,        0.5,
                        1 - 1e-9,  1.0,  1e5, 1e300,  infinity, not_a_number};
  for (const auto p0 : numbers)
    for (const auto p1 : numbers)
      for (const auto gamma : numbers) {
        CAPTURE(p0);
        CAPTURE(p1);
        CAPTURE(gamma);
        const auto delay = optimal_delay(p0, p1, gamma);
        CHECK((std::isfinite(delay) && delay >= 0));
        const auto bound = lorden_delay(p0, p1, gamma);
        CHECK((std::isfinite(bound) && bound >= 0));
      }
  CHECK(optimal_delay(0.1, 0.1, 1e6) == std::numeric_limits<double>::max());
}
