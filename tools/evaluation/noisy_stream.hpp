#pragma once

#include "detectors/values/time.hpp"
#include "tools/generator/random.hpp"

#include <cstdint>
#include <initializer_list>
#include <limits>

namespace tocsin::evaluation {

/// Monday 2024-01-01T00:00Z: evaluated streams begin here, or within a week of it.
inline constexpr time_ms evaluation_start = 1704067200000;

/// The law of a stream of outcomes. The season of the failure rate is exp(A sin(h) + 0.3 A sin(2h + 0.7) + w), h the
/// hour angle, w the day's part; noises multiply it and have mean 1.
struct stream_shape {
  time_ms tick = 10 * second_ms;
  double events_per_second = 10;
  double failure_rate = 0.01; ///< before season and noise

  double volume_daily = 0.7; ///< amplitude of the daily sine
  double volume_noise = 0.1; ///< standard deviation of the slow log noise of the volume
  double rate_daily = 0.4;   ///< A
  double rate_weekend = 0.1; ///< w on Saturday and Sunday; -0.4 of it on other days
  double rate_weekly = 0;    ///< amplitude of a sine of one week in the logarithm, whose phase is `phase`
  double phase = 0;          ///< of A's sines, in radians

  double slow_noise = 0.08;      ///< standard deviation of the slow log noise of the rate
  time_ms slow_memory = hour_ms; ///< its time constant: autocorrelation exp(-t / slow_memory)
  double dispersion = 0.05;      ///< variance of the gamma factor of each tick (kappa)
  double burst_share = 0;        ///< share of ticks whose factor has the variance `burst_dispersion` instead
  double burst_dispersion = 0.5;
  double deploy_shift = 1;                                 ///< factor of the rate ...
  time_ms deploy_at = std::numeric_limits<time_ms>::max(); ///< ... from here on, for good
};

/// One tick of a stream before anything fails.
struct stream_tick {
  time_ms start = 0;
  std::int64_t total = 0;
  double expected_rate = 0; ///< season alone: what one who knows the law would expect
  double rate = 0;          ///< with the noises of this tick
};

/// The stream of one key, tick by tick: total events and the probability to fail. Value: a copy goes on as the original
/// would. The same shape, seed and start give the same stream.
///
/// Volume is Poisson around a daily sine, weekends at 0.85 / 1.06, and a slow noise. Slow noises are stationary
/// autoregressions of order 1 (exact for any tick). What fails is drawn from random numbers of its own, so that a
/// branch of the stream with other failures keeps volume and noise of its trunk.
class noisy_stream {
public:
  noisy_stream(const stream_shape& shape, std::uint64_t seed, time_ms start);

  const stream_shape& shape() const { return shape_; }
  stream_tick next();
  /// Failures of a tick at a rate, at most 0.95.
  std::int64_t failures(const stream_tick& tick, double rate);
  /// Failures from here on are drawn anew.
  void branch(std::uint64_t seed) { outcomes_ = generator::random_source(seed); }

private:
  double volume(time_ms t) const;
  double expected_rate(time_ms t) const;
  double tick_factor(std::int64_t total);

  stream_shape shape_;
  generator::random_source noise_;
  generator::random_source outcomes_;
  time_ms next_;
  double keep_;         ///< autocorrelation over one tick
  double renew_;        ///< sqrt(1 - keep^2)
  double rate_noise_;   ///< standard normal
  double volume_noise_; ///< standard normal
};

/// A seed from parts such as suite, seed, stream, purpose; other parts give unrelated seeds.
std::uint64_t seed_of(std::initializer_list<std::uint64_t> parts);

} // namespace tocsin::evaluation
