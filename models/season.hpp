#pragma once

#include <array>
#include <cstdint>

namespace tocsin {

/// DESCRIPTION
/// The shape of a week: 24 hours of weekdays and 24 hours of weekends, 48 cells. The factor of a moment is interpolated
/// linearly between the centres of the two nearest cells; the factor of a cell is learned as a discounted ratio and
/// shrunk towards a prior factor s' with k pseudo-failures:
///
///     s_c = (A_c + k s') / (B_c + k)        A_c: failures, B_c: failures expected at the key's level
///
/// (gamma-Poisson with discounting: Harrison and West, "Bayesian Forecasting and Dynamic Models", 2nd ed. 1997, ch.
/// 10).
///
/// IMPLEMENTATION DECISIONS
/// 48 cells and not 168: a week of 168 cells takes four times as long to learn, and most streams differ only between
/// weekdays and weekends. Ticks of an hour or more are not interpolated: they would mix cells that no tick ever learns.
inline constexpr std::uint32_t season_cells = 48;
/// Visits (hours learned) after which half of what a cell knew is forgotten.
inline constexpr double season_half_life = 15;
/// Pseudo-failures of the prior of a cell.
inline constexpr double season_strength = 50;

/// Between which cells a moment lies.
struct season_position {
  std::uint8_t cell = 0;   ///< that holds the moment, 0 .. 47
  std::uint8_t first = 0;  ///< cell whose centre lies before it
  std::uint8_t second = 0; ///< and behind it
  double second_share = 0; ///< weight of `second`, in [0, 1)

  /// a (1 - share) + b share.
  double between(double first_value, double second_value) const {
    return (1 - second_share) * first_value + second_share * second_value;
  }
};

/// The cell of a moment in local time, milliseconds since 1970-01-01T00:00 (a Thursday).
std::uint32_t season_cell(std::int64_t local_ms);
/// The same hour of the other kind of day.
constexpr std::uint32_t other_day(std::uint32_t cell) {
  return (cell + 24) % season_cells;
}
/// Where a tick of `tick_ms` that begins at `local_ms` lies: judged by its middle.
season_position season_at(std::int64_t local_ms, std::int64_t tick_ms);

/// What one key has learned about its week. A value.
struct season_table {
  std::array<float, season_cells> failures{};
  std::array<float, season_cells> expected{};

  /// s_c towards `prior`, which is worth `strength` > 0 failures.
  double factor(std::uint32_t cell, double prior, double strength = season_strength) const;
  /// One hour in `cell`: `failed` failures where the level alone expected `expected_failures`.
  void learn(std::uint32_t cell, double failed, double expected_failures);
};

} // namespace tocsin
