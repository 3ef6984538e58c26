#include "models/season.hpp"

#include <cmath>

namespace tocsin {

namespace {

constexpr std::int64_t hour = 3'600'000;
constexpr std::int64_t day = 24 * hour;

std::int64_t floor_divide(std::int64_t value, std::int64_t by) {
  return value / by - (value % by != 0 && value < 0 ? 1 : 0);
}

} // namespace

std::uint32_t season_cell(std::int64_t local_ms) {
  const auto days = floor_divide(local_ms, day);
  // 1970-01-01 was a Thursday: 0 is Monday.
  const auto day_of_week = days + 3 - 7 * floor_divide(days + 3, 7);
  const auto hour_of_day = floor_divide(local_ms - days * day, hour);
  return static_cast<std::uint32_t>(hour_of_day + (day_of_week >= 5 ? 24 : 0));
}

season_position season_at(std::int64_t local_ms, std::int64_t tick_ms) {
  const auto middle = local_ms + tick_ms / 2;
  season_position at;
  at.cell = static_cast<std::uint8_t>(season_cell(middle));
  at.first = at.second = at.cell;
  if (tick_ms >= hour)
    return at;
  const auto before = middle - hour / 2;
  at.first = static_cast<std::uint8_t>(season_cell(before));
  at.second = static_cast<std::uint8_t>(season_cell(before + hour));
  at.second_share = static_cast<double>(before - floor_divide(before, hour) * hour) / static_cast<double>(hour);
  return at;
}

double season_table::factor(std::uint32_t cell, double prior, double strength) const {
  return (static_cast<double>(failures[cell]) + strength * prior) / (static_cast<double>(expected[cell]) + strength);
}

void season_table::learn(std::uint32_t cell, double failed, double expected_failures) {
  static const double kept = std::exp2(-1 / season_half_life);
  failures[cell] = static_cast<float>(static_cast<double>(failures[cell]) * kept + failed);
  expected[cell] = static_cast<float>(static_cast<double>(expected[cell]) * kept + expected_failures);
}

} // namespace tocsin
