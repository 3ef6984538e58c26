// The two detectors and the life cycle through the engine: records in, alert records out.

#include "tests/support/engine_harness.hpp"

#include <doctest/doctest.h>

#include <vector>

using namespace tocsin;
using namespace tocsin::test;

namespace {

detector_spec threshold(threshold_spec settings) {
  return {"threshold", "threshold", settings};
}
detector_spec count_bucket(count_bucket_spec settings) {
  return {"count_bucket", "count_bucket", settings};
}

threshold_spec five_percent() {
  threshold_spec settings;
  settings.rate = 0.05;
  settings.resolve_rate = 0.02;
  settings.window = 1 * minute_ms;
  settings.hold = 30 * second_ms;
  settings.resolve_hold = 1 * minute_ms;
  settings.min_events = 50;
  return settings;
}

} // namespace

TEST_CASE("threshold opens after its hold time and resolves after its own") {
  harness h(one_monitor(threshold(five_percent())));
  h.steady(noon, 12, 100, 1);
  CHECK(h.all.empty());
  const auto outage = noon + 2 * minute_ms;
  h.steady(outage, 12, 100, 50); // above at the first tick: 55 of 600
  h.steady(outage + 2 * minute_ms, 18, 100, 0);
  const auto opened = h.of("open", 0);
  REQUIRE(opened.size() == 1);
  CHECK(opened[0].tick == outage + 40 * second_ms);  // 30 s after the end of the first tick above
  CHECK(opened[0].onset == outage - 50 * second_ms); // the beginning of the first window above
  CHECK(opened[0].baseline_value == 0.05);
  CHECK(opened[0].sample_size == 900);
  CHECK(opened[0].failures == 205);
  CHECK(opened[0].closes_when == "rate below 2 % for 1m");
  const auto resolved = h.of("resolve", 0);
  REQUIRE(resolved.size() == 1);
  CHECK(resolved[0].id == opened[0].id);
  CHECK(resolved[0].revision > 0);
  // The last bad tick leaves the window 1 min after it ended; then the rate must stay low for a minute.
  CHECK(resolved[0].tick == outage + 2 * minute_ms + 1 * minute_ms + 1 * minute_ms);
  CHECK(*resolved[0].measured_value_on_close == 0);
  CHECK(h.of("open", 1).size() == 1);
}

TEST_CASE("threshold: a break during the hold time starts it again, and few events decide nothing") {
  harness h(one_monitor(threshold(five_percent())));
  for (int i = 0; i < 10; ++i) {
    h.steady(noon + i * 3 * minute_ms, 2, 100, 50);
    h.steady(noon + i * 3 * minute_ms + 20 * second_ms, 10, 1000, 0);
  }
  CHECK(h.all.empty());
  h.steady(noon + hour_ms, 30, 8, 8); // 48 events in a window of a minute, all failed
  CHECK(h.all.empty());
}

TEST_CASE("threshold: events that leave the window may break the condition without a new event") {
  auto settings = five_percent();
  settings.hold = 2 * minute_ms;
  harness h(one_monitor(threshold(settings)));
  h.event(noon, 100, 50);
  h.advance(noon + hour_ms); // nothing for an hour: the window is empty after a minute
  CHECK(h.all.empty());
  settings.hold = 40 * second_ms;
  harness shorter(one_monitor(threshold(settings)));
  shorter.event(noon, 100, 50);
  shorter.advance(noon + hour_ms);
  REQUIRE(shorter.of("open", 0).size() == 1); // by the reminder: no event came after the first
  CHECK(shorter.of("open", 0)[0].tick == noon + 50 * second_ms);
  CHECK(shorter.of("open", 0)[0].source_offsets.empty());
}

TEST_CASE("threshold: a key that became quiet still resolves, but not in silence") {
  harness h(one_monitor(threshold(five_percent())));
  h.steady(noon, 12, 100, 50);
  REQUIRE(h.of("open", 0).size() == 1);
  h.advance(noon + 20 * minute_ms); // no events: nobody can say that it is over
  CHECK(h.of("resolve", 0).empty());
  h.steady(noon + 20 * minute_ms, 12, 1, 0); // far fewer than min_events
  CHECK(h.of("resolve", 0).size() == 1);
}

TEST_CASE("one viewer who retries does not raise a threshold") {
  auto spec = one_monitor(threshold(five_percent()));
  spec.monitors[0].has_viewers = true;
  harness one(spec), many(spec);
  for (int tick = 0; tick < 30; ++tick)
    for (int i = 0; i < 20; ++i) {
      const auto time = noon + tick * 10 * second_ms + i;
      one.event(time, 5, 5, "a", std::uint8_t{7});
      one.event(time, 5, 0, "a");
      many.event(time, 5, 5, "a", static_cast<std::uint8_t>(i));
      many.event(time, 5, 0, "a");
    }
  CHECK(one.all.empty());
  const auto opened = many.of("open", 0);
  REQUIRE(opened.size() == 1);
  CHECK(*opened[0].affected_viewers >= 15);
  CHECK(*opened[0].affected_viewers <= 30);
}

