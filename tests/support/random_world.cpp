#include "tests/support/random_world.hpp"

#include "detectors/values/key.hpp"

#include <algorithm>
#include <initializer_list>
#include <random>
#include <string>

namespace tocsin::test {

namespace {

class dice {
public:
  explicit dice(std::uint32_t seed) : random_(seed) {}
  std::uint32_t below(std::uint32_t n) { return static_cast<std::uint32_t>(random_() % n); }
  bool one_in(std::uint32_t n) { return below(n) == 0; }
  template <class T>
  T of(std::initializer_list<T> values) {
    return values.begin()[below(static_cast<std::uint32_t>(values.size()))];
  }

private:
  std::mt19937 random_;
};

detector_spec random_detector(dice& roll, time_ms tick, std::size_t number) {
  const auto name = "detector" + std::to_string(number);
  const auto kind = roll.below(6);
  const bool shadow = roll.one_in(4);
  if (kind == 4) {
    sr_mixture_spec mixture;
    mixture.false_alarms_per_day = roll.of({1.0, 100.0, 1e5});
    mixture.strict = roll.one_in(4);
    mixture.sliding_baseline = roll.one_in(3) ? 20 * tick : 0;
    return {"sr_mixture", name, mixture, shadow};
  }
  if (kind == 5) {
    volume_drop_spec volume;
    volume.false_alarms_per_day = roll.of({100.0, 1e5, 1e8});
    volume.min_events_per_hour = roll.of({0.0, 1.0, 20.0});
    return {"volume_drop", name, volume, shadow};
  }
  if (kind == 0) {
    threshold_spec threshold;
    threshold.rate = roll.of({0.05, 0.2, 0.4});
    threshold.resolve_rate = roll.of({0.5, 1.0}) * threshold.rate;
    threshold.window = tick * roll.of<time_ms>({1, 3, 12, 400});
    threshold.hold = tick * roll.of<time_ms>({0, 1, 4});
    threshold.resolve_hold = tick * roll.of<time_ms>({0, 2, 6});
    threshold.min_events = roll.of<std::int64_t>({1, 10});
    return {"threshold", name, threshold, shadow};
  }
  if (kind == 1) {
    burn_rate_spec burn_rate;
    burn_rate.objective = roll.of({0.9, 0.97});
    burn_rate.rules = {{tick * roll.of<time_ms>({6, 50}), tick * roll.of<time_ms>({1, 5}), roll.of({1.0, 3.0})},
                       {tick * roll.of<time_ms>({100, 400}), tick * roll.of<time_ms>({5, 30}), 1}};
    burn_rate.min_events = roll.of<std::int64_t>({1, 8});
    return {"burn_rate", name, burn_rate, shadow};
  }
  if (kind == 2) {
    z_score_spec z_score;
    z_score.window = tick * roll.of<time_ms>({1, 2, 7});
    z_score.history = roll.of<std::int64_t>({5, 100});
    z_score.min_history = roll.of<std::int64_t>({1, 4});
    z_score.outlier = roll.of({1.0, 3.0});
    z_score.normal = roll.of({0.0, 1.0});
    return {"z_score", name, z_score, shadow};
  }
  count_bucket_spec buckets;
  buckets.scope_bucket = roll.of<std::int64_t>({5, 60});
  buckets.key_bucket = roll.of<std::int64_t>({3, 20});
  buckets.baseline = tick * roll.of<time_ms>({2, 20, 400});
  buckets.min_baseline = roll.of<std::int64_t>({1, 100});
  buckets.outlier = roll.of({0.05, 1e-3});
  buckets.normal = roll.of({0.3, 0.1});
  return {"count_bucket", name, buckets, shadow};
}

monitor_spec random_monitor(dice& roll, std::size_t number) {
  constexpr std::uint32_t dimensions = 3;
  monitor_spec monitor;
  monitor.name = "monitor" + std::to_string(number);
  for (std::uint32_t d = 0; d < dimensions; ++d)
    monitor.dimensions.push_back("d" + std::to_string(d));
  monitor.scope_size = roll.below(3);
  level_spec root;
  for (std::uint32_t d = 0; d < monitor.scope_size; ++d)
    root.dimensions.push_back(d);
  monitor.levels.push_back(root);
  for (auto d = monitor.scope_size; d < dimensions; ++d) {
    auto level = root;
    level.dimensions.push_back(d);
    monitor.levels.push_back(level);
  }
  monitor.tick = roll.of<time_ms>({10, 30, 60}) * second_ms;
  monitor.expire_after = roll.of<time_ms>({3, 15, 240}) * minute_ms;
  monitor.update_every = roll.of<time_ms>({1, 2, 10}) * minute_ms;
  monitor.severity.fall_after = roll.of<time_ms>({0, 2, 10}) * minute_ms;
  monitor.has_viewers = roll.one_in(3);
  monitor.has_rates = roll.one_in(6);
  if (roll.one_in(2)) {
    const std::uint64_t shards = monitor.scope_size == 0 ? 1 : shard_count;
    monitor.capacity.max_keys = shards * roll.of<std::uint64_t>({3, 8, 20});
    monitor.capacity.max_scopes = monitor.scope_size == 0 ? 1 : shards * roll.of<std::uint64_t>({1, 3, 100});
    monitor.capacity.max_leaf_cells = roll.of<std::uint64_t>({5, 40, 1000});
  }
  if (!roll.one_in(4))
    monitor.life.group_wait = monitor.tick * roll.of<time_ms>({0, 1, 2, 5});
  monitor.life.reopen_within = roll.of<time_ms>({0, 3, 15}) * minute_ms;
  monitor.life.propose_after = roll.of<time_ms>({2, 10, 60}) * minute_ms;
  monitor.life.accept_after = roll.of<time_ms>({1, 72}) * hour_ms;
  const auto detectors = 1 + roll.below(3);
  for (std::size_t i = 0; i < detectors; ++i)
    monitor.detectors.push_back(random_detector(roll, monitor.tick, i));
  return monitor;
}

} // namespace

world_spec random_world(std::uint32_t seed) {
  dice roll(seed);
  world_spec world;
  world.fingerprint = "test";
  world.allowed_lateness = roll.of<time_ms>({0, 5, 25}) * second_ms;
  world.max_ahead = roll.of<time_ms>({10, 60}) * minute_ms;
  world.settle = roll.of<time_ms>({0, 0, 2, 15}) * minute_ms;
  world.ahead_accept = roll.of<std::uint32_t>({3, 20, 100});
  const auto monitors = 1 + roll.below(3);
  for (std::size_t i = 0; i < monitors; ++i)
    world.monitors.push_back(random_monitor(roll, i));
  // Without dice, so that the other settings of a seed stay what they are.
  for (std::size_t i = seed % 2; i < monitors; i += 2)
    if (!world.monitors[i].has_rates)
      name_error_type(world.monitors[i], "error");
  return world;
}

} // namespace tocsin::test
