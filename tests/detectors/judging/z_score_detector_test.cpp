// The detector through the engine: records in, alert records out.

#include "tests/support/engine_harness.hpp"

#include <doctest/doctest.h>

using namespace tocsin;
using namespace tocsin::test;

namespace {

constexpr time_ms window = 1 * minute_ms; // six ticks
constexpr std::size_t quarantine = 12;

z_score_spec settings_of_test() {
  z_score_spec settings;
  settings.window = window;
  settings.history = 50;
  settings.min_history = 5;
  return settings;
}

world_spec world_of_test(z_score_spec settings = settings_of_test()) {
  return one_monitor({"z_score", "z_score", settings});
}

/// One window of a thousand events, in its second tick.
void feed(harness& h, int number, std::int64_t failed, std::int64_t total = 1000) {
  h.event(noon + number * window + 10 * second_ms, total, failed);
}

/// Windows of 1.5 and 2.5 %: mean 2 %, deviation half a point (chance gives 0.44 points).
int feed_quiet(harness& h, int from, int many) {
  for (int i = from; i < from + many; ++i)
    feed(h, i, i % 2 == 0 ? 15 : 25);
  return from + many;
}

} // namespace

TEST_CASE("z_score opens at an outlier and closes when the rate is normal again") {
  harness h(world_of_test());
  auto next = feed_quiet(h, 0, 40);
  feed(h, next++, 37); // 3.4 deviations
  next = feed_quiet(h, next, 2);
  CHECK(h.all.empty());
  const auto outage = next;
  feed(h, next++, 60);
  feed(h, next++, 60);
  feed(h, next++, 32); // 2.4: neither
  feed(h, next++, 22);
  h.advance(noon + next * window);
  const auto opened = h.of("open", 0);
  REQUIRE(opened.size() == 1);
  CHECK(opened[0].tick == noon + (outage + 1) * window); // at the end of the window, not of the tick with the events
  CHECK(opened[0].onset == noon + outage * window);
  CHECK(opened[0].sample_size == 1000);
  CHECK(opened[0].failures == 60);
  CHECK(opened[0].baseline_value == doctest::Approx(0.02).epsilon(0.02));
  CHECK(opened[0].model[0].first == "z_score");
  CHECK(opened[0].model[0].second == doctest::Approx(8).epsilon(0.05));
  CHECK(opened[0].closes_when.find("window of 1m less than 2 standard deviations") != std::string::npos);
  const auto resolved = h.of("resolve", 0);
  REQUIRE(resolved.size() == 1);
  CHECK(resolved[0].tick == noon + next * window);
}

TEST_CASE("z_score judges nothing before its history, which begins behind the quarantine") {
  for (const bool enough : {false, true}) {
    harness h(world_of_test());
    // A window is learned when the 12 after it have been judged.
    auto next = feed_quiet(h, 0, 5 + quarantine - (enough ? 0 : 1));
    feed(h, next++, 500);
    h.advance(noon + next * window);
    CHECK(h.of("open", 0).size() == (enough ? 1 : 0));
  }
}

TEST_CASE("z_score: windows without events do not exist, and windows lie on the clock") {
  harness h(world_of_test());
  for (int i = 0; i < 40; ++i)
    h.event(noon + i * hour_ms + 59 * second_ms, 1000, i % 2 == 0 ? 15 : 25); // in the last tick
  h.event(noon + 40 * hour_ms + 59 * second_ms, 500, 0);
  h.event(noon + 40 * hour_ms + 60 * second_ms, 500, 60); // the next window
  h.advance(noon + 41 * hour_ms);
  REQUIRE(h.of("open", 0).size() == 1);
  CHECK(h.of("open", 0)[0].onset == noon + 40 * hour_ms + 60 * second_ms);
  CHECK(h.of("open", 0)[0].sample_size == 500);
}

TEST_CASE("z_score does not learn from an open incident, nor from windows just before it ends") {
  harness h(world_of_test());
  auto next = feed_quiet(h, 0, 40);
  for (int i = 0; i < 60; ++i) // more than history and quarantine
    feed(h, next++, 60);
  h.advance(noon + next * window);
  CHECK(h.of("open", 0).size() == 1);
  CHECK(h.of("resolve", 0).empty());
  next = feed_quiet(h, next, 30);
  h.advance(noon + next * window);
  CHECK(h.of("resolve", 0).size() == 1);
  feed(h, next++, 60);
  h.advance(noon + next * window);
  REQUIRE(h.of("open", 0).size() == 2);
  CHECK(h.of("open", 0)[1].baseline_value == doctest::Approx(0.02).epsilon(0.03));
}

TEST_CASE("z_score learns what the gates keep quiet, so that a small shift becomes the normal rate") {
  auto spec = world_of_test();
  spec.monitors[0].gates.min_ratio = 10;
  harness h(spec);
  auto next = feed_quiet(h, 0, 40);
  for (int i = 0; i < 400; ++i)
    feed(h, next++, 60);
  CHECK(h.all.empty());
  spec.monitors[0].gates.min_ratio = 1.25;
  harness heard(spec);
  next = feed_quiet(heard, 0, 40);
  feed(heard, next++, 60);
  heard.advance(noon + next * window);
  CHECK(heard.of("open", 0).size() == 1);
  bool shown = false;
  for (const auto& shard : h.engine().shards())
    shard.for_each_key([&](const key_view& key) {
      for (const auto& [name, value] : key.facts)
        if (name == "z_score.mean") {
          CHECK(value == "6 %");
          shown = true;
        }
    });
  CHECK(shown);
}

TEST_CASE("z_score: a spotless history makes no alarm of one failure, but of ten") {
  auto spec = world_of_test();
  spec.monitors[0].gates.min_excess_failures = 0;
  for (const std::int64_t failures : {1, 10}) {
    harness h(spec);
    int next = 0;
    while (next < 30)
      feed(h, next++, 0, 100'000);
    feed(h, next++, failures, 100'000);
    h.advance(noon + next * window);
    CHECK(h.of("open", 0).empty()); // 1e-4 is below the gate of 0.2 points
    harness busy(spec);
    next = 0;
    while (next < 30)
      feed(busy, next++, 0, 1000);
    feed(busy, next++, failures, 1000);
    busy.advance(noon + next * window);
    CHECK(busy.of("open", 0).size() == (failures == 10 ? 1 : 0));
  }
}

TEST_CASE("z_score: one viewer who retries is no outlier") {
  auto spec = world_of_test();
  spec.monitors[0].has_viewers = true;
  harness one(spec), many(spec);
  int next = 0;
  for (auto* h : {&one, &many}) {
    next = feed_quiet(*h, 0, 40);
    for (int i = 0; i < 40; ++i)
      h->event(noon + next * window + i, 5, 5, "a", static_cast<std::uint8_t>(h == &one ? 7 : i));
    h->event(noon + next * window + 41, 800, 0);
    h->advance(noon + (next + 1) * window);
  }
  CHECK(one.all.empty());
  CHECK(many.of("open", 0).size() == 1);
}
