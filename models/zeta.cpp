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

constexpr double lowest_rate = 1e-3; // below, even 250 times the odds are nearly 250 times the rate
constexpr double highest_rate = 0.95;

// A double's exponent and the first two bits of its fraction: four rows an octave.
constexpr int row_shift = 50;

std::uint64_t row_number(double value) {
  std::uint64_t bits = 0;
  std::memcpy(&bits, &value, sizeof bits);
  return bits >> row_shift;
}

double middle_of_row(std::uint64_t row) {
  const auto bits = (row << row_shift) | (std::uint64_t{1} << (row_shift - 1));
  double value = 0;
  std::memcpy(&value, &bits, sizeof value);
  return value;
}

// ln zeta of the table for each theta, at any mean.
per_alternative log_zetas(double mean) {
  const auto clamped = std::clamp(mean, lowest_mean, highest_mean);
  std::size_t above = 1;
  while (above + 1 < std::size(table) && table[above].mean < clamped)
    ++above;
  const auto& a = table[above - 1];
  const auto& b = table[above];
  const auto share = std::log(clamped / a.mean) / std::log(b.mean / a.mean);
  const auto row = [](const table_row& r) { return per_alternative(Eigen::Map<const per_alternative>(r.zeta).log()); };
  return (1 - share) * row(a) + share * row(b);
}

// The same at the rate ratio rho, between rho = 1 with zeta = 1 and the largest theta.
double log_zeta(const per_alternative& logs, double rho) {
  auto low_theta = 1.0;
  auto low = 0.0;
  for (Eigen::Index j = 0; j < alternatives; ++j) {
    const auto theta = odds_ratios()[j];
    if (rho <= theta) {
      const auto share = std::log(rho / low_theta) / std::log(theta / low_theta);
      return (1 - share) * low + share * logs[j];
    }
    low_theta = theta;
    low = logs[j];
  }
  return low;
}

// A row of weights for each pair of a mean and a rate, the rate running faster.
struct weight_table {
  std::uint64_t first_mean = row_number(lowest_mean);
  std::uint64_t first_rate = row_number(lowest_rate);
  std::uint64_t rates = row_number(highest_rate) - first_rate + 1;
  std::vector<per_alternative, Eigen::aligned_allocator<per_alternative>> rows;

  weight_table() {
    for (auto mean = first_mean; mean <= row_number(highest_mean); ++mean) {
      const auto logs = log_zetas(middle_of_row(mean));
      for (auto rate = first_rate; rate < first_rate + rates; ++rate)
        rows.push_back(weights(logs, rate == first_rate ? 0 : middle_of_row(rate)));
    }
  }

  static per_alternative weights(const per_alternative& logs, double rate) {
    per_alternative result;
    for (Eigen::Index j = 0; j < alternatives; ++j) {
      const auto theta = odds_ratios()[j];
      const auto zeta = std::exp(log_zeta(logs, theta / (1 + rate * (theta - 1))));
      result[j] = 1 / std::clamp(zeta, zeta_floor, 1.0);
    }
    return result;
  }
};

} // namespace

const per_alternative& start_weights(double expected_failures_a_tick, double rate) {
  // Built when first used, since it needs the odds ratios of another file.
  static const weight_table table_of_weights;
  const auto mean =
      expected_failures_a_tick > lowest_mean ? std::min(expected_failures_a_tick, highest_mean) : lowest_mean;
  const auto p = rate > lowest_rate ? std::min(rate, highest_rate) : lowest_rate;
  const auto row = row_number(mean) - table_of_weights.first_mean;
  return table_of_weights.rows[row * table_of_weights.rates + row_number(p) - table_of_weights.first_rate];
}

const per_alternative& strict_weights() {
  static const per_alternative ones = per_alternative::Ones();
  return ones;
}

} // namespace tocsin
