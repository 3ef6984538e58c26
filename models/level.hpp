#pragma once

namespace tocsin {

/// DESCRIPTION
/// The failure rate of a key without its season: a discounted gamma-Poisson level whose prior is the parent's,
///
///     level = (a + a0) / (b + a0 / m)        a <- d a + e~,   b <- d b + sum n_i s(t_i),   d = 2^(-1h/7d)
///
/// a: failures, b: exposure (events times season), m: the parent's level, a0: the prior's strength in failures
/// (Harrison and West, "Bayesian Forecasting and Dynamic Models", 2nd ed. 1997, ch. 10). Without events of its own a
/// key has its parent's level. The relative variance of the level is 1 / (a + a0).
///
/// Rare failures are remembered longer: a level forgets no faster than ln level can drift by itself, with variance q an
/// hour, and never slower than with a half-life of 56 days,
///
///     d = min(2^(-1h/56d), max(2^(-1h/7d), 1 / (1 + a q)))
///
/// (1/a <- 1/a + q is the variance of a random walk.) At 0.4 failures a day this keeps 11 failures instead of 4; from
/// 30 failures on nothing changes.
///
/// IMPLEMENTATION DECISIONS
/// Floats: 8 bytes a key. What is forgotten is forgotten when the key is seen again, by the hours that have passed.
inline constexpr double level_half_life_hours = 168;
inline constexpr double longest_level_half_life_hours = 8 * 168;
inline constexpr double level_drift = 1.375e-4; ///< q: 5.7 % a day, 31 % a month
inline constexpr double default_level_strength = 4;

/// A value.
struct learned_level {
  float failures = 0; ///< a
  float exposure = 0; ///< b

  /// The level under a parent's level `parent` > 0, with a prior of `strength` > 0 failures.
  double rate(double parent, double strength) const {
    return (static_cast<double>(failures) + strength) / (static_cast<double>(exposure) + strength / parent);
  }
  double variance(double strength) const { return 1 / (static_cast<double>(failures) + strength); }
  void forget(double kept) {
    failures = static_cast<float>(static_cast<double>(failures) * kept);
    exposure = static_cast<float>(static_cast<double>(exposure) * kept);
  }
  void learn(double failed, double events_in_season) {
    failures = static_cast<float>(static_cast<double>(failures) + failed);
    exposure = static_cast<float>(static_cast<double>(exposure) + events_in_season);
  }
};

/// 2^(-hours / 168): what a level keeps over so many hours.
double level_kept(double hours);

/// What a level that knows so many failures keeps.
double level_kept(double hours, double failures);

} // namespace tocsin
