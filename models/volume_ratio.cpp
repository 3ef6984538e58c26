#include "models/volume_ratio.hpp"

#include <algorithm>
#include <cmath>

namespace tocsin {

namespace {

constexpr double highest_mean = 1e18;
constexpr double lowest_dispersion = 1e-12;
constexpr double highest_dispersion = 1000;
constexpr double largest_result = 1e4;

struct share_table {
  per_alternative theta;
  per_alternative log_theta;

  share_table() {
    theta << 0.9, 0.75, 0.6, 0.45, 0.3, 0.15, 0.05, 0.01;
    log_theta = theta.log();
  }
};

const share_table shares;

} // namespace

const per_alternative& volume_shares() {
  return shares.theta;
}

per_alternative log_volume_ratios(std::int64_t count, double expected, double dispersion) {
  if (std::isnan(expected) || std::isnan(dispersion))
    return per_alternative::Zero();
  const auto c = static_cast<double>(std::max<std::int64_t>(count, 0));
  const auto m = std::clamp(expected, 0.0, highest_mean);
  const auto k = std::clamp(dispersion, lowest_dispersion, highest_dispersion);
  // 1 + x = (1 + k theta m) / (1 + k m), from the side on which it is exact.
  const auto k_m = k * m;
  const per_alternative x = k_m / (1 + k_m) * (shares.theta - 1);
  const per_alternative direct = (1 + k_m * shares.theta) / (1 + k_m);
  const per_alternative rounded = 1 + x;
  // x ln(u) / (u - 1) with u = 1 + x rounded is ln(1 + x) without the rounding of u (Kahan).
  const per_alternative near = (rounded < 1).select(x * rounded.log() / (rounded - 1), x);
  const per_alternative log_growth = k_m < 1 ? near : direct.log().eval();
  const per_alternative result = c * shares.log_theta - (1 / k + c) * log_growth;
  return result.max(-largest_result).min(largest_result);
}

double log_volume_ratio(std::int64_t count, double expected, double share, double dispersion) {
  if (std::isnan(expected) || std::isnan(share) || std::isnan(dispersion))
    return 0;
  const auto c = static_cast<double>(std::max<std::int64_t>(count, 0));
  const auto theta = std::clamp(share, 1e-6, 1e6);
  const auto k = std::clamp(dispersion, lowest_dispersion, highest_dispersion);
  const auto k_m = k * std::clamp(expected, 0.0, highest_mean);
  const auto x = k_m / (1 + k_m) * (theta - 1);
  const auto log_growth = k_m < 1 ? std::log1p(x) : std::log((1 + k_m * theta) / (1 + k_m));
  return std::clamp(c * std::log(theta) - (1 / k + c) * log_growth, -largest_result, largest_result);
}

} // namespace tocsin
