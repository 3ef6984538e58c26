#pragma once

#include "models/likelihood_ratio.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <random>

namespace tocsin {

/// The expected failures a tick for which zeta is tabulated.
inline constexpr std::array<double, 7> zeta_means = {0.01, 0.03, 0.1, 0.3, 1, 3, 10};

/// DESCRIPTION
/// zeta_j = false alarms of a Shiryaev-Roberts component over those it was given, for Poisson failures of `mean` a tick
/// and alternatives of theta_j times that mean, in the limit of rare events, where odds ratios are rate ratios:
///
///     M_j <- (M_j + 1/T) theta_j^e exp(-mean (theta_j - 1)),   alarm and M_j <- 0 when M_j >= 1
///
/// T = 20,000 ticks, more below 0.1 failures a tick. Over `spans` times T, the standard error of zeta is about
/// sqrt(zeta / spans).
inline per_alternative simulate_zeta(double mean, std::int64_t spans, std::uint64_t seed) {
  const auto span = 2e4 * std::max(1.0, 0.1 / mean);
  const auto ticks = static_cast<std::int64_t>(span * static_cast<double>(spans));
  const auto no_failure = std::exp(-mean);
  const per_alternative theta = odds_ratios();
  const per_alternative without = (-mean * (theta - 1)).exp();
  std::mt19937_64 random(seed);
  const auto uniform = [&] { return (static_cast<double>(random() >> 11) + 0.5) * 0x1p-53; };
  per_alternative evidence = per_alternative::Zero();
  per_alternative alarms = per_alternative::Zero();
  for (std::int64_t i = 0; i < ticks; ++i) {
    per_alternative ratio = without;
    // Poisson, as the uniform numbers whose product stays above exp(-mean) (Knuth).
    for (auto product = uniform(); product > no_failure; product *= uniform())
      ratio *= theta;
    evidence = (evidence + 1 / span) * ratio;
    const auto alarm = (evidence >= 1).eval();
    alarms += alarm.cast<double>();
    evidence = alarm.select(0.0, evidence);
  }
  return alarms / static_cast<double>(spans);
}

} // namespace tocsin
