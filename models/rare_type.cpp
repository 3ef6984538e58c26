#include "models/rare_type.hpp"

#include "models/zeta.hpp"

#include <algorithm>
#include <cmath>

namespace tocsin {

namespace {

constexpr int parts = 8; ///< of a silence: [0, 4^-7), [4^-7, 4^-6) ... [1/4, 1)
constexpr double least_known = 1e-3;
constexpr double most_known = 1e15;

double known(double failures) {
  return failures > 0 ? std::min(failures, most_known) : 0; // NaN is 0
}

} // namespace

per_alternative mean_ratio_of_silence(std::int64_t events, double rate, double dispersion) {
  per_alternative sum = per_alternative::Zero();
  auto end = 1.0;
  for (int part = 0; part < parts; ++part) {
    const auto begin = part + 1 < parts ? end / 4 : 0;
    const auto middle = static_cast<double>(std::max<std::int64_t>(0, events)) * (begin + end) / 2;
    // Rounded up: more silence is less evidence.
    sum += (end - begin) * likelihood_ratios(static_cast<std::int64_t>(std::ceil(middle)), 0, rate, dispersion);
    end = begin;
  }
  return sum;
}

double rare_type::variance() const {
  return 1 / std::max(failures_, least_known);
}

void rare_type::name(double mass) {
  failures_ = 1;
  evidence_.reset();
  evidence_.start(mass, strict_weights());
}

void rare_type::observe_silence(double mass, std::int64_t events, double rate) {
  if (events <= 0) {
    evidence_.start(mass, strict_weights());
    return;
  }
  evidence_.observe(likelihood_ratios(events, 0, rate, variance()));
  evidence_.start(mass, mean_ratio_of_silence(events, rate, variance()));
}

void rare_type::observe(std::int64_t events, std::int64_t failed, double rate, double dispersion) {
  evidence_.observe(likelihood_ratios(events, failed, rate, variance() + dispersion));
}

void rare_type::learn(double failed) {
  failures_ = known(failures_ + known(failed));
}

void rare_type::forget(double kept) {
  failures_ = known(failures_ * std::clamp(kept, 0.0, 1.0));
}

void rare_type::set_failures(double failures) {
  failures_ = known(failures);
}

bool rare_type::load(double failures, const shiryaev_roberts_mixture::evidence& components) {
  if (!(failures >= 0 && failures <= most_known) || !evidence_.load(components))
    return false;
  failures_ = failures;
  return true;
}

} // namespace tocsin
