#include "tests/support/event_stream.hpp"
#include "tests/support/line_decoder.hpp"
#include "tests/support/pipeline_case.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <memory>

using namespace tocsin;
using namespace tocsin::test;

namespace {

std::vector<std::string> two_streams(std::size_t events = 800) {
  stream_options a, b;
  a.seed = 11;
  b.seed = 12;
  a.events = b.events = events;
  b.start += 2 * minute_ms;
  return {to_text(random_stream(a)), to_text(random_stream(b))};
}

std::shared_ptr<const world_spec> small_world() {
  return std::make_shared<const world_spec>(two_monitor_world(2));
}

const io::error passing_trouble{io::error_code::sink, "a passing trouble", true, false};

/// Throws, or gives a retriable error, at one call.
struct tripwire {
  std::size_t at = 0;
  bool by_exception = false;
  std::size_t calls = 0;
  io::result<void> step() {
    if (++calls != at)
      return {};
    if (by_exception)
      throw std::runtime_error("a bug");
    return passing_trouble;
  }
};

/// Runs a case under a random schedule and ends the actor `victim` just before its `at`-th message. True when it died.
bool run_with_victim(staged_pipeline& pipeline, std::minstd_rand& random, const std::string& victim, std::size_t at) {
  std::size_t seen = 0, steps = 0;
  bool killed = false;
  while (!pipeline.finished() && ++steps < 200'000) {
    auto* next = pipeline.stage.next_actor();
    if (!killed && next != nullptr && victim == next->name() && ++seen == at) {
      caf::anon_send_exit(next->address(), caf::exit_reason::kill);
      killed = true;
    }
    pipeline.step(random);
  }
  REQUIRE(pipeline.finished());
  return killed;
}

} // namespace

TEST_CASE("staged: the alert log is that of the engine without actors") {
  const auto spec = small_world();
  const auto texts = two_streams(3000);
  const auto expected = log_without_actors(spec, texts);
  REQUIRE(expected.size() > 20);
  for (const std::size_t block : {64u, 2048u, 1u << 20}) {
    pipeline_case one(spec, texts);
    one.options.block_bytes = block;
    staged_pipeline pipeline(one);
    REQUIRE(pipeline.run());
    CHECK_FALSE(pipeline.outcome().failure);
    CHECK(one.on->log == expected);
    CHECK(one.on->alerts == expected);
    const auto progress = pipeline.progress();
    CHECK(progress.alerts == expected.size());
    CHECK(progress.bytes == texts[0].size() + texts[1].size());
    CHECK(progress.restarts == 0);
    CHECK(progress.counting.events + progress.counting.rejected[static_cast<std::size_t>(reject_reason::too_late)] +
              progress.counting.rejected[static_cast<std::size_t>(reject_reason::too_far_ahead)] ==
          6000);
    CHECK(progress.committed_through == progress.judged_through);
    CHECK(pipeline.stage.running() == 0);
  }
}

TEST_CASE("staged: 600 schedules with a crash of each actor kind give the same log") {
  const auto spec = small_world();
  const auto texts = two_streams();
  const auto expected = log_without_actors(spec, texts);
  REQUIRE(expected.size() > 3);
  for (const std::string victim : {"source", "decoder", "counter", "coordinator", "shard", "sink"}) {
    int deaths = 0;
    for (std::uint32_t seed = 1; seed <= 100; ++seed) {
      std::minstd_rand random(seed);
      pipeline_case one(spec, texts);
      one.options.commit_interval = seed % 3 == 0 ? 0 : 20 * static_cast<time_ms>(seed % 3);
      staged_pipeline pipeline(one);
      deaths += run_with_victim(pipeline, random, victim, 1 + random() % (victim == "sink" ? 6 : 20));
      CHECK_FALSE(pipeline.outcome().failure);
      REQUIRE_MESSAGE(one.on->log == expected, victim << ", seed " << seed);
      CHECK(pipeline.progress().alerts == expected.size());
      CHECK(pipeline.stage.running() == 0);
    }
    INFO(victim);
    CHECK(deaths > 60); // most runs are long enough for the victim to be hit
  }
}

TEST_CASE("staged: 600 schedules with exceptions and passing errors in source, decoder, store, log give the same log") {
  const auto spec = small_world();
  const auto texts = two_streams();
  const auto expected = log_without_actors(spec, texts);
  std::size_t all_struck = 0;
  for (std::uint32_t seed = 1; seed <= 600; ++seed) {
    std::minstd_rand random(seed);
    pipeline_case one(spec, texts);
    one.options.commit_interval = seed % 2 == 0 ? 0 : 30;
    // Two faults a run, in places that take turns.
    std::vector<std::shared_ptr<tripwire>> wires;
    for (int i = 0; i < 2; ++i) {
      const auto place = (seed + static_cast<std::uint32_t>(i) * 3) % 6;
      auto wire = std::make_shared<tripwire>();
      wire->by_exception = random() % 2 == 0;
      wire->at = 1 + random() % (place < 2 ? 30 : 4);
      wires.push_back(wire);
      switch (place) {
      case 0: one.source->on_read = [wire](partition_id) { return wire->step(); }; break;
      case 1:
        wire->by_exception = true;
        one.on_block = [wire] { static_cast<void>(wire->step()); };
        break;
      case 2: one.store->before_commit = [wire] { return wire->step(); }; break;
      case 3: one.store->after_commit = [wire] { return wire->step(); }; break;
      case 4: one.log->before_append = [wire] { return wire->step(); }; break;
      default: one.store->on_open = [wire] { return wire->step(); };
      }
    }
    staged_pipeline pipeline(one);
    run_with_victim(pipeline, random, "nobody", 0);
    CHECK_FALSE(pipeline.outcome().failure);
    REQUIRE_MESSAGE(one.on->log == expected, "seed " << seed);
    const auto restarts = pipeline.progress().restarts;
    std::size_t struck = 0;
    for (const auto& wire : wires)
      struck += wire->calls >= wire->at ? 1u : 0u;
    CHECK(restarts <= struck); // two faults may strike one incarnation
    CHECK((restarts > 0) == (struck > 0));
    all_struck += struck;
  }
  CHECK(all_struck > 600);
}

