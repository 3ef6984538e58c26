#include "detectors/judging/sr_mixture/scope_state.hpp"

#include <algorithm>
#include <cmath>
#include <type_traits>

namespace tocsin::sr_mixture {

namespace {

constexpr double prior_keys = 20;      ///< weight of the prior strength, in keys
constexpr double full_weight_from = 4; ///< expected failures of a key that counts fully
constexpr double fixed_point = 1 << 20;
constexpr double coarse_point = 1 << 10;
constexpr double most_squares = 1e8; ///< of one hour of one key, so that a million of them fit a sum ...
constexpr double most_excess = 1e9;  ///< ... and what is beyond them
constexpr double lowest_misfit = 0.02 * 0.02;

struct number_writer {
  state_writer& out;
  void operator()(double v) const { out.f64(v); }
  void operator()(float v) const { out.f32(v); }
  void operator()(std::int64_t v) const { out.i64(v); }
  void operator()(bool v) const { out.u8(v ? 1 : 0); }
  void operator()(std::uint8_t v) const { out.u8(v); }
};

struct number_reader {
  state_reader& in;
  void operator()(double& v) const { v = in.f64(); }
  void operator()(float& v) const { v = in.f32(); }
  void operator()(std::int64_t& v) const { v = in.i64(); }
  void operator()(bool& v) const { v = in.u8() != 0; }
  void operator()(std::uint8_t& v) const { v = in.u8(); }
};

} // namespace

void level_prior::observe(double failures, double expected_by_parent, double key_misfit) {
  if (expected_by_parent < 0.5)
    return;
  const auto size = std::min(1.0, expected_by_parent / full_weight_from);
  const auto away = std::min(9.0, std::pow(failures / expected_by_parent - 1, 2));
  new_scatter_ += std::llround(fixed_point * size * size * (away - 1 / expected_by_parent - key_misfit));
  new_weight_ += std::llround(fixed_point * size * size);
}

void level_prior::observe_hour(double failed, double expected, double squares_of_ticks, double kappa) {
  const auto limit = 4 * std::sqrt(expected + kappa * squares_of_ticks + misfit_ * expected * expected) + 1;
  const auto residual = std::clamp(failed - expected, -limit, limit);
  const auto excess = residual * residual - expected - kappa * squares_of_ticks;
  // What is too large is scaled down, not cut: sigma^2 is the ratio of the two.
  const auto squares = expected * expected;
  const auto weight = std::min(1.0, most_squares / std::max(squares, 1e-300));
  new_excess_ += std::llround(coarse_point * std::clamp(weight * excess, -most_excess, most_excess));
  new_squares_ += std::llround(coarse_point * weight * squares);
}

void level_prior::fold(double kept) {
  hours_.excess =
      static_cast<float>(static_cast<double>(hours_.excess) * kept + static_cast<double>(new_excess_) / coarse_point);
  hours_.squares =
      static_cast<float>(static_cast<double>(hours_.squares) * kept + static_cast<double>(new_squares_) / coarse_point);
  new_excess_ = new_squares_ = 0;
  misfit_ = hours_.value(prior_misfit, lowest_misfit);
  scatter_ = scatter_ * kept + static_cast<double>(new_scatter_) / fixed_point;
  weight_ = weight_ * kept + static_cast<double>(new_weight_) / fixed_point;
  new_scatter_ = new_weight_ = 0;
  const auto variance = (scatter_ + prior_keys / default_level_strength) / (weight_ + prior_keys);
  strength_ = variance > 0 ? std::clamp(1 / variance, 1.0, 50.0) : 50;
}

void level_prior::save(state_writer& out) const {
  out.f64(scatter_);
  out.f64(weight_);
  out.i64(new_scatter_);
  out.i64(new_weight_);
  out.f64(strength_);
  out.f32(hours_.excess);
  out.f32(hours_.squares);
  out.i64(new_excess_);
  out.i64(new_squares_);
  out.f64(misfit_);
}

bool level_prior::load(state_reader& in) {
  scatter_ = in.f64();
  weight_ = in.f64();
  new_scatter_ = in.i64();
  new_weight_ = in.i64();
  strength_ = in.f64();
  hours_.excess = in.f32();
  hours_.squares = in.f32();
  new_excess_ = in.i64();
  new_squares_ = in.i64();
  misfit_ = in.f64();
  return in.ok() && std::isfinite(hours_.excess) && hours_.squares >= 0 && std::isfinite(hours_.squares) &&
         new_squares_ >= 0 && misfit_ > 0 && std::isfinite(misfit_) && std::isfinite(scatter_) &&
         std::isfinite(weight_) && weight_ >= 0 && new_weight_ >= 0 && strength_ >= 1 && strength_ <= 50;
}

std::size_t traffic_class(double events_a_day) {
  std::size_t number = 0;
  for (double limit = 10; events_a_day >= limit && number + 1 < traffic_classes; limit *= 10)
    ++number;
  return number;
}

void scope_state::resize(std::size_t levels) {
  priors.resize(levels);
  calibrations.resize(levels * traffic_classes);
}

void scope_state::save(state_writer& out) const {
  auto numbers = baseline;
  numbers.for_each([&](auto& number) { number_writer{out}(number); });
  budget.save(out);
  for (const auto& prior : priors)
    prior.save(out);
  for (auto calibration : calibrations)
    calibration.for_each([&](auto& number) { number_writer{out}(number); });
}

bool scope_state::load(state_reader& in) {
  baseline.for_each([&](auto& number) { number_reader{in}(number); });
  if (!in.ok() || !baseline.is_plausible() || !budget.load(in) ||
      !std::all_of(priors.begin(), priors.end(), [&](level_prior& prior) { return prior.load(in); }))
    return false;
  for (auto& calibration : calibrations) {
    calibration.for_each([&](auto& number) { number_reader{in}(number); });
    if (!calibration.is_plausible())
      return false;
  }
  return in.ok();
}

} // namespace tocsin::sr_mixture
