#pragma once

#include <cstdint>

namespace tocsin {

/// DESCRIPTION
/// Checks a test by its own past, and makes it stricter where the past asks for it. If the model of chance were exact,
/// the greatest evidence of a day, S, of a key that may raise w false alarms a day would exceed s with a probability of
/// about w/s: Y = ln S - ln w has an exponential tail of slope 1. The slope is fitted to what exceeds u = 1, days with
/// incidents left out (so that S < 1: the exponential is truncated at -ln w), and alarms then need
///
///     ln S >= c,    c = u + ln(P_u)/slope + (1 - 1/slope) ln w,   0 <= c <= 6
///
/// where P_u is the observed share of days beyond u, of which an excursion that goes on from day to day counts one,
/// with its peak (rare events keep their evidence for many days; without this each of them looks like many). Slope 1
/// and P_u = e^-u give c = 0. Peaks over threshold: Pickands, Annals of Statistics 3, 1975; the exponential is its tail
/// without a shape.
///
/// IMPLEMENTATION DECISIONS
/// It only ever raises the threshold: a test that is too careful costs seconds, one that is not costs trust. Thirty
/// pseudo-exceedances of slope 1 hold it back until there is something to learn from. Sums are whole numbers, so that
/// the order in which keys end their day does not show. A value.
class tail_calibration {
public:
  /// Days of a key without incidents that end an excursion: `hottest` the greatest evidence S in (0, 1) since the last
  /// one ended, `alarms_a_day` = w.
  void observe(double hottest, double alarms_a_day, std::int64_t days = 1);
  /// Days within an excursion.
  void pass(double alarms_a_day, std::int64_t days = 1);
  /// Evidence `s` at the end of a day is beyond u: the excursion goes on.
  static bool goes_on(double s, double alarms_a_day);
  /// Takes over what was observed; `kept`: how much of the past stays.
  void fold(double kept);

  /// 1: as the model says; below: heavier.
  double slope() const { return slope_; }
  /// c for a key with this budget.
  double threshold(double alarms_a_day) const;

  /// Calls visit(number&) for each number of the state.
  template <class Visit>
  void for_each(Visit&& visit) {
    visit(days_), visit(exceeding_), visit(excess_), visit(room_), visit(slope_), visit(share_);
    visit(new_days_), visit(new_exceeding_), visit(new_excess_), visit(new_room_);
  }
  bool is_plausible() const;

private:
  double days_ = 0;
  double exceeding_ = 0;
  double excess_ = 0; ///< sum of Y - u
  double room_ = 0;   ///< sum of -ln w - u: how far the excess could have gone
  double slope_ = 1;
  double share_ = 0.36787944117144233; ///< P_u; e^-1 until something is known
  std::int64_t new_days_ = 0;
  std::int64_t new_exceeding_ = 0;
  std::int64_t new_excess_ = 0; ///< in 2^-20
  std::int64_t new_room_ = 0;
};

} // namespace tocsin