TEST_CASE("an open incident is updated by the clock, by its impact and by its severity, and expires in silence") {
  auto settings = five_percent();
  settings.hold = 0;
  harness h(one_monitor(threshold(settings)));
  h.steady(noon, 6 * 90, 100, 30); // 90 minutes
  h.advance(noon + 9 * day_ms);
  REQUIRE(h.of("open", 0).size() == 1);
  const auto open = h.of("open", 0)[0];
  CHECK(open.level_of_harm == severity::critical); // 25 excess failures in 10 s are 9000 an hour
  const auto updates = h.of("update", 0);
  REQUIRE(updates.size() >= 2);
  for (std::size_t i = 1; i < updates.size(); ++i)
    CHECK(updates[i].tick - updates[i - 1].tick <= 30 * minute_ms);
  // After the last event the updates go on by the clock until the key expires.
  const auto expired = h.of("expire", 0);
  REQUIRE(expired.size() == 1);
  const auto last_event_tick_end = noon + 90 * minute_ms;
  CHECK(expired[0].tick == last_event_tick_end + 8 * day_ms);
  CHECK(expired[0].status == alert_status::expired);
  CHECK(expired[0].id == open.id);
  CHECK(h.engine().state_stats().keys == 0);
  CHECK(h.engine().state_stats().keys_expired == 2);
  for (std::size_t i = 0; i + 1 < h.all.size(); ++i)
    CHECK(!precedes(h.all[i + 1], h.all[i]));
}

TEST_CASE("severity rises at once and falls only after ten minutes") {
  auto settings = five_percent();
  settings.hold = 0;
  settings.window = 10 * second_ms;
  auto spec = one_monitor(threshold(settings));
  harness h(spec);
  h.steady(noon, 1, 100, 60);                             // 60 %: critical
  h.steady(noon + 10 * second_ms, 6 * 60, 50'000, 2'550); // 5.1 %, about 18,000 excess an hour: critical still
  CHECK(h.of("open", 0)[0].level_of_harm == severity::critical);
  harness falling(spec);
  falling.steady(noon, 1, 100, 60);
  falling.steady(noon + 10 * second_ms, 6 * 60, 60, 3); // exactly 5 %: no further excess
  const auto updates = falling.of("update", 0);
  REQUIRE(!updates.empty());
  bool fell = false;
  for (const auto& u : updates)
    if (u.level_of_harm != severity::critical && !fell) {
      fell = true;
      CHECK(u.tick - noon >= 10 * minute_ms);
    }
  CHECK(fell);
}

TEST_CASE("count_bucket opens on an extreme outlier, closes on a normal bucket and knows nothing before its baseline") {
  count_bucket_spec settings;
  harness h(one_monitor(count_bucket(settings)));
  h.steady(noon - 1 * hour_ms, 5, 200, 40); // an outage before any baseline: nobody can tell
  CHECK(h.all.empty());
  h.steady(noon, 6 * 30, 100, 1, "a");
  CHECK(h.all.empty());
  const auto outage = noon + 30 * minute_ms;
  h.steady(outage, 20, 100, 20, "b");
  h.steady(outage + 200 * second_ms, 60, 100, 1, "b");
  const auto key = h.of("open", 1);
  REQUIRE(key.size() == 1);
  CHECK(key[0].tick == outage + 10 * second_ms); // 100 events fill the key's bucket in one tick
  CHECK(key[0].sample_size == 100);
  CHECK(key[0].failures == 20);
  CHECK(key[0].baseline_value > 0.01);
  CHECK(key[0].baseline_value < 0.05);
  const auto root = h.of("open", 0);
  REQUIRE(root.size() == 1);
  CHECK(root[0].tick == outage + 100 * second_ms); // 1000 events
  CHECK(h.of("resolve", 1).size() == 1);
  CHECK(h.of("resolve", 1)[0].tick == outage + 210 * second_ms);
  CHECK(h.of("resolve", 0).size() == 1);
}

TEST_CASE("the gates hold back what is too small to matter") {
  count_bucket_spec settings;
  settings.outlier = 0.2;
  auto spec = one_monitor(count_bucket(settings));
  harness h(spec);
  h.steady(noon, 6 * 60, 1000, 10);
  const auto later = noon + hour_ms;
  h.steady(later, 20, 1000, 11); // 1.1 times the baseline: an outlier by the setting, not by the gates
  CHECK(h.all.empty());
  spec.monitors[0].gates.min_ratio = 1;
  spec.monitors[0].gates.min_difference = 0;
  spec.monitors[0].gates.min_excess_failures = 0;
  spec.monitors[0].detectors[0].settings = [] {
    count_bucket_spec loose;
    loose.outlier = 0.49;
    return loose;
  }();
  harness open_gates(spec);
  open_gates.steady(noon, 6 * 60, 1000, 10);
  open_gates.steady(later, 20, 1000, 11);
  CHECK(!open_gates.all.empty());
}

TEST_CASE("weights and single events are the same to the engine") {
  harness weighted(one_monitor(threshold(five_percent()))), single(one_monitor(threshold(five_percent())));
  for (int tick = 0; tick < 40; ++tick) {
    const auto failed = tick >= 10 && tick < 25 ? 30 : 1;
    weighted.event(noon + tick * 10 * second_ms, 60, failed);
    for (int i = 0; i < 60; ++i)
      single.event(noon + tick * 10 * second_ms, 1, i < failed ? 1 : 0);
  }
  REQUIRE(weighted.all.size() == single.all.size());
  REQUIRE(weighted.all.size() >= 4);
  for (std::size_t i = 0; i < weighted.all.size(); ++i) {
    CHECK(weighted.all[i].id == single.all[i].id);
    CHECK(weighted.all[i].tick == single.all[i].tick);
    CHECK(weighted.all[i].failures == single.all[i].failures);
    CHECK(weighted.all[i].expected_failures == single.all[i].expected_failures);
  }
}
