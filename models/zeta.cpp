#include "models/zeta.hpp"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <iterator>
#include <vector>

namespace tocsin {

namespace {

struct table_row {
  double mean;
  double zeta[alternatives];
};

constexpr table_row table[] = {
#include "models/zeta_table.inc"
};

constexpr double lowest_mean = table[0].mean;
constexpr double highest_mean = table[std::size(table) - 1].mean;

// A double's exponent and the first four bits of its fraction: 16 rows an octave.
std::uint64_t row_number(double mean) {
  std::uint64_t bits = 0;
  std::memcpy(&bits, &mean, sizeof bits);
  return bits >> 48;
}

double middle_of_row(std::uint64_t row) {
  const auto bits = (row << 48) | (std::uint64_t{1} << 47);
  double mean = 0;
  std::memcpy(&mean, &bits, sizeof mean);
  return mean;
}

per_alternative interpolated_weights(double mean) {
  const auto clamped = std::min(std::max(mean, lowest_mean), highest_mean);
  std::size_t above = 1;
  while (above + 1 < std::size(table) && table[above].mean < clamped)
    ++above;
  const auto& a = table[above - 1];
  const auto& b = table[above];
  const auto share = std::log(clamped / a.mean) / std::log(b.mean / a.mean);
  per_alternative result;
  for (int j = 0; j < alternatives; ++j) {
    const auto log_zeta = (1 - share) * std::log(a.zeta[j]) + share * std::log(b.zeta[j]);
    result[j] = 1 / std::max(zeta_floor, std::exp(log_zeta));
  }
  return result;
}

struct fine_table {
  std::uint64_t first = row_number(lowest_mean);
  std::vector<per_alternative, Eigen::aligned_allocator<per_alternative>> rows;

  fine_table() {
    for (auto row = first; row <= row_number(highest_mean); ++row)
      rows.push_back(interpolated_weights(middle_of_row(row)));
  }
};

const fine_table fine;

} // namespace

const per_alternative& start_weights(double expected_failures_a_tick) {
  if (!(expected_failures_a_tick > lowest_mean))
    return fine.rows.front();
  if (expected_failures_a_tick >= highest_mean)
    return fine.rows.back();
  return fine.rows[row_number(expected_failures_a_tick) - fine.first];
}

} // namespace tocsin
