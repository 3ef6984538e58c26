#pragma once

#include "detectors/judging/alarm_budget.hpp"
#include "detectors/judging/sr_mixture/key_state.hpp"
#include "models/root_baseline.hpp"
#include "models/tail_calibration.hpp"

#include <vector>

namespace tocsin::sr_mixture {

/// What a key's baseline expects of the tick at hand, and what its children inherit. Rates are fractions.
struct expectation {
  double rate = 0.5; ///< p0 = level x season
  double level = 1;  ///< 1 at the root while it has no shape: then the season is the root's rate itself
  double season = 0.5;
  double root_level = 1;   ///< of the scope's root
  double first_factor = 1; ///< of the cells around the tick
  double second_factor = 1;
  double variance = 1;      ///< v^2 of ln p0
  double inherited = 1;     ///< variance that children share
  double dispersion = 0.02; ///< kappa
  double misfit = 0.0025;   ///< sigma^2
  bool in_shape = false;    ///< the root has a shape
  bool seasonal = false;    ///< the factors are known
};

/// What the keys of one level have in common and a new one begins with, by empirical Bayes. The strength a0 of the
/// level's prior, from how much children differ from their parents:
///
///     1/a0 = sum w [(r - 1)^2 - 1/E] / sum w,     r = a/E, E = b m: failures over those the parent's level expects
///
/// (method of moments for the gamma-Poisson; Clayton and Kaldor, Biometrics 43, 1987), within [1, 50], shrunk to 4 by
/// the weight of 20 keys; and the slow misfit sigma^2 of all keys together, hour by hour: children scatter more than
/// their parents, and a sparse one cannot learn how much. Sums are integers, so that the order of keys does not show.
class level_prior {
public:
  /// The level of a key that has just learned.
  void observe(double failures, double expected_by_parent, double key_misfit);
  /// An hour of a key, as models/dispersion.hpp takes it.
  void observe_hour(double failed, double expected, double squares_of_ticks, double kappa);
  /// Takes over what was observed; `kept`: how much of the past stays.
  void fold(double kept);
  double strength() const { return strength_; }
  double misfit() const { return misfit_; }

  void save(state_writer& out) const;
  bool load(state_reader& in);

private:
  double scatter_ = 0;
  double weight_ = 0;
  std::int64_t new_scatter_ = 0; ///< in 2^-20
  std::int64_t new_weight_ = 0;
  double strength_ = default_level_strength;
  hour_misfit hours_;
  std::int64_t new_excess_ = 0; ///< in 2^-10
  std::int64_t new_squares_ = 0;
  double misfit_ = prior_misfit;
};

/// Classes of traffic: less than 10 events a day, less than 100, ... 10 million and more.
inline constexpr std::size_t traffic_classes = 8;
std::size_t traffic_class(double events_a_day);

/// What the keys of one scope value share; kept with its root key.
struct scope_state {
  root_baseline baseline;
  alarm_budget budget;
  std::vector<level_prior> priors; ///< by level
  /// By level and traffic, `traffic_classes` a level: how the evidence of quiet days has been distributed.
  std::vector<tail_calibration> calibrations;
  /// Makes room for a monitor of so many levels.
  void resize(std::size_t levels);
  // Not saved: what the root expects of tick `seen_in`.
  expectation seen;
  tick_index seen_in = never;

  void save(state_writer& out) const;
  bool load(state_reader& in);
};

} // namespace tocsin::sr_mixture
