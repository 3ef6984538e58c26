#pragma once

#include "models/likelihood_ratio.hpp"

namespace tocsin {

/// DESCRIPTION
/// How much more evidence a test may start with, so that it spends its whole budget of false alarms.
///
/// A Shiryaev-Roberts component that starts mass w a second and alarms at 1 raises at most w false alarms a second.
/// It raises fewer, zeta w, because the evidence jumps beyond 1 when it crosses: the more so the higher the rate ratio
/// rho of its alternative and the more failures mu are expected a tick. Dividing the start mass by zeta(mu, rho_j)
/// spends what was lost (`mixture.hpp`, calibrated mode; strict mode takes weights of 1).
///
/// IMPLEMENTATION DECISIONS
/// zeta is simulated for Poisson failures, mu = 0.01, 0.03, 0.1, ... 10 and rate ratios of 1.3, 1.7, ... 250 by
/// `bench/zeta_table.cpp`, whose output is `zeta_table.inc`. ln zeta is interpolated linearly in ln mu and ln rho,
/// between rho = 1, where zeta = 1, and 250. A floor of 0.05 keeps the weights from growing to where a small error of
/// the null rate would cost much; a simulation of reasonable length tells nothing below, and these components gain
/// little.
///
/// One failure multiplies the evidence by rho_j = theta_j / (1 + p (theta_j - 1)), not by the odds ratio theta_j: at a
/// rate p of 20 %, 250 times the odds are 4.9 times the rate. Weights of theta_j would be far too high there (ten
/// events a tick at 20 %: 3.1 times the nominal false alarms, against 0.7 with rho_j).
///
/// A look-up reads the nearest of four rows an octave of mu and of p, found by the exponents and the first bits of the
/// fractions: no logarithm in the hot path.

/// 1 / zeta(mu, rho_j) for each alternative, mu the failures expected in a tick with events, at the null rate p. Any
/// input: mu below 0.01, and NaN, counts as 0.01, above 10 as 10; rates up to 0.001, and NaN, as 0, above 0.95 as 0.95.
const per_alternative& start_weights(double expected_failures_a_tick, double rate = 0);

/// Weights of 1: strict mode.
const per_alternative& strict_weights();

/// The smallest zeta; the largest weight is its reciprocal.
inline constexpr double zeta_floor = 0.05;

} // namespace tocsin
