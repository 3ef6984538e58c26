#pragma once

#include "detectors/engine/world.hpp"
#include "tests/support/event_stream.hpp"

#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace tocsin::test {

inline constexpr time_ms noon = 1462363200000; // 2016-05-04T12:00:00Z

/// One monitor, no scope, dimension `cdn`, levels [] and [cdn], tick 10 s, no lateness.
inline world_spec one_monitor(detector_spec detector) {
  world_spec world;
  world.allowed_lateness = 0;
  world.max_ahead = 400 * day_ms;
  monitor_spec monitor;
  monitor.name = "m";
  monitor.dimensions = {"cdn"};
  monitor.levels = {{{}}, {{0}}};
  monitor.detectors = {std::move(detector)};
  world.monitors = {monitor};
  return world;
}

/// Feeds aggregated events tick by tick and collects the records.
class harness {
public:
  explicit harness(world_spec spec) : spec_(std::make_shared<const world_spec>(std::move(spec))), engine_(spec_, 1) {
    // The first record needs company before it moves the watermark: begin with the clock.
    engine_.advance(0, noon - 1, journal_kind::idle);
  }

  void event(time_ms time, std::int64_t total, std::int64_t failed, const char* cdn = "a",
             std::optional<std::uint8_t> viewer = std::nullopt, std::optional<std::string> type = std::nullopt) {
    const std::vector<test_event> one{{time, {std::string(cdn)}, total, failed, viewer, std::move(type)}};
    auto batch = make_batch(*spec_, 0, one, 0, 1);
    batch.events[0].offset = next_++;
    batch.next_offset = next_;
    engine_.count(batch);
    collect();
  }
  /// One event a tick, from `from` on, for `ticks` ticks.
  void steady(time_ms from, int ticks, std::int64_t total, std::int64_t failed, const char* cdn = "a") {
    for (int i = 0; i < ticks; ++i)
      event(from + i * 10 * second_ms, total, failed, cdn);
  }
  void advance(time_ms to) {
    engine_.advance(0, to, journal_kind::idle);
    collect();
  }
  std::vector<alert> of(const char* kind, std::size_t level) const {
    std::vector<alert> some;
    for (const auto& a : all)
      if (std::string(name_of(a.kind)) == kind && a.level.size() == level)
        some.push_back(a);
    return some;
  }

  std::vector<alert> all;
  world& engine() { return engine_; }

private:
  void collect() {
    for (auto& a : engine_.take_alerts())
      all.push_back(std::move(a));
  }
  std::shared_ptr<const world_spec> spec_;
  world engine_;
  stream_offset next_ = 0;
};

} // namespace tocsin::test
