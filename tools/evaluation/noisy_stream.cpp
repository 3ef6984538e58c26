#include "tools/evaluation/noisy_stream.hpp"

#include <algorithm>
#include <cmath>

namespace tocsin::evaluation {

namespace {

constexpr double two_pi = 6.283185307179586477;
constexpr double highest_rate = 0.95;

double days_since_start(time_ms t) {
  return static_cast<double>(t - evaluation_start) / static_cast<double>(day_ms);
}

bool is_weekend(time_ms t) {
  return tick_of(t - evaluation_start, day_ms) % 7 >= 5;
}

} // namespace

std::uint64_t seed_of(std::initializer_list<std::uint64_t> parts) {
  std::uint64_t seed = 0;
  for (const auto part : parts)
    seed = generator::scramble(seed + 0x9e3779b97f4a7c15ULL + part);
  return seed;
}

noisy_stream::noisy_stream(const stream_shape& shape, std::uint64_t seed, time_ms start)
    : shape_(shape), noise_(seed_of({seed, 0})), outcomes_(seed_of({seed, 1})), next_(start),
      keep_(std::exp(-static_cast<double>(shape.tick) / static_cast<double>(shape.slow_memory))),
      renew_(std::sqrt(1 - keep_ * keep_)), rate_noise_(noise_.normal()), volume_noise_(noise_.normal()) {}

double noisy_stream::volume(time_ms t) const {
  const double seconds = static_cast<double>(shape_.tick) / static_cast<double>(second_ms);
  const double angle = two_pi * days_since_start(t) - 1.8;
  return shape_.events_per_second * seconds * (1 + shape_.volume_daily * std::sin(angle)) *
         (is_weekend(t) ? 0.85 : 1.06);
}

double noisy_stream::expected_rate(time_ms t) const {
  const double days = days_since_start(t);
  const double angle = two_pi * days - 1.0 + shape_.phase;
  double log_season = shape_.rate_daily * (std::sin(angle) + 0.3 * std::sin(2 * angle + 0.7));
  log_season += is_weekend(t) ? shape_.rate_weekend : -0.4 * shape_.rate_weekend;
  if (shape_.rate_weekly != 0)
    log_season += shape_.rate_weekly * std::sin(two_pi * days / 7 + shape_.phase);
  return shape_.failure_rate * std::exp(log_season) * (t >= shape_.deploy_at ? shape_.deploy_shift : 1);
}

double noisy_stream::tick_factor(std::int64_t total) {
  if (total == 0)
    return 1;
  auto variance = shape_.dispersion;
  if (shape_.burst_share > 0 && noise_.uniform() < shape_.burst_share)
    variance = shape_.burst_dispersion;
  return variance > 0 ? noise_.gamma(1 / variance) * variance : 1;
}

stream_tick noisy_stream::next() {
  stream_tick tick;
  tick.start = next_;
  next_ += shape_.tick;
  rate_noise_ = keep_ * rate_noise_ + renew_ * noise_.normal();
  volume_noise_ = keep_ * volume_noise_ + renew_ * noise_.normal();
  const auto log_noise = [](double deviation, double normal) {
    return std::exp(deviation * normal - 0.5 * deviation * deviation);
  };
  tick.total =
      static_cast<std::int64_t>(noise_.poisson(volume(tick.start) * log_noise(shape_.volume_noise, volume_noise_)));
  tick.expected_rate = expected_rate(tick.start);
  tick.rate = tick.expected_rate * log_noise(shape_.slow_noise, rate_noise_) * tick_factor(tick.total);
  return tick;
}

std::int64_t noisy_stream::failures(const stream_tick& tick, double rate) {
  return outcomes_.binomial(tick.total, std::min(highest_rate, rate));
}

} // namespace tocsin::evaluation
