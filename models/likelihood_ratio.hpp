#pragma once

#include <Eigen/Core>

#include <cstdint>

namespace tocsin {

/// Number of alternatives that are tested side by side.
inline constexpr int alternatives = 8;

/// One number for each alternative.
using per_alternative = Eigen::Array<double, alternatives, 1>;

/// DESCRIPTION
/// How much more likely the counts of a tick are under a raised failure rate than under the null rate.
///
/// n events, e of them failed, null rate p, dispersion k (the failure probability of a tick is p times a random factor
/// of mean 1 and variance k), mu = n p. Alternative j raises the odds by theta_j:
///
///     p_j = p theta_j / (1 + p (theta_j - 1)),   rho_j = p_j / p
///
///     k n (n - 1) d_j^2 <= 0.001:  ln L_j = e ln theta_j - n ln(1 + p (theta_j - 1))                   Bernoulli
///     else, p <= 0.05:             ln L_j = e ln rho_j + (1/k + e) ln((1/k + mu) / (1/k + rho_j mu))   negative
///     binomial else:                        ln L_j = ln B(e + p_j s, n - e + (1 - p_j) s) - ln B(p_j s, (1 - p_j) s)
///                                           - the same at p,   s = max(1/2, (1 - p) / (p k) - 1)       beta-binomial
///
/// with d_j = (p_j - p) / (1 - p). Each is a ratio of two distributions of the same kind, so that E[L_j] = 1 under its
/// own null. A test on such ratios keeps its false alarms within what it was given, whatever the traffic
/// (`mixture.hpp`).
///
/// IMPLEMENTATION DECISIONS
/// Which null the expectations are for: the failures of a tick are Binomial(n, p U), U of mean 1 and variance k.
/// - Negative binomial, U from a gamma distribution: E[L | U] = C (1 + p U (r - 1))^n <= C exp(mu U (r - 1)) for the L
///   that is C r^e, and the mean of the right side is 1. So E[L] <= 1 always, also for p U cut at 1 and for U = 1.
/// - Bernoulli: E[L] = 1 for U = 1. In general it is 1 + k n (n - 1) d_j^2 / 2 + ...; the rule above keeps it below
///   1.0006. A single event, which cannot show dispersion, is always judged by this form, which is exact for it. The
///   simpler rule k mu <= 0.02 keeps nothing: it gives E[L] = 1.51 at n = 2, p = 0.01, k = 1, and 1e6 at n = 1000,
///   p = 0.01, k = 0.001.
/// - Beta-binomial: E[L] = 1 if U comes from a beta distribution. The gamma distribution has heavier tails, and there
///   is no bound for it; `tests/models/mixture_test.cpp` has the false alarms that result.
/// - Trap: a negative binomial whose exposure is shrunk to n ln(1 + p (theta - 1)) / (theta - 1), which would join the
///   first form smoothly, has expectations of up to 1e68.
///
/// This is evaluated for each key and tick with events. Most of them have few events, for which `likelihood_ratios`
/// multiplies: L = (theta/u)^e u^-(n - e) by squaring, the beta-binomial as a product of its n steps; only the
/// alternatives at which dispersion can show take a logarithm and an exponential. Eigen's arrays do the arithmetic; the
/// logarithms are the C library's, which take half the time of Eigen's packets of two doubles. n ln(1 + x) with x = p
/// (theta - 1) keeps its relative accuracy for small x through x ln(u) / (u - 1), u = 1 + x rounded (Kahan): the
/// rounding of u cancels. The beta-binomial needs differences ln Gamma(x + m) - ln Gamma(x), taken as products for m up
/// to 12, else as Stirling's series eight steps up; its absolute error is below 1e-15 (n + s) ln(n + s) + 1e-12.
///
/// Total functions: `total` below 0 counts as 0, `failed` is clamped to [0, total], rates to [1e-9, 0.95], the
/// dispersion to [1e-6, 1000] where it enters, and results to [-1e4, 1e4]. If a rate or the dispersion is NaN, the
/// counts tell nothing: ln L = 0.

/// theta: 1.3, 1.7, 2.5, 4, 8, 20, 60, 250.
const per_alternative& odds_ratios();

/// ln L of the counts of one tick, for each alternative.
per_alternative log_likelihood_ratios(std::int64_t total, std::int64_t failed, double rate, double dispersion);

/// L itself, as exp(log_likelihood_ratios()) to within its rounding, within [e^-600, e^600]: what the judging of a key
/// and tick needs.
per_alternative likelihood_ratios(std::int64_t total, std::int64_t failed, double rate, double dispersion);

/// ln L for one given pair of rates, of which either may be the larger.
double log_likelihood_ratio(std::int64_t total, std::int64_t failed, double null_rate, double alternative_rate,
                            double dispersion);

} // namespace tocsin
