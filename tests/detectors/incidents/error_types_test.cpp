// Error types through the engine: what records tell of them, and incidents of types.

#include "detectors/engine/world.hpp"
#include "tests/support/engine_harness.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <string>

using namespace tocsin;
using namespace tocsin::test;

namespace {

constexpr time_ms tick = 10 * second_ms;

world_spec typed_world(bool has_viewers = false) {
  auto world = one_monitor({"sr_mixture", "sr", sr_mixture_spec{}});
  auto& monitor = world.monitors[0];
  monitor.life.group_wait = 20 * second_ms;
  monitor.has_viewers = has_viewers;
  name_error_type(monitor, "code");
  return world;
}

/// 20 events a second over two CDNs, 1 % of them fail with one of two types.
time_ms usual(harness& engine, time_ms from, int ticks) {
  for (int i = 0; i < ticks; ++i, from += tick)
    for (const auto* cdn : {"a", "b"}) {
      engine.event(from, 99, 0, cdn);
      engine.event(from + 1, 1, 1, cdn, static_cast<std::uint8_t>(i % 64), i % 3 == 0 ? "TIMEOUT" : "DECODE");
    }
  return from;
}

bool is_of_type(const alert& record) {
  return record.level == std::vector<std::string>{"code"};
}

} // namespace

TEST_CASE("a new type is an incident of its own, though the total hardly moves, and goes the way of all incidents") {
  harness engine(typed_world());
  auto now = usual(engine, noon, 3000);
  REQUIRE(engine.all.empty());
  const auto begin = now;
  // Ten failures in a minute, of 1200 events.
  for (int i = 0; i < 6; ++i) {
    engine.event(now + 2, 2, i % 3 == 0 ? 1 : 2, "a", std::nullopt, "HLS_404");
    now = usual(engine, now, 1);
  }
  now = usual(engine, now, 400);
  engine.advance(now);
  REQUIRE(engine.all.size() >= 2);
  const auto& open = engine.all[0];
  CHECK(open.kind == alert_kind::open);
  CHECK(is_of_type(open));
  REQUIRE(open.key.size() == 1);
  CHECK(open.key[0].dimension == "code");
  CHECK(open.key[0].value == "HLS_404");
  CHECK_FALSE(open.parent_id);
  CHECK(open.onset == begin);
  CHECK(open.tick <= begin + minute_ms + 20 * second_ms);
  CHECK(open.measured_value > 3 * open.baseline_value);
  REQUIRE(open.error_types.size() == 1);
  CHECK(open.error_types[0].type == "HLS_404");
  CHECK(open.error_types[0].failures == open.failures);
  CHECK(open.error_types[0].expected == 0);
  CHECK(open.once_in_days.value() > 1);
  // All records are of this incident; the last closes it.
  for (const auto& record : engine.all)
    CHECK(record.id == open.id);
  CHECK(engine.all.back().kind == alert_kind::resolve);
  CHECK(engine.all.back().failures == 10);
  CHECK(engine.engine().state_stats().open_incidents == 0);
}

TEST_CASE("records name the types that make the excess, and what was expected of each") {
  harness engine(typed_world());
  auto now = usual(engine, noon, 3000);
  for (int i = 0; i < 60; ++i) {
    engine.event(now + 2, 10, 9, "a", std::nullopt, "TIMEOUT");
    engine.event(now + 3, 10, 1, "a");
    now = usual(engine, now, 1);
  }
  now = usual(engine, now, 400);
  engine.advance(now);
  const auto opens = engine.of("open", 1);
  const auto page = std::find_if(opens.begin(), opens.end(), [](const alert& one) { return !one.parent_id; });
  REQUIRE(page != opens.end());
  CHECK(page->key[0].value == "a");
  REQUIRE(page->error_types.size() >= 2);
  CHECK(page->error_types[0].type == "TIMEOUT");
  CHECK(page->error_types[1].type == std::nullopt);
  // A third of what the key was expected to have; the tick of the onset counts in whole.
  CHECK(page->error_types[0].expected == doctest::Approx(page->expected_failures / 3).epsilon(0.01));
  CHECK(page->error_types[1].expected == 0);
  std::int64_t named = 0;
  for (const auto& type : page->error_types)
    named += type.failures;
  CHECK(named == page->failures);
  // The last record tells all of them.
  const auto last =
      std::find_if(engine.all.rbegin(), engine.all.rend(), [&](const alert& one) { return one.id == page->id; });
  CHECK(last->kind == alert_kind::resolve);
  CHECK(last->error_types[0].failures > page->error_types[0].failures);
  CHECK(last->error_types[0].failures >= 540);
}

