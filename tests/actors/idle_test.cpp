#include "tests/support/event_stream.hpp"
#include "tests/support/line_decoder.hpp"
#include "tests/support/pipeline_case.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <utility>

using namespace tocsin;
using namespace tocsin::test;

namespace {

constexpr time_ms dawn = 1462363200000;
constexpr time_ms idle_timeout = 30 * second_ms;
constexpr time_ms lateness = 5 * second_ms;
constexpr time_ms tick = 10 * second_ms;

/// Opens as soon as half of a tick fails.
std::shared_ptr<const world_spec> quick_world(time_ms settle = 0) {
  auto world = two_monitor_world(1);
  world.monitors.resize(1);
  threshold_spec half;
  half.rate = half.resolve_rate = 0.5;
  half.window = tick;
  half.min_events = 5;
  world.monitors[0].detectors = {{"threshold", "threshold", half}};
  world.monitors[0].has_viewers = false;
  world.ahead_accept = 1; // the first record already counts
  world.settle = settle;
  return std::make_shared<const world_spec>(std::move(world));
}

std::string events(time_ms from, time_ms to, int failed) {
  std::string text;
  for (auto t = from; t < to; t += 500)
    text += to_line({t, {"v"}, 1, failed, std::nullopt});
  return text;
}

/// A followed pipeline whose wall clock goes with the simulated time, from dawn.
struct followed {
  pipeline_case one;
  scripted_source* source;
  std::unique_ptr<staged_pipeline> pipeline;

  explicit followed(std::size_t partitions, time_ms settle = 0)
      : one(quick_world(settle), std::vector<std::string>(partitions), true), source(one.source.get()) {
    one.options.idle_timeout = idle_timeout;
    one.options.wall_clock = [this] { return wall(); };
    pipeline = std::make_unique<staged_pipeline>(one);
    start = pipeline->stage.scheduler.clock().current_time;
  }
  time_ms wall() const {
    const auto passed = pipeline->stage.scheduler.clock().current_time - start;
    return dawn + std::chrono::duration_cast<std::chrono::milliseconds>(passed).count();
  }
  void until(time_ms wall_time) { pipeline->pass(wall_time - wall()); }
  caf::actor_clock::time_point start;
};

} // namespace

