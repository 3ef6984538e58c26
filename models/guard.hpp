#pragma once

namespace tocsin {

/// DESCRIPTION
/// We do not test "the rate is p0", which is never quite true, but "the rate is at most p~": the baseline raised by
/// what it may be wrong. With v^2 the variance of ln p0, M_eff the effective number of failures expected in an hour and
/// L = ln(T / 1 h), T the mean time between false alarms that the key's budget allows,
///
///     p~ = p0 exp(g),    g = max(1.25 v, 0.85 sqrt(2 L) (v - 1 / sqrt(M_eff)))
///
/// The second term matters where counts resolve the slow noise: then the worst of T/1h independent hours decides, whose
/// size is about sqrt(2 L) standard deviations. `M_eff` = expected failures an hour / phi, phi = 1 + kappa x mean
/// expected failures of a tick with events.
///
/// IMPLEMENTATION DECISIONS
/// The constants come from the reference simulation (docs/quality.md); without the second term keys of 5 % and more at
/// one event a second raised 3 to 16 times the allowed number of false alarms.
struct guard_input {
  double variance = 0;             ///< v^2
  double failures_an_hour = 0;     ///< M_eff; 0 where nothing is known yet
  double hours_between_alarms = 0; ///< T / 1 h
};

/// g, in [0, 5].
double guard_exponent(const guard_input& in);
/// p0 exp(g), in [1e-6, 0.9].
double guarded_rate(double rate, double exponent);

} // namespace tocsin
