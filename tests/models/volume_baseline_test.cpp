#include "models/volume_baseline.hpp"

#include <doctest/doctest.h>

#include <cmath>
#include <limits>

using namespace tocsin;

namespace {

constexpr std::int64_t hour = 3'600'000;
constexpr std::int64_t monday = 1462147200000; // 2016-05-02T00:00:00Z
constexpr double tick = 1.0 / 360;

season_position at(std::int64_t t) {
  return season_at(t, 10'000);
}

double by_hour(std::int64_t t) {
  return (t / hour) % 24 < 8 ? 100 : 1000;
}

volume_baseline learned(int hours, double (*of)(std::int64_t)) {
  volume_baseline made;
  for (int h = 0; h < hours; ++h)
    made.learn(monday + h * hour + hour / 2, of(monday + h * hour), 1, tick);
  return made;
}

} // namespace

TEST_CASE("a volume is known after a day, and at weekends after a day of the weekend") {
  CHECK_FALSE(learned(23, by_hour).expected(at(monday + 30 * hour), tick).known);
  const auto day = learned(24, by_hour);
  CHECK(day.has_shape());
  CHECK(day.expected(at(monday + 30 * hour), tick).known);
  CHECK_FALSE(learned(5 * 24 + 10, by_hour).expected(at(monday + 6 * 24 * hour + 12 * hour), tick).known);
  CHECK(learned(6 * 24, by_hour).expected(at(monday + 6 * 24 * hour + 12 * hour), tick).known);
}

TEST_CASE("level times season is the volume of the hour") {
  const auto month = learned(28 * 24, by_hour);
  const auto next = monday + 28 * 24 * hour;
  CHECK(month.expected(at(next + 4 * hour + hour / 2), tick).an_hour == doctest::Approx(100).epsilon(0.03));
  CHECK(month.expected(at(next + 15 * hour + hour / 2), tick).an_hour == doctest::Approx(1000).epsilon(0.03));
  CHECK(month.peak(at(next + 15 * hour)) >= month.expected(at(next + 15 * hour + hour / 2), tick).an_hour);
  CHECK(month.expected(at(next + 15 * hour), tick).variance < learned(48, by_hour).expected(at(next), tick).variance);
}

TEST_CASE("an hour of nothing hardly moves what is expected, a week of half does") {
  auto base = learned(28 * 24, by_hour);
  const auto next = monday + 28 * 24 * hour;
  const auto normal = base.expected(at(next + 12 * hour), tick).an_hour;
  base.learn(next + 12 * hour, 0, 1, tick);
  CHECK(base.expected(at(next + 12 * hour), tick).an_hour > 0.95 * normal);
  for (int h = 13; h < 13 + 7 * 24; ++h)
    base.learn(next + h * hour, by_hour(next + h * hour) / 2, 1, tick);
  CHECK(base.expected(at(next + 12 * hour), tick).an_hour < 0.7 * normal);
}

TEST_CASE("an accepted volume keeps the shape") {
  auto base = learned(28 * 24, by_hour);
  const auto next = monday + 28 * 24 * hour;
  base.accept(0.3);
  CHECK(base.expected(at(next + 4 * hour), tick).an_hour == doctest::Approx(30).epsilon(0.1));
  CHECK(base.expected(at(next + 15 * hour), tick).an_hour == doctest::Approx(300).epsilon(0.05));
  CHECK(base.expected(at(next + 15 * hour), tick).known);
}

TEST_CASE("a volume baseline is finite for any input") {
  volume_baseline base;
  for (const double events : {0.0, 1e18, -1.0, 1e300, std::numeric_limits<double>::infinity()})
    for (int h = 0; h < 40; ++h) {
      base.learn(monday + h * hour, events, h % 2 == 0 ? 1 : 24, tick);
      const auto seen = base.expected(at(monday + h * hour), tick);
      base.observe_tick(h % 3 == 0 ? 0 : std::numeric_limits<std::int64_t>::max(), seen, tick);
      CHECK(std::isfinite(seen.an_hour));
      CHECK(std::isfinite(seen.variance));
      CHECK(std::isfinite(seen.dispersion));
      CHECK(base.is_plausible());
    }
}
