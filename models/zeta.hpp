#pragma once

#include "models/likelihood_ratio.hpp"

namespace tocsin {

/// DESCRIPTION
/// How much more evidence a test may start with, so that it spends its whole budget of false alarms.
///
/// A Shiryaev-Roberts component that starts mass w a second and alarms at 1 raises at most w false alarms a second.
/// It raises fewer, zeta_j(mu) w, because the evidence jumps beyond 1 when it crosses: the more so the farther the
/// alternative theta_j and the more failures mu are expected a tick. Dividing the start mass by zeta_j(mu) spends what
/// was lost (`mixture.hpp`, calibrated mode; strict mode takes weights of 1).
///
/// IMPLEMENTATION DECISIONS
/// zeta is simulated for mu = 0.01, 0.03, 0.1, ... 10 by `bench/zeta_table.cpp`, whose output `zeta_table.inc` is.
/// ln zeta is interpolated linearly in ln mu; outside, the nearest end counts. A floor of 0.05 keeps the weights from
/// growing to where a small error of the null rate would cost much: what is below cannot be told apart from 0 by
/// a simulation of reasonable length, and these components gain little.
///
/// A look-up reads the nearest of 16 rows an octave, found by the exponent and the first four bits of the fraction of
/// mu: no logarithm in the hot path. Neighbouring rows differ by a few percent.

/// 1 / zeta_j(mu) for each alternative, mu the failures expected in a tick with events. Any mu: below 0.01, and NaN,
/// counts as 0.01, above 10 as 10.
const per_alternative& start_weights(double expected_failures_a_tick);

/// The smallest zeta; the largest weight is its reciprocal.
inline constexpr double zeta_floor = 0.05;

} // namespace tocsin
