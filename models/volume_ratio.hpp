#pragma once

#include "models/likelihood_ratio.hpp"

#include <cstdint>

namespace tocsin {

/// DESCRIPTION
/// How much more likely a tick's count of events is if the volume has dropped, for eight depths of the drop: the same
/// as `likelihood_ratio.hpp`, on counts. With count c, expected count m, dispersion k (variance m + k m^2) and share
/// theta_j of the volume that is left,
///
///     ln L_j = c ln theta_j + (1/k + c) ln((1/k + m) / (1/k + theta_j m))      negative binomial, mean theta_j m
///            -> c ln theta_j + m (1 - theta_j)   for k m -> 0                  Poisson
///
/// E[L_j] = 1 if counts are negative binomial with this dispersion, below 1 if they vary less.
///
/// IMPLEMENTATION DECISIONS
/// One form for all k. Taking the Poisson form up to some small k m would be an error: its expectation under the null
/// is exp(k m^2 (1 - theta)^2 / 2), which for large m is beyond any bound at any k m. The second term is -(1/k + c)
/// times the logarithm of 1 + x, x = -k m (1 - theta) / (1 + k m), exact for small x too; dispersions below 1e-12 count
/// as 1e-12.
///
/// Total functions: counts below 0 count as 0, `expected` is clamped to [0, 1e18], the dispersion to [1e-12, 1000],
/// results to [-1e4, 1e4]. If the expectation or the dispersion is NaN, the count tells nothing: ln L = 0.

/// theta: 0.9, 0.75, 0.6, 0.45, 0.3, 0.15, 0.05, 0.01.
const per_alternative& volume_shares();

/// ln L of the count of one tick, for each share.
per_alternative log_volume_ratios(std::int64_t count, double expected, double dispersion);

/// The same for one given share, which may also be above 1; clamped to [1e-6, 1e6].
double log_volume_ratio(std::int64_t count, double expected, double share, double dispersion);

} // namespace tocsin
