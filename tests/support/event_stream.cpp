#include "tests/support/event_stream.hpp"

#include <algorithm>

namespace tocsin::test {

event_batch make_batch(const world_spec& world, partition_id partition, const std::vector<test_event>& events,
                       std::size_t begin, std::size_t end) {
  event_batch batch;
  batch.partition = partition;
  batch.begin = offset_of(begin);
  batch.next_offset = offset_of(end);
  batch.raw_bytes = static_cast<std::uint64_t>(batch.next_offset - batch.begin);
  batch.observations.resize(world.monitors.size());
  for (auto i = begin; i < end; ++i) {
    batch.events.push_back({events[i].time, offset_of(i)});
    for (std::size_t m = 0; m < world.monitors.size(); ++m) {
      const auto& monitor = world.monitors[m];
      observation seen;
      std::string key;
      for (std::size_t d = 0; d < monitor.dimensions.size(); ++d) {
        if (events[i].values[d])
          append_text(key, *events[i].values[d]);
        else
          append_null(key);
        if (d + 1 == monitor.scope_size)
          seen.scope_size = static_cast<std::uint16_t>(key.size());
      }
      seen.leaf = hash_key(key);
      seen.key_begin = static_cast<std::uint32_t>(batch.key_bytes.size());
      seen.key_size = static_cast<std::uint16_t>(key.size());
      batch.key_bytes += key;
      if (monitor.error_type && events[i].failed > 0) {
        std::string type;
        events[i].type ? static_cast<void>(append_text(type, *events[i].type)) : append_null(type);
        seen.type_begin = static_cast<std::uint32_t>(batch.key_bytes.size());
        seen.type_size = static_cast<std::uint16_t>(type.size());
        batch.key_bytes += type;
      }
      seen.total = events[i].total;
      seen.failed = events[i].failed;
      seen.has_viewer = events[i].viewer.has_value();
      seen.viewer_bit = events[i].viewer.value_or(0);
      batch.observations[m].push_back(seen);
    }
  }
  return batch;
}

namespace {

/// Few common types, some rare ones, null; what is hit fails with a type of its own, and every 1000th time anew.
/// Without dice, so that the other values of a seed stay what they are.
std::optional<std::string> type_of(std::size_t i, bool is_hit) {
  if (is_hit)
    return "hit" + std::to_string(i / 1000);
  const auto mixed = static_cast<std::uint32_t>(i * 2'654'435'761U) >> 16;
  if (mixed % 11 == 0)
    return std::nullopt;
  return mixed % 7 == 0 ? "rare" + std::to_string(mixed % 101) : "common" + std::to_string(mixed % 3);
}

} // namespace

std::vector<test_event> random_stream(const stream_options& options) {
  std::mt19937 random(options.seed);
  const auto below = [&](std::uint32_t n) { return static_cast<std::uint32_t>(random() % n); };
  std::vector<test_event> events;
  auto now = options.start;
  std::uint32_t bad_value = 0;
  std::uint32_t percent = 2;
  for (std::size_t i = 0; i < options.events; ++i) {
    now += static_cast<time_ms>(below(static_cast<std::uint32_t>(2 * options.mean_gap) + 1));
    if (i % 1000 == 500) {
      percent = percent == 2 ? 60 : 2;
      bad_value = below(static_cast<std::uint32_t>(options.values));
    }
    if (options.weird && below(1500) == 0)
      now += static_cast<time_ms>(below(3 * 3600)) * second_ms;
    test_event one;
    one.time = now;
    for (std::size_t d = 0; d < options.dimensions; ++d) {
      const auto value = below(static_cast<std::uint32_t>(options.values));
      one.values.push_back(value == 5 ? std::nullopt : std::optional<std::string>("v" + std::to_string(value)));
    }
    one.total = 1 + below(3);
    const bool hit = one.values[0] == "v" + std::to_string(bad_value);
    for (std::int64_t k = 0; k < one.total; ++k)
      one.failed += below(100) < (hit ? percent : 2) ? 1 : 0;
    if (below(4) != 0)
      one.viewer = static_cast<std::uint8_t>(below(64));
    if (options.weird) {
      const auto dice = below(1000);
      if (dice < 200)
        one.time -= static_cast<time_ms>(below(20'000)); // disorder and lateness
      else if (dice < 203)
        one.time -= 2 * hour_ms; // beyond the correction window
      else if (dice < 206)
        one.time += 30 * day_ms; // a wrong clock
    }
    one.type = type_of(i, hit && percent > 2);
    events.push_back(std::move(one));
  }
  return events;
}

world_spec two_monitor_world(std::size_t dimensions) {
  world_spec world;
  world.fingerprint = "test";
  monitor_spec scoped;
  scoped.name = "scoped";
  for (std::size_t d = 0; d < dimensions; ++d)
    scoped.dimensions.push_back("d" + std::to_string(d));
  scoped.scope_size = 1;
  scoped.levels.push_back({{0}});
  for (std::uint32_t d = 1; d < dimensions; ++d)
    scoped.levels.push_back({{0, d}});
  scoped.has_viewers = true;
  threshold_spec threshold;
  threshold.rate = 0.2;
  threshold.resolve_rate = 0.1;
  threshold.window = 2 * minute_ms;
  threshold.hold = 30 * second_ms;
  threshold.resolve_hold = 1 * minute_ms;
  threshold.min_events = 10;
  count_bucket_spec buckets;
  buckets.scope_bucket = 60;
  buckets.key_bucket = 20;
  buckets.min_baseline = 200;
  buckets.outlier = 1e-4;
  buckets.baseline = 6 * hour_ms;
  sr_mixture_spec mixture;
  mixture.false_alarms_per_day = 20;
  volume_drop_spec volume;
  volume.false_alarms_per_day = 1e6; // so that it has something to say in the silent hours
  volume.min_events_per_hour = 1;
  burn_rate_spec burn_rate;
  burn_rate.objective = 0.95;
  burn_rate.rules = {{30 * minute_ms, 3 * minute_ms, 5}, {3 * hour_ms, 20 * minute_ms, 2}};
  burn_rate.min_events = 5;
  z_score_spec z_score;
  z_score.window = 3 * minute_ms;
  z_score.history = 60;
  z_score.min_history = 4;
  z_score.outlier = 2.5;
  z_score.normal = 1;
  scoped.detectors = {{"threshold", "threshold", threshold}, {"count_bucket", "count_bucket", buckets},
                      {"burn_rate", "burn_rate", burn_rate}, {"z_score", "z_score", z_score, true},
                      {"sr_mixture", "sr_mixture", mixture}, {"volume_drop", "volume_drop", volume}};
  scoped.expire_after = 4 * hour_ms;
  scoped.update_every = 10 * minute_ms;

  auto whole = scoped;
  whole.name = "whole";
  whole.scope_size = 0;
  whole.levels.assign(1, {{}});
  for (std::uint32_t d = 0; d < dimensions; ++d)
    whole.levels.push_back({{d}});
  whole.has_viewers = false;
  whole.tick = 30 * second_ms;
  world.monitors = {scoped, whole};
  return world;
}

} // namespace tocsin::test
