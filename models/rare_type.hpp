#pragma once

#include "models/mixture.hpp"

#include <cstdint>

namespace tocsin {

/// DESCRIPTION
/// Has something that is rarely or never seen (an error type) become more frequent? Exposure is measured in failures
/// of the scope, of any type. The prior of types is a Dirichlet process: the first failure of a type only
/// names it; from then on its share of the failures is
///
///     share ~ Gamma(a, 1 + X)        a: its failures, X: the scope's failures since the beginning
///
/// both forgetting with the same half-life. So the failures of the next stretch, of exposure x, are negative binomial
/// with mean mu = a x / (1 + X) and dispersion 1/a. Each stretch is tested against this prediction and joins a and X at
/// once: predictions that follow each other are the exact joint distribution, so E[L] = 1 for any number of stretches,
/// and the uncertainty of the share needs no guard. A sighting is two stretches:
///
///     silence:   M_j <- M_j G_j(1) + w mean(G_j),   G_j(u): L_j of no failure in the first part u of it, 0 < u < 1
///     the tick:  M_j <- M_j L_j(n, e)
///
/// with L of models/likelihood_ratio.hpp. What begins during the silence (budget w) meets only what was left of it.
/// The tick in which a type is named is tested without the failure that names it.
///
/// IMPLEMENTATION DECISIONS
/// The first failure must not count: a type is looked at because it failed. A prior that gives each type a rate before
/// it is named would have to know how many types there are.
/// The 1 in 1 + X is the prior of a scope that knows nothing: one type may make all failures.
/// Zipf's law has fewer repetitions than this prior, since the share of a type that was named late is smaller than 1/X:
/// the test spends less than its budget there (tests/models/rare_type_test.cpp has the numbers).
/// The mean of G is the midpoint rule on intervals that shrink by four: G is convex in u, so the rule lies below it,
/// and what is started is never more than the budget. A type that has `common_from` failures or more is not rare: the
/// rates of keys tell, and the share is left alone.
///
/// Value; owned by the state of its scope. Total: NaN and negative numbers count as 0.
class rare_type {
public:
  static constexpr double common_from = 100;

  /// The failure that names the type; `mass`: what its evidence begins with.
  void name(double mass);
  /// `mass`: the type's share of the budget during the silence. `events` of the scope, of which `rate` = what the
  /// type's share makes of the expected failure rate would have been of this type.
  void observe_silence(double mass, std::int64_t events, double rate);
  /// A tick with failures of the type.
  void observe(std::int64_t events, std::int64_t failed, double rate, double dispersion);
  /// What was tested joins the past.
  void learn(double failed);
  /// Keeps this part of the past.
  void forget(double kept);
  /// Whatever is known of its share, it is this.
  void set_failures(double failures);

  double failures() const { return failures_; }
  double evidence() const { return evidence_.sum(); }
  bool is_rare() const { return failures_ < common_from; }
  /// Expected share of the scope's failures, of which there were so many so far.
  double share(double exposure) const { return failures_ / (1 + exposure); }
  /// Relative variance of the share.
  double variance() const;
  /// Nothing of what has gathered counts: an alarm, or a common type.
  void reset() { evidence_.reset(); }

  const shiryaev_roberts_mixture& mixture() const { return evidence_; }
  /// Takes over stored state. Refuses (false, unchanged) what cannot be.
  bool load(double failures, const shiryaev_roberts_mixture::evidence& components);

private:
  double failures_ = 0;
  shiryaev_roberts_mixture evidence_;
};

/// Mean over u in (0, 1) of the likelihood ratios of no failure among the first u of `events`; never above it.
per_alternative mean_ratio_of_silence(std::int64_t events, double rate, double dispersion);

} // namespace tocsin
