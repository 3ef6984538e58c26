#include "models/season.hpp"

#include <doctest/doctest.h>

#include <cmath>
#include <initializer_list>
#include <limits>

using namespace tocsin;

namespace {

constexpr std::int64_t hour = 3'600'000;
constexpr std::int64_t day = 24 * hour;
constexpr std::int64_t monday = 4 * day; // 1970-01-05

} // namespace

TEST_CASE("an hour's cell is its hour on weekdays and 24 more at weekends") {
  for (std::int64_t d = -21; d < 21; ++d)
    for (std::int64_t h = 0; h < 24; ++h) {
      const auto weekend = ((d % 7) + 7) % 7 >= 5;
      const auto begin = monday + d * day + h * hour;
      const auto expected = static_cast<std::uint32_t>(h + (weekend ? 24 : 0));
      CHECK(season_cell(begin) == expected);
      CHECK(season_cell(begin + hour - 1) == expected);
    }
  CHECK(season_cell(0) == 0);                // Thursday
  CHECK(season_cell(-1) == 23);              // Wednesday night
  CHECK(season_cell(monday - 1) == 24 + 23); // Sunday night
  CHECK(other_day(5) == 29);
  CHECK(other_day(29) == 5);
}

TEST_CASE("a moment lies between the centres of two cells") {
  // A tick of 10 s that begins at 12:29:55 is judged by 12:30:00, the centre of its cell.
  auto at = season_at(monday + 12 * hour + 30 * 60'000 - 5'000, 10'000);
  CHECK(at.cell == 12);
  CHECK(at.first == 12);
  CHECK(at.second == 13);
  CHECK(at.second_share == doctest::Approx(0));
  at = season_at(monday + 13 * hour, 0);
  CHECK(at.first == 12);
  CHECK(at.second == 13);
  CHECK(at.second_share == doctest::Approx(0.5));
  CHECK(at.between(1, 3) == doctest::Approx(2));
  // From Friday night to Saturday morning, and from Sunday to Monday.
  at = season_at(monday + 5 * day, 0);
  CHECK(at.first == 23);
  CHECK(at.second == 24);
  at = season_at(monday + 7 * day - 60'000, 0);
  CHECK(at.first == 24 + 23);
  CHECK(at.second == 0);
  // Ticks of an hour and more are not interpolated.
  for (const auto tick : {hour, day, 7 * day}) {
    at = season_at(monday + 3 * hour, tick);
    CHECK(at.first == at.cell);
    CHECK(at.second == at.cell);
    CHECK(at.second_share == 0);
    CHECK(at.cell == season_cell(monday + 3 * hour + tick / 2));
  }
}

TEST_CASE("the interpolated factor is continuous and its share stays in [0, 1)") {
  season_table table;
  for (std::uint32_t c = 0; c < season_cells; ++c)
    table.learn(c, 100.0 * (1 + c % 5), 200);
  auto before = -1.0;
  for (auto t = -8 * day; t < 8 * day; t += 60'000) {
    const auto at = season_at(t, 10'000);
    REQUIRE(at.second_share >= 0);
    REQUIRE(at.second_share < 1);
    const auto now = at.between(table.factor(at.first, 1), table.factor(at.second, 1));
    if (before >= 0)
      REQUIRE(std::abs(now - before) < 0.04); // at most the step between two cells in 60 minutes
    before = now;
  }
}

TEST_CASE("a cell shrinks to its prior, learns its own factor and forgets half in 15 visits") {
  season_table table;
  CHECK(table.factor(7, 1.7) == doctest::Approx(1.7));
  table.learn(7, 100, 50);
  CHECK(table.factor(7, 1) == doctest::Approx(150.0 / 100));
  CHECK(table.factor(8, 0.3) == doctest::Approx(0.3));
  season_table old = table;
  for (int i = 0; i < 15; ++i)
    old.learn(7, 0, 0);
  CHECK(static_cast<double>(old.failures[7]) == doctest::Approx(50));
  for (int i = 0; i < 200; ++i)
    table.learn(7, 60'000, 20'000);
  CHECK(table.factor(7, 1) == doctest::Approx(3).epsilon(0.001));
  for (int i = 0; i < 200; ++i)
    table.learn(7, 1e18, 1e18);
  CHECK(std::isfinite(table.factor(7, 1)));
}
