#pragma once

#include <cstdint>

namespace tocsin {

/// DESCRIPTION
/// Mean and standard deviation of a series that forgets: with keep in [0, 1),
///
///     W <- keep * W + 1;   mean <- mean + (x - mean) / W;   Q <- keep * Q + (x - old mean) * (x - new mean)
///     deviation = sqrt(Q / W)
///
/// With keep = (H - 1) / (H + 1) the mean has the same variance, and its values the same mean age, as the plain mean of
/// the last H values. Sources: West, "Updating mean and variance estimates", Communications of the ACM 22(9), 1979;
/// Roberts, "Control chart tests based on geometric moving averages", Technometrics 1(3), 1959 (span H of an
/// exponentially weighted mean).
///
/// IMPLEMENTATION DECISIONS
/// Four numbers instead of a list of H values. The squares are about the mean, not about zero, so that small deviations
/// of a large mean are not lost. Until the weights add up, W makes it the plain mean of what there is. Value; total for
/// finite x: no result is NaN, infinite or negative.
struct moving_moments {
  double weight = 0; ///< W: how many values the mean stands on
  double mean = 0;
  double squares = 0;     ///< Q
  std::uint32_t seen = 0; ///< values learned, at most 2^32 - 1

  void learn(double x, double keep);
  double deviation() const;

  /// The `keep` that is equivalent to the last `history` values.
  static double keep_of(std::int64_t history);
};

/// DESCRIPTION
/// By how many standard deviations the rate failed / total of a window lies above the mean of a history of windows. The
/// deviation is that of the history, but not less than chance alone gives a window of `total` events:
///
///     z = (failed / total - mean) / max(deviation, sqrt(m (1 - m) / total)),   m = (mean N + 1/2) / (N + 1),
///
/// N = W total. m is the mean with half a failure more, as if every window of the history had had as many events as
/// this one, so that a spotless history has no deviation of zero. 0 for a window without events.
double window_z_score(std::int64_t failed, std::int64_t total, const moving_moments& history);

} // namespace tocsin
