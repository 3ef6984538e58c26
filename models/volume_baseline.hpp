#pragma once

#include "models/dispersion.hpp"
#include "models/season.hpp"

#include <cstdint>

namespace tocsin {

/// What a key's events should be around a moment.
struct volume_forecast {
  double an_hour = 0;                   ///< expected events an hour
  double variance = 1;                  ///< v^2 of its logarithm, with the slow misfit
  double dispersion = prior_dispersion; ///< kappa, from tick to tick
  double season = 1;
  bool known = false; ///< both cells around the moment have been learned; else nothing may be claimed
};

/// DESCRIPTION
/// How many events of a key to expect: a level in events an hour, discounted over 7 days, times a season of 48 cells,
///
///     level = (a + 1/2) / (b + 1/100)     a <- d a + E~,   b <- d b + sum s dt,   d = 2^(-1h/7d)
///     s_c   = (A_c + 1) / (B_c + 1)       A_c <- d_c A_c + E~,   B_c <- d_c B_c + level dt     (season.hpp)
///
/// E: events of an hour, dt its length in hours. It is what level.hpp and season.hpp do for failures, with time in the
/// place of events. Two kinds of noise, as in dispersion.hpp: kappa from tick to tick, and sigma^2 from hour to hour,
///
///     sigma^2 = max(0.02^2, (sum w [(E/M - 1)^2 - 1/M - kappa sum mu^2 / M^2] + 12 * 0.2^2) / (sum w + 12))
///
/// over hours that were known when they were learned. The variance of ln(expected) is 1/a + phi/A_c +
/// sigma^2 (1 + 1/V_c), V_c = B_c / level the hours that the cell has learned, phi = 1 + kappa mu.
///
/// IMPLEMENTATION DECISIONS
/// - Nothing is known before 24 hours have been learned, and then only where both cells around the moment have been
///   learned for half an hour at least: a volume has a shape that no prior knows. So a key is silent through its first
///   day, and through the first day of its first weekend.
/// - No parent: children differ from their parents in volume by any factor, and often in shape.
/// - Until there is a shape, B_c counts hours; then it is multiplied by the level, whose first day it explains.
/// - Hours are winsorised at 3 standard deviations on both sides: a drop too small to open an incident must not teach
///   the next one, nor may a burst raise what is expected.
/// - sigma^2 is relative and its prior is worth 12 hours, not counts: one busy hour would outweigh a prior in counts.
/// - The expected sum of an hour is that of the interpolated season, so that what interpolation loses is in sigma^2.
///
/// A value of about 450 bytes; total.
class volume_baseline {
public:
  /// Hours of learning before anything is known.
  static constexpr double learning_hours = 24;

  /// `tick_hours`: length of a tick, for phi.
  volume_forecast expected(const season_position& at, double tick_hours) const;
  /// No tick of the cells around `at`, nor of the hour after them, is expected to have more an hour than this.
  double peak(const season_position& at) const;
  /// One tick with `count` events, of which the forecast was `known`.
  void observe_tick(std::int64_t count, const volume_forecast& known, double tick_hours);
  /// One hour, or tick where that is longer, of `hours` with `events`, in the middle of which the local time is
  /// `local_middle_ms`.
  void learn(std::int64_t local_middle_ms, double counted, double hours, double tick_hours);
  /// The volume is now `share` of what it was, and that is normal.
  void accept(double share);

  bool has_shape() const { return shaped_; }
  /// Up to 24.
  double hours_learned() const { return static_cast<double>(learned_); }
  double level() const;

  /// Calls visit(x) for every number of the state, in a fixed order: `float&` or `bool&`.
  template <class Visit>
  void for_each(Visit&& visit) {
    visit(events_), visit(exposure_), visit(learned_), visit(shaped_);
    for (std::size_t c = 0; c < season_cells; ++c)
      visit(season_.failures[c]), visit(season_.expected[c]);
    visit(dispersion_.excess), visit(dispersion_.squares), visit(misfit_), visit(misfit_weight_);
  }
  /// After loading: only then may the state be used.
  bool is_plausible() const;

private:
  double factor(std::uint32_t cell) const;
  bool is_known(std::uint32_t cell) const;
  double sigma_squared() const;
  void observe_hour(double events, double expected, double tick_hours, double hours);

  season_table season_;
  tick_dispersion dispersion_;
  float events_ = 0;   ///< a
  float exposure_ = 0; ///< b, hours times season
  float learned_ = 0;  ///< hours, up to 24
  float misfit_ = 0;
  float misfit_weight_ = 0;
  bool shaped_ = false;
};

} // namespace tocsin
