#pragma once

#include <Eigen/Core>

namespace tocsin {

/// DESCRIPTION
/// What an hour teaches, for many keys at once: one row a key. Failures are winsorised before they are learned,
///
///     e~ = min(e, M + 3 sd + 1/2),   sd^2 = M + kappa sum mu_i^2 + sigma^2 M^2
///
/// so that a short outage below the alarm threshold cannot raise the baseline by more than its noise would (Noufaily et
/// al., Statistics in Medicine 32, 2013, down-weight past outbreaks for the same reason).
///
/// IMPLEMENTATION DECISIONS
/// Columns, because most keys of a shard finish their hour in the same tick: the arithmetic is Eigen's over all of
/// them.
struct learning_columns {
  Eigen::ArrayXd failed;     ///< e, of the hour
  Eigen::ArrayXd expected;   ///< M
  Eigen::ArrayXd squares;    ///< sum mu_i^2 over its ticks
  Eigen::ArrayXd dispersion; ///< kappa
  Eigen::ArrayXd misfit;     ///< sigma^2

  Eigen::Index rows() const { return rows_; }
  /// Removes all rows, keeps the memory.
  void clear() { rows_ = 0; }
  void add(double hour_failed, double hour_expected, double squares_of_ticks, double kappa, double sigma_squared);
  /// e~ by row; valid until the next call.
  const Eigen::ArrayXd& robust_failures();

private:
  Eigen::Index rows_ = 0;
  Eigen::ArrayXd robust_;
};

/// The same for one hour.
double robust_failures(double failed, double expected, double squares_of_ticks, double kappa, double sigma_squared);

} // namespace tocsin