TEST_CASE("an outage with a type of its own is one page") {
  harness engine(typed_world());
  auto now = usual(engine, noon, 3000);
  for (int i = 0; i < 60; ++i) {
    engine.event(now + 2, 10, 8, "a", std::nullopt, "NEW");
    now = usual(engine, now, 1);
  }
  now = usual(engine, now, 400);
  engine.advance(now);
  std::size_t pages = 0, of_types = 0;
  for (const auto& record : engine.all) {
    pages += record.kind == alert_kind::open && !record.parent_id ? 1U : 0U;
    of_types += record.kind == alert_kind::open && is_of_type(record) ? 1U : 0U;
  }
  CHECK(pages == 1);
  CHECK(of_types == 1);
  CHECK(engine.engine().state_stats().open_incidents == 0);
}

TEST_CASE("one viewer who meets a new error again and again does not page") {
  for (const bool is_one : {true, false}) {
    CAPTURE(is_one);
    harness engine(typed_world(true));
    auto now = usual(engine, noon, 3000);
    for (int i = 0; i < 30; ++i) {
      engine.event(now + 2, 2, 2, "a", static_cast<std::uint8_t>(is_one ? 7 : 2 * i), "NEW");
      now = usual(engine, now, 1);
    }
    engine.advance(now);
    CHECK(std::none_of(engine.all.begin(), engine.all.end(), is_of_type) == is_one);
  }
}

TEST_CASE("a restart in the middle of an incident of a type goes on with the same bytes") {
  const auto spec = std::make_shared<const world_spec>(typed_world());
  std::vector<test_event> events;
  auto now = noon;
  const auto add = [&](std::int64_t total, std::int64_t failed, const char* type) {
    events.push_back({now, {std::string("a")}, total, failed, std::nullopt, std::string(type)});
  };
  for (int i = 0; i < 900; ++i, now += tick) {
    add(200, 2, "usual");
    if (i >= 600 && i < 620)
      add(2, 2, "NEW");
  }
  const auto run = [&](std::size_t stop) {
    std::vector<alert> all;
    auto engine = std::make_unique<world>(spec, 1);
    world_snapshot durable;
    for (std::size_t i = 0; i < events.size(); ++i) {
      engine->count(make_batch(*spec, 0, events, i, i + 1));
      for (auto& one : engine->take_alerts())
        all.push_back(std::move(one));
      if (i + 1 != stop)
        continue;
      durable = engine->take_commit();
      engine = std::make_unique<world>(spec, 1, durable);
      REQUIRE_FALSE(engine->error());
      i = static_cast<std::size_t>(durable.rewinds[0].offset) / 10 - 1;
      stop = 0;
    }
    engine->finish(0);
    for (auto& one : engine->take_alerts())
      all.push_back(std::move(one));
    return all;
  };
  const auto straight = run(0);
  REQUIRE(std::any_of(straight.begin(), straight.end(), is_of_type));
  for (const std::size_t stop : {601U, 606U, 612U, 625U, 700U}) {
    CAPTURE(stop);
    const auto again = run(stop);
    REQUIRE(again.size() == straight.size());
    for (std::size_t i = 0; i < again.size(); ++i) {
      CHECK(again[i].id == straight[i].id);
      CHECK(again[i].tick == straight[i].tick);
      CHECK(again[i].failures == straight[i].failures);
      CHECK(again[i].evidence == straight[i].evidence);
      REQUIRE(again[i].error_types.size() == straight[i].error_types.size());
      for (std::size_t t = 0; t < again[i].error_types.size(); ++t) {
        CHECK(again[i].error_types[t].failures == straight[i].error_types[t].failures);
        CHECK(again[i].error_types[t].expected == straight[i].error_types[t].expected);
      }
    }
  }
}
