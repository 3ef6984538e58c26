#pragma once

#include <cstdint>

namespace tocsin {

/// DESCRIPTION
/// Upper tail probabilities of counts, and an interval for a rate.
///
///     binomial:  P(X >= k) = sum over i in k..n of C(n, i) p^i (1-p)^(n-i) = I_p(k, n-k+1)
///     Poisson:   P(X >= k) = sum over i >= k of e^-m m^i / i!              = P(k, m)
///
/// with the regularized incomplete beta and gamma functions I and P. The Jeffreys interval for e failures among
/// n events runs between the quantiles (1-c)/2 and (1+c)/2 of Beta(e + 1/2, n - e + 1/2), c the coverage; its
/// low end is 0 if e = 0 and its high end is 1 if e = n (Brown, Cai, DasGupta, "Interval estimation for a
/// binomial proportion", Statistical Science 16(2), 2001).
///
/// IMPLEMENTATION DECISIONS
/// Everything is computed in logarithms with the saddle-point form of the probability mass, which cancels
/// nothing (Loader, "Fast and accurate computation of binomial probabilities", 2000), times a continued
/// fraction (DLMF 8.17.22 and 8.9.2) or power series (DLMF 8.7.1) on the side where the tail is the smaller one. Where
/// the variance is above 1e7 and these would take thousands of terms, the uniform expansion with one correction term
/// replaces them (Temme, "Special Functions", Wiley 1996, sections 11.2 and 11.3); its relative error is below 1 /
/// variance. Eigen's betainc and igamma were tried first: their error grows with n (lgamma differences cancel) and
/// their loops stop before they converge near the mean of large counts.
///
/// Relative error of a tail T: below 1e-13 (1 + |ln T|) up to variance 1e7, below 1 / variance above. The tails fall in
/// k up to that error. Counts above 2^53 are rounded to doubles.
///
/// Total functions: negative counts count as 0; p is clamped to [0, 1] and the mean to [0, 1e18]. If p or the mean is
/// NaN, every possible count has probability 1, so that nothing looks surprising.

/// P(X >= failures) for X ~ Binomial(total, p); 0 below the smallest double.
double binomial_upper_tail(std::int64_t failures, std::int64_t total, double p);

/// Natural logarithm of the same, accurate where the tail itself underflows. The logarithm of 0 is
/// `std::numeric_limits<double>::lowest()`.
double log_binomial_upper_tail(std::int64_t failures, std::int64_t total, double p);

/// P(X >= count) for X ~ Poisson(mean).
double poisson_upper_tail(std::int64_t count, double mean);
double log_poisson_upper_tail(std::int64_t count, double mean);

struct interval {
  double low = 0;
  double high = 1;
};

/// Jeffreys interval of the failure rate; [0, 1] without events. `failed` is clamped to [0, total], `coverage` to
/// [0, 1 - 1e-12]; NaN counts as 0.95.
interval jeffreys_interval(std::int64_t failed, std::int64_t total, double coverage = 0.95);

} // namespace tocsin