TEST_CASE("staged: 200 schedules with crashes and operators' actions give the log of records and journal") {
  auto changed = two_monitor_world(2);
  changed.monitors[0].detectors.push_back({"sr_mixture", "sr", sr_mixture_spec{}});
  const auto spec = std::make_shared<const world_spec>(std::move(changed));
  const auto texts = two_streams();
  const auto without = log_without_actors(spec, texts);
  const std::vector<std::string> victims{"coordinator", "shard", "sink", "counter", "nobody"};
  std::size_t actions = 0, effects = 0;
  for (std::uint32_t seed = 1; seed <= 200; ++seed) {
    std::minstd_rand random(seed);
    pipeline_case one(spec, texts);
    one.options.commit_interval = seed % 3 == 0 ? 0 : 20;
    // Some wait at the start, some come while it runs.
    std::int64_t number = 0;
    const auto ask = [&] {
      operator_action action;
      action.kind = random() % 2 == 0 ? action_kind::accept : action_kind::exclude;
      action.monitor = spec->monitors[random() % 2].name;
      action.from = one.on->judged_through;
      action.to = std::max<time_ms>(0, one.on->judged_through) + end_of_time / 2;
      one.on->requests.push_back({++number, action});
    };
    if (seed % 2 == 0)
      ask();
    one.store->before_commit = [&] {
      if (random() % 2 == 0 && number < 4)
        ask();
      return io::result<void>();
    };
    staged_pipeline pipeline(one);
    run_with_victim(pipeline, random, victims[seed % victims.size()], 1 + random() % 6);
    CHECK_FALSE(pipeline.outcome().failure);
    REQUIRE_MESSAGE(one.on->log == log_without_actors(spec, texts, {}, one.on->actions), "seed " << seed);
    CHECK(one.on->actions.size() + one.on->requests.size() == static_cast<std::size_t>(number));
    actions += one.on->actions.size();
    effects += one.on->log != without ? 1u : 0u;
  }
  MESSAGE(actions << " actions, which change " << effects << " of 200 logs");
  CHECK(actions > 300);
  CHECK(effects > 20);
}

TEST_CASE("staged: the schedules can fail: a mutant without rewind, or without restore, changes the log") {
  const auto spec = small_world();
  const auto texts = two_streams();
  const auto expected = log_without_actors(spec, texts);
  int wrong_without_rewind = 0, wrong_without_restore = 0;
  for (std::uint32_t seed = 1; seed <= 60; ++seed) {
    for (const bool rewind_mutant : {true, false}) {
      std::minstd_rand random(seed);
      pipeline_case one(spec, texts);
      one.options.commit_interval = 0;
      one.source->ignore_seek = rewind_mutant;
      one.store->forget_state = !rewind_mutant;
      staged_pipeline pipeline(one);
      const bool died = run_with_victim(pipeline, random, "counter", 10 + random() % 10);
      if (died && one.on->log != expected)
        ++(rewind_mutant ? wrong_without_rewind : wrong_without_restore);
    }
  }
  MESSAGE("of 60: wrong without rewind " << wrong_without_rewind << ", without restore " << wrong_without_restore);
  CHECK(wrong_without_rewind > 20);
  CHECK(wrong_without_restore > 20);
}

TEST_CASE("staged: stopped at a random moment and continued by a new pipeline, the log is the same") {
  const auto spec = small_world();
  const auto texts = two_streams();
  const auto expected = log_without_actors(spec, texts);
  int stopped_early = 0;
  for (std::uint32_t seed = 1; seed <= 100; ++seed) {
    std::minstd_rand random(seed);
    auto durable = std::make_shared<disk>();
    bool complete = false;
    for (int run = 0; run < 50 && !complete; ++run) {
      pipeline_case one(spec, texts);
      one.on = durable;
      one.store = std::make_unique<recording_store>(durable);
      one.log = std::make_unique<recording_log>(durable);
      one.rejects = std::make_unique<recording_rejects>(durable);
      staged_pipeline pipeline(one);
      const auto patience = 20 + random() % 200;
      for (std::size_t i = 0; i < patience && !pipeline.finished(); ++i)
        pipeline.step(random);
      complete = pipeline.finished();
      if (!complete) {
        pipeline.request_stop();
        REQUIRE(pipeline.run());
        ++stopped_early;
      }
      CHECK_FALSE(pipeline.outcome().failure);
      CHECK(durable->log == durable->alerts);
    }
    CHECK(complete);
    REQUIRE_MESSAGE(durable->log == expected, "seed " << seed);
  }
  CHECK(stopped_early > 100);
}