TEST_CASE("idle: an outage followed by silence is judged within idle_timeout + lateness + 2 ticks") {
  // The last record anywhere within a tick.
  for (const time_ms last : {dawn + 61'000, dawn + 65'000, dawn + 69'500}) {
    followed live(1);
    live.source->append(0, events(dawn, dawn + 60'000, 0));
    live.until(dawn + 60'000);
    live.source->append(0, events(dawn + 60'000, dawn + 65'000, 1));
    live.source->append(0, to_line({last, {"v"}, 1, 1, std::nullopt}));
    live.until(last);
    CHECK(live.one.on->log.empty());
    live.until(last + idle_timeout - 2000);
    CHECK(live.one.on->log.empty()); // not let go before its time
    live.until(last + idle_timeout + lateness + 2 * tick);
    REQUIRE(live.one.on->log.size() == 1);
    CHECK(live.one.on->log[0].find("\"open\"") != std::string::npos);
    // Durable with its effect.
    REQUIRE(!live.one.on->journal.empty());
    CHECK(live.one.on->journal[0].kind == journal_kind::idle);
  }
}

TEST_CASE("idle: with settle, silence is judged so much later, and not before") {
  constexpr time_ms settle = 3 * minute_ms;
  followed live(1, settle);
  live.source->append(0, events(dawn, dawn + 60'000, 0));
  live.until(dawn + 60'000);
  live.source->append(0, events(dawn + 60'000, dawn + 65'000, 1));
  const auto last = dawn + 65'000;
  live.until(last + settle + idle_timeout);
  CHECK(live.one.on->log.empty());
  live.until(last + settle + idle_timeout + lateness + 2 * tick);
  REQUIRE(live.one.on->log.size() == 1);
  CHECK(live.one.on->log[0].find("\"open\"") != std::string::npos);
  REQUIRE(!live.one.on->journal.empty());
}

TEST_CASE("idle: a partition that is silent does not hold the others, and follows them, not the wall clock") {
  followed live(2);
  for (time_ms t = dawn; t < dawn + 120'000; t += 5'000) {
    live.source->append(0, events(t, t + 5'000, 0));
    if (t < dawn + 20'000)
      live.source->append(1, events(t, t + 5'000, 0));
    live.until(t + 5'000);
  }
  CHECK(live.pipeline->progress().judged_through >= dawn + 100'000);
  for (const auto& entry : live.one.on->journal) {
    CHECK(entry.partition == 1);
    CHECK(entry.watermark < dawn + 120'000 - lateness);
  }
  CHECK(live.one.on->journal.size() <= 12);
}

TEST_CASE("idle: a partition that catches up is not slowed down by a silent one") {
  followed live(2);
  // Ten hours behind the wall clock; the other one fell silent at their beginning.
  const auto past = dawn - 10 * hour_ms;
  live.source->append(1, events(past, past + 60'000, 0));
  live.source->append(0, events(past, past + 9 * hour_ms, 0));
  live.until(dawn + idle_timeout + 5'000);
  CHECK(live.pipeline->progress().judged_through >= past + 9 * hour_ms - lateness - tick);
}

TEST_CASE("idle: a long silence journals at most once a tick") {
  followed live(2);
  live.source->append(0, events(dawn, dawn + 10'000, 0));
  live.until(dawn + 600'000);
  const auto entries = live.one.on->journal.size();
  CHECK(entries >= 2 * 50);
  CHECK(entries <= 2 * 60);
  CHECK(live.pipeline->progress().judged_through >= dawn + 600'000 - idle_timeout - lateness - 2 * tick);
}

TEST_CASE("idle: a replay that obeys the journal gives the log of the live run; without it, another") {
  followed live(2);
  const auto early = events(dawn, dawn + 30'000, 0) + events(dawn + 30'000, dawn + 35'000, 1);
  // Comes back after it was let go, with records that are late by then, and some that are not.
  const auto late = events(dawn + 35'000, dawn + 60'000, 1) + events(dawn + 120'000, dawn + 150'000, 1);
  const auto steady = events(dawn, dawn + 150'000, 0);
  live.source->append(0, early);
  for (time_ms t = 0; t < 120'000; t += 10'000) {
    live.source->append(1, events(dawn + t, dawn + t + 10'000, 0));
    live.until(dawn + t + 10'000);
  }
  live.source->append(0, late);
  live.source->append(1, events(dawn + 120'000, dawn + 150'000, 0));
  live.source->close();
  REQUIRE(live.pipeline->run());
  const auto& done = *live.one.on;
  REQUIRE(!done.log.empty());
  REQUIRE(!done.journal.empty());

  const std::vector<std::string> texts{early + late, steady};
  CHECK(log_without_actors(live.one.spec, texts, done.journal) == done.log);
  CHECK(log_without_actors(live.one.spec, texts) != done.log);

  pipeline_case again(live.one.spec, texts);
  again.options.given_journal = done.journal;
  staged_pipeline replay(again);
  REQUIRE(replay.run());
  CHECK(again.on->log == done.log);
}

TEST_CASE("idle: after a restart, records that come back late meet the watermark that the journal says") {
  followed live(2);
  bool crash = false;
  live.source->on_read = [&](partition_id) -> io::result<void> {
    if (std::exchange(crash, false))
      throw std::runtime_error("a bug");
    return {};
  };
  // Partition 0 falls silent within a tick and is let go further into that tick: the rewind point lies before the
  // entry.
  const auto early = events(dawn, dawn + 34'000, 0);
  const auto steady = events(dawn, dawn + 41'000, 0);
  live.source->append(0, early);
  // Partition 1 is heard all the time, but far behind the wall clock.
  for (int piece = 0; piece < 3; ++piece) {
    live.until(dawn + 20'000 * (piece + 1));
    live.source->append(1, events(dawn + 14'000 * piece, std::min(dawn + 14'000 * (piece + 1), dawn + 41'000), 0));
  }
  live.until(dawn + 65'000);
  REQUIRE(live.one.on->journal.size() == 1);
  CHECK(live.one.on->journal[0].watermark == dawn + 40'500 - lateness);
  CHECK(live.one.on->partitions[0].rewind.offset < live.one.on->journal[0].offset);
  crash = true;
  live.until(dawn + 70'000);
  CHECK(live.pipeline->progress().restarts == 1);
  std::string late;
  for (auto t = dawn + 20'000; t < dawn + 30'000; t += 500)
    late += to_line({t, {"v"}, 10, 10, std::nullopt});
  live.source->append(0, late);
  live.source->close();
  REQUIRE(live.pipeline->run());
  REQUIRE(!live.one.on->log.empty());
  CHECK(live.one.on->log == log_without_actors(live.one.spec, {early + late, steady}, live.one.on->journal));
}

TEST_CASE("idle: journaled silence survives crashes at any moment") {
  const auto early = events(dawn, dawn + 30'000, 0) + events(dawn + 30'000, dawn + 35'000, 1);
  const auto late = events(dawn + 35'000, dawn + 60'000, 1);
  int restarts = 0;
  for (std::uint32_t seed = 1; seed <= 40; ++seed) {
    std::minstd_rand random(seed);
    followed live(1);
    std::size_t crash_at = 1 + random() % 250, steps = 0;
    const auto live_until = [&](time_ms wall_time) {
      while (live.wall() < wall_time) {
        if (auto* next = live.pipeline->stage.next_actor(); next != nullptr && ++steps == crash_at)
          if (std::string(next->name()) != "supervisor")
            caf::anon_send_exit(next->address(), caf::exit_reason::kill);
        if (!live.pipeline->stage.step(random))
          live.pipeline->stage.advance(std::chrono::milliseconds(50));
      }
    };
    live.source->append(0, early);
    live_until(dawn + 100'000);
    live.source->append(0, late);
    live_until(dawn + 160'000);
    live.source->close();
    REQUIRE(live.pipeline->run());
    restarts += static_cast<int>(live.pipeline->progress().restarts);
    REQUIRE_MESSAGE(log_without_actors(live.one.spec, {early + late}, live.one.on->journal) == live.one.on->log,
                    "seed " << seed);
  }
  CHECK(restarts > 20);
}
