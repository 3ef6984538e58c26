#pragma once

#include <cstdint>

namespace tocsin {

/// DESCRIPTION
/// Decides that an incident is over: a test of "the rate is still at p_res or above" against "it is back at p0".
///
///     p_res = p0 + (observed - p0) / 2, at least 1.3 p0, at most 0.9
///     R <- max(1, R) L,   L = the likelihood ratio of p0 against p_res (`likelihood_ratio.hpp`)
///
/// R is a CUSUM: evidence that the rate has fallen at some time past. While the rate is still p_res, each start reaches
/// R >= 100 with a chance of at most 1 % (Ville), and higher rates make it smaller.
///
/// When an incident has lasted so long that its rate may be the new normal, R decides that too: R = 1, nothing speaks
/// for the end, and the rate is accepted; R >= 10, and it is over. In between the test goes on. Sparse keys need this:
/// at 20 events a day the 30 events that take R to 100 do not come in three days, and what began as 4 failures of 18
/// would become the normal rate after 60 events without a failure.
///
/// IMPLEMENTATION DECISIONS
/// Half way between normal and observed: a third would resolve later, two thirds would resolve while the incident
/// lasts. R starts over at 1 rather than 0, since an incident may end at any moment.

/// p_res. NaN of either rate gives the same as observed = p0; rates are clamped to [1e-9, 0.9].
double resolve_rate(double expected, double observed);

/// Value; owned by the open incident of a key. Total: see `log_likelihood_ratio`.
class resolve_test {
public:
  /// Evidence at which the caller resolves.
  static constexpr double threshold = 100;
  /// The same once the incident has lasted so long that it ends one way or the other.
  static constexpr double late_threshold = 10;

  /// Takes the counts of a tick into account. `bound` is p_res, which may move as the incident is observed longer.
  void observe(std::int64_t total, std::int64_t failed, double expected, double bound, double dispersion);

  /// The same for any likelihood ratio of "back to normal" against "half way"; NaN counts as 0.
  void observe(double log_ratio);

  /// max(1, R), at most 1e12.
  double evidence() const { return evidence_; }

  void reset() { evidence_ = 1; }

  /// Takes over stored evidence. Refuses (false, unchanged) what is not between 1 and 1e12.
  bool load(double evidence);

private:
  double evidence_ = 1;
};

static_assert(sizeof(resolve_test) == 8);

} // namespace tocsin
