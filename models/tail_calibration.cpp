#include "models/tail_calibration.hpp"

#include <algorithm>
#include <cmath>

namespace tocsin {

namespace {

constexpr double beyond = 1; ///< u
constexpr double prior_exceedances = 30;
constexpr double prior_days = 80; ///< about prior_exceedances e^u
constexpr double most_raised = 6;
constexpr double fixed_point = 1 << 20;

bool is_rare(double alarms_a_day) {
  return alarms_a_day > 0 && alarms_a_day <= 0.25;
}

/// Mean excess of an exponential of this slope, truncated at `room`.
double mean_excess(double slope, double room) {
  const auto x = slope * room;
  // 1/slope - room/(e^x - 1), which tends to room/2.
  return std::abs(x) < 1e-4 ? room / 2 * (1 - x / 6) : 1 / slope - room / std::expm1(x);
}

} // namespace

bool tail_calibration::goes_on(double s, double alarms_a_day) {
  return s > alarms_a_day * std::exp(beyond);
}

void tail_calibration::pass(double alarms_a_day, std::int64_t days) {
  if (is_rare(alarms_a_day))
    new_days_ += std::max<std::int64_t>(0, days);
}

void tail_calibration::observe(double hottest, double alarms_a_day, std::int64_t days) {
  if (!(hottest > 0) || !is_rare(alarms_a_day))
    return;
  pass(alarms_a_day, days);
  const auto room = -std::log(alarms_a_day) - beyond;
  const auto excess = std::min(std::log(std::min(hottest, 1.0)) - std::log(alarms_a_day) - beyond, room);
  if (excess <= 0 || room <= 0)
    return;
  ++new_exceeding_;
  new_excess_ += std::llround(fixed_point * excess);
  new_room_ += std::llround(fixed_point * room);
}

void tail_calibration::fold(double kept) {
  days_ = days_ * kept + static_cast<double>(new_days_);
  exceeding_ = exceeding_ * kept + static_cast<double>(new_exceeding_);
  excess_ = excess_ * kept + static_cast<double>(new_excess_) / fixed_point;
  room_ = room_ * kept + static_cast<double>(new_room_) / fixed_point;
  new_days_ = new_exceeding_ = new_excess_ = new_room_ = 0;
  if (exceeding_ < 1)
    return;

  // The slope whose truncated mean is the observed one; bisection, since the mean falls in the slope.
  const auto room = room_ / exceeding_;
  const auto target = (excess_ + prior_exceedances * mean_excess(1, room)) / (exceeding_ + prior_exceedances);
  auto low = 0.05;
  auto high = 3.0;
  for (int i = 0; i < 40; ++i) {
    const auto middle = (low + high) / 2;
    (mean_excess(middle, room) > target ? low : high) = middle;
  }
  slope_ = low;
  share_ = (exceeding_ + prior_days * std::exp(-beyond)) / (days_ + prior_days);
}

double tail_calibration::threshold(double alarms_a_day) const {
  const auto budget = std::log(std::clamp(alarms_a_day, 1e-15, 1.0));
  // Beyond u the share may only be heavier than the model's, never lighter.
  const auto share = std::max(std::log(share_), -beyond);
  const auto slope = std::min(slope_, 1.0);
  return std::clamp(beyond + share / slope + (1 - 1 / slope) * budget, 0.0, most_raised);
}

bool tail_calibration::is_plausible() const {
  const auto is_sum = [](double v) { return std::isfinite(v) && v >= 0; };
  return is_sum(days_) && is_sum(exceeding_) && is_sum(excess_) && is_sum(room_) && slope_ >= 0.05 && slope_ <= 3 &&
         share_ > 0 && share_ <= 1 && new_days_ >= 0 && new_exceeding_ >= 0 && new_excess_ >= 0 && new_room_ >= 0;
}

} // namespace tocsin
