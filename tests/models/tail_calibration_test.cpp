#include "models/tail_calibration.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <random>
#include <vector>

using namespace tocsin;

namespace {

constexpr double a_month = 1.0 / 30;

/// `days` quiet days of keys with budget w whose ln S - ln w is exponential with this slope; a day that would have
/// alarmed is no quiet day.
tail_calibration after_days(int days, double slope, double w, std::uint64_t seed) {
  std::mt19937_64 random(seed);
  std::exponential_distribution<double> tail(slope);
  tail_calibration calibration;
  for (int i = 0; i < days; ++i) {
    const auto evidence = w * std::exp(tail(random));
    if (evidence < 1)
      calibration.observe(evidence, w);
  }
  calibration.fold(1);
  return calibration;
}

} // namespace

TEST_CASE("the slope of a known tail is recovered") {
  // About 1/e^slope of 20,000 days exceed u: the standard error of a slope is slope/sqrt(exceedances), truncation
  // doubles it; bounds are 4 such errors.
  for (const auto slope : {0.5, 0.7, 1.0, 1.5}) {
    CAPTURE(slope);
    const auto exceedances = 20'000 * std::exp(-slope);
    const auto seen = after_days(20'000, slope, 1e-4, 11).slope();
    CHECK(std::abs(seen - slope) < 8 * slope / std::sqrt(exceedances));
  }
}

TEST_CASE("a heavier tail raises the threshold by what brings the alarms back to the budget") {
  const auto w = 1e-3;
  const auto slope = 0.6;
  const auto calibration = after_days(50'000, slope, w, 3);
  const auto c = calibration.threshold(w);
  // P(ln S > c) = exp(-slope (c - ln w)) = w where c = -(1/slope - 1) ln w.
  CHECK(c == doctest::Approx((1 - 1 / slope) * std::log(w)).epsilon(0.15));
  CHECK(calibration.threshold(1e-9) == 6);
}

TEST_CASE("the threshold is never lowered and raised by 6 at most") {
  CHECK(tail_calibration().threshold(a_month) == 0);
  CHECK(tail_calibration().slope() == 1);
  for (const auto slope : {0.06, 0.3, 0.9, 1.0, 1.1, 2.0, 10.0})
    for (const int days : {0, 1, 5, 100, 10'000}) {
      const auto calibration = after_days(days, slope, a_month, 7);
      for (const auto w : {0.0, 1e-300, 1e-9, 1e-3, a_month, 1.0, 1e9}) {
        CHECK(calibration.threshold(w) >= 0);
        CHECK(calibration.threshold(w) <= 6);
      }
      CHECK(calibration.is_plausible());
    }
  // A light tail leaves it where it was: exactly at 0.
  CHECK(after_days(10'000, 2, a_month, 7).threshold(a_month) == 0);
}

TEST_CASE("an excursion over many days counts once") {
  // Four days of each five lie within an excursion whose peak has the model's tail: a fifth of the days begin one,
  // which is fewer than the model's e^-1; counted day by day it would be more than twice as many.
  const auto w = 1.0 / 30;
  std::mt19937_64 random(4);
  std::exponential_distribution<double> tail(1);
  tail_calibration by_excursion, by_day;
  for (int i = 0; i < 4000; ++i) {
    const auto peak = w * std::exp(std::fmod(1 + tail(random), -std::log(w)));
    REQUIRE(tail_calibration::goes_on(w * 2.8, w));
    REQUIRE_FALSE(tail_calibration::goes_on(w * 2.7, w));
    by_excursion.pass(w, 4);
    by_excursion.observe(peak, w);
    for (int day = 0; day < 4; ++day)
      by_day.observe(peak, w);
    by_day.observe(w, w);
  }
  by_day.fold(1);
  by_excursion.fold(1);
  CHECK(by_excursion.threshold(w) < 0.1);
  CHECK(by_day.threshold(w) > 0.5);
}

TEST_CASE("days tell the same in any order, folding forgets, and damaged days tell nothing") {
  std::mt19937_64 random(1);
  std::vector<double> days;
  for (int i = 0; i < 1000; ++i)
    days.push_back(a_month * std::exp(static_cast<double>(random() % 3000) / 1000.0));
  tail_calibration one, other;
  for (const auto s : days)
    one.observe(s, a_month);
  std::shuffle(days.begin(), days.end(), random);
  for (const auto s : days)
    other.observe(s, a_month);
  one.fold(1);
  other.fold(1);
  CHECK(one.slope() == other.slope());
  CHECK(one.threshold(1e-4) == other.threshold(1e-4));

  tail_calibration damaged;
  for (const auto s : {0.0, -1.0, std::nan("")})
    for (const auto w : {a_month, 0.0, -1.0, std::nan(""), 0.9})
      damaged.observe(s, w);
  damaged.fold(1);
  CHECK(damaged.slope() == 1);
  for (int i = 0; i < 100; ++i)
    one.fold(0.5);
  CHECK(one.slope() == doctest::Approx(1).epsilon(0.1)); // what is forgotten gives way to the prior
}

TEST_CASE("a calibration is saved and restored exactly") {
  auto one = after_days(500, 0.7, a_month, 9);
  one.observe(0.9, a_month);
  std::vector<double> numbers;
  one.for_each([&](auto& number) { numbers.push_back(static_cast<double>(number)); });
  tail_calibration two;
  std::size_t i = 0;
  two.for_each([&](auto& number) { number = static_cast<std::decay_t<decltype(number)>>(numbers[i++]); });
  CHECK(i == numbers.size());
  CHECK(two.is_plausible());
  one.fold(0.9);
  two.fold(0.9);
  CHECK(one.slope() == two.slope());
  CHECK(one.threshold(1e-3) == two.threshold(1e-3));
}
