// What it costs when everything fails at once.

#include "tests/support/engine_harness.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <chrono>
#include <memory>
#include <string>
#include <utility>
#include <vector>

using namespace tocsin;
using namespace tocsin::test;

namespace {

/// Keys of two dimensions that fail in ticks 4 to 11; `visit(tick, milliseconds)` for each tick.
template <class Visit>
std::vector<alert> outage(int keys, const Visit& visit) {
  threshold_spec threshold;
  threshold.rate = 0.2;
  threshold.resolve_rate = 0.2;
  threshold.window = 10 * second_ms;
  threshold.min_events = 1;
  auto spec = one_monitor({"threshold", "t", threshold});
  auto& monitor = spec.monitors[0];
  monitor.dimensions = {"title", "cdn"};
  monitor.levels = {{{}}, {{0}}};
  monitor.life.group_wait = 20 * second_ms;
  monitor.attributes = true;
  const auto shared = std::make_shared<const world_spec>(spec);
  world engine(shared, 1);
  engine.advance(0, noon - 1, journal_kind::idle);
  std::vector<alert> all;
  for (int tick = 0; tick < 16; ++tick) {
    std::vector<test_event> events;
    const bool fails = tick >= 4 && tick < 12;
    for (int key = 0; key < keys; ++key)
      events.push_back({noon + tick * 10 * second_ms,
                        {"t" + std::to_string(key), "c" + std::to_string(key % 3)},
                        10,
                        fails ? 8 : 0,
                        {}});
    engine.count(make_batch(*shared, 0, events, 0, events.size()));
    const auto begin = std::chrono::steady_clock::now();
    engine.advance(0, noon + (tick + 1) * 10 * second_ms, journal_kind::idle);
    visit(tick, std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - begin).count());
    for (auto& a : engine.take_alerts())
      all.push_back(std::move(a));
  }
  return all;
}

} // namespace

TEST_CASE("twenty thousand keys of a scope that fail at once are one page, and cost no more for being many") {
  constexpr int keys = 20'000;
  double slowest = 0, while_open = 0;
  const auto all = outage(keys, [&](int tick, double milliseconds) {
    slowest = std::max(slowest, milliseconds);
    if (tick >= 7 && tick <= 9)
      while_open = std::max(while_open, milliseconds);
  });
  const auto count = [&](bool pages) {
    return std::count_if(all.begin(), all.end(),
                         [&](const alert& a) { return a.kind == alert_kind::open && (!pages || !a.parent_id); });
  };
  CHECK(count(true) == 1);
  CHECK(count(false) == keys + 1);
  // The bound is wide, for slow machines.
  CHECK(slowest < 4000);
  MESSAGE(slowest << " ms the slowest tick, " << while_open << " ms a tick while they are open");
}
