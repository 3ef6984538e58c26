#pragma once

namespace tocsin {

/// DESCRIPTION
/// How much more the failures of a key scatter than chance alone explains, at two speeds.
///
/// Dispersion kappa, from tick to tick: Var(e) = mu (1 - p) + kappa mu^2, by discounted moments with a prior,
///
///     kappa = max(1e-4, (sum w [(e - mu)^2 - mu (1 - p)] + K kappa') / (sum w mu^2 + K))      K = 500
///
/// Slow misfit sigma^2, from hour to hour: what the baseline misses of the hourly sums beyond kappa,
///
///     sigma^2 = max(floor, (sum w [(E - M)^2 - M - kappa sum mu_i^2] + K sigma'^2) / (sum w M^2 + K))   K = 2000
///
/// with e, E observed and mu, M expected failures, w discounting weights, kappa' = 0.02 and sigma' = 0.05 the priors.
/// Method of moments for over-dispersed counts: Noufaily et al., "An improved algorithm for outbreak detection in
/// multiple surveillance systems", Statistics in Medicine 32, 2013.
///
/// IMPLEMENTATION DECISIONS
/// Residuals are clipped at 4 standard deviations, so that an outage that begins cannot teach the detector to expect
/// outages. Floats: 16 bytes a key.
inline constexpr double prior_dispersion = 0.02;
inline constexpr double prior_misfit = 0.05 * 0.05;

/// Discounted sums behind kappa. A value.
struct tick_dispersion {
  float excess = 0;  ///< sum w [(e - mu)^2 - mu (1 - p)]
  float squares = 0; ///< sum w mu^2

  double value(double prior = prior_dispersion) const;
  /// One tick with events. `kept`: what is kept of the past, in [0, 1]; `kappa`: the value so far.
  void observe(double failed, double expected, double rate, double kappa, double kept);
};

/// Discounted sums behind sigma^2. A value.
struct hour_misfit {
  float excess = 0;  ///< sum w [(E - M)^2 - M - kappa sum mu^2]
  float squares = 0; ///< sum w M^2

  double value(double prior = prior_misfit, double floor = 0) const;
  /// One hour; `squares_of_ticks` = sum mu_i^2 over its ticks; `misfit`: the value so far.
  void observe(double failed, double expected, double squares_of_ticks, double kappa, double misfit, double kept);
};

} // namespace tocsin
