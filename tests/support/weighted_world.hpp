#pragma once

#include "detectors/engine/world.hpp"
#include "tests/support/engine_harness.hpp"

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <functional>
#include <memory>
#include <optional>
#include <random>
#include <string>
#include <utility>
#include <vector>

namespace tocsin::test {

/// One monitor, dimension `cdn`, levels [] and [cdn] (or [] alone), detector sr_mixture.
inline world_spec sr_mixture_world(double false_alarms_per_day, time_ms tick, bool with_children = true,
                                   bool strict = false) {
  sr_mixture_spec settings;
  settings.false_alarms_per_day = false_alarms_per_day;
  settings.strict = strict;
  auto world = one_monitor({"sr_mixture", "sr", settings});
  world.monitors[0].tick = tick;
  world.max_ahead = 4000 * day_ms;
  if (!with_children) {
    world.monitors[0].dimensions.clear();
    world.monitors[0].levels.resize(1);
  }
  return world;
}

/// A world fed with weighted records of prepared keys: cheap enough for millions of them. One monitor.
class weighted_world {
public:
  explicit weighted_world(world_spec spec)
      : spec_(std::make_shared<const world_spec>(std::move(spec))), engine_(spec_, 1) {
    clear();
    engine_.advance(0, noon - 1, journal_kind::idle);
  }

  /// Prepares the leaf key with this value of the one dimension; "" where there is none.
  std::size_t key(const std::string& value) {
    std::string bytes;
    if (!spec_->monitors[0].dimensions.empty())
      append_text(bytes, value);
    keys_.push_back({hash_key(bytes), bytes});
    return keys_.size() - 1;
  }
  void add(time_ms time, std::size_t key, std::int64_t total, std::int64_t failed,
           std::optional<std::uint8_t> viewer = std::nullopt) {
    if (total <= 0)
      return;
    observation seen;
    seen.leaf = keys_[key].first;
    seen.key_begin = static_cast<std::uint32_t>(batch_.key_bytes.size());
    seen.key_size = static_cast<std::uint16_t>(keys_[key].second.size());
    seen.total = total;
    seen.failed = failed;
    seen.has_viewer = viewer.has_value();
    seen.viewer_bit = viewer.value_or(0);
    batch_.key_bytes += keys_[key].second;
    batch_.events.push_back({time, next_++});
    batch_.observations[0].push_back(seen);
    if (batch_.events.size() >= 4096)
      flush();
  }
  void flush() {
    if (batch_.events.empty())
      return;
    batch_.next_offset = next_;
    engine_.count(batch_);
    clear();
    collect();
  }
  void finish() {
    flush();
    engine_.finish(0);
    collect();
  }
  std::vector<alert> of(alert_kind kind, std::optional<std::size_t> level = std::nullopt) const {
    std::vector<alert> some;
    for (const auto& a : all)
      if (a.kind == kind && (!level || a.level.size() == *level))
        some.push_back(a);
    return some;
  }
  world& engine() { return engine_; }

  std::vector<alert> all;

private:
  void clear() {
    batch_.clear();
    batch_.observations.resize(1);
  }
  void collect() {
    for (auto& a : engine_.take_alerts())
      all.push_back(std::move(a));
  }

  std::shared_ptr<const world_spec> spec_;
  world engine_;
  event_batch batch_;
  stream_offset next_ = 0;
  std::vector<std::pair<key_hash, std::string>> keys_;
};

/// Traffic of one key as the reference simulation of cold starts draws it: daily volume and rate, weekends, a slow
/// wander of 8 % with a memory of an hour, and gamma noise of dispersion 0.05 from tick to tick.
class noisy_stream {
public:
  noisy_stream(std::uint64_t seed, double rate, double events_a_second, double tick_seconds)
      : random_(seed), rate_(rate), events_(events_a_second), tick_(tick_seconds),
        phase_(std::uniform_real_distribution<double>(0, 2 * pi)(random_)), slow_(normal_(random_)) {
    begin_ = std::floor(std::uniform_real_distribution<double>(0, 7 * 86'400)(random_) / tick_) * tick_;
  }

  struct counts {
    time_ms time = 0;
    std::int64_t total = 0;
    std::int64_t failed = 0;
  };
  /// The next tick, with its rate multiplied.
  counts next(double times = 1) {
    const auto t = begin_ + static_cast<double>(ticks_++) * tick_;
    const auto h = 2 * pi * t / 86'400;
    const bool weekend = static_cast<std::int64_t>(t / 86'400) % 7 >= 5;
    const auto kept = std::exp(-tick_ / 3600);
    slow_ = kept * slow_ + std::sqrt(1 - kept * kept) * normal_(random_);
    const auto volume = events_ * tick_ * (1 + 0.7 * std::sin(h - 1.8)) * (weekend ? 0.85 : 1.06);
    auto rate = rate_ * std::exp(0.4 * std::sin(h - 1 + phase_) + 0.12 * std::sin(2 * h - 1.3 + 2 * phase_) +
                                 (weekend ? 0.1 : -0.04) + 0.08 * slow_);
    rate *= times * std::gamma_distribution<double>(20, 0.05)(random_);
    counts out;
    out.time = monday + static_cast<time_ms>(t * 1000);
    out.total = std::poisson_distribution<std::int64_t>(volume)(random_);
    out.failed = std::binomial_distribution<std::int64_t>(out.total, std::min(0.95, rate))(random_);
    return out;
  }
  static constexpr time_ms monday = 1'463'961'600'000; // 2016-05-23T00:00:00Z, a Monday

private:
  static constexpr double pi = 3.14159265358979;
  std::mt19937_64 random_;
  std::normal_distribution<double> normal_;
  double rate_, events_, tick_, phase_, slow_;
  double begin_ = 0;
  std::int64_t ticks_ = 0;
};

} // namespace tocsin::test
