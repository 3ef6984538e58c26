#include "tests/support/event_stream.hpp"
#include "tests/support/line_decoder.hpp"
#include "tests/support/pipeline_case.hpp"

#include <doctest/doctest.h>

using namespace tocsin;
using namespace tocsin::test;

namespace {

std::shared_ptr<const world_spec> small_world() {
  return std::make_shared<const world_spec>(two_monitor_world(2));
}

std::vector<std::string> one_stream(std::size_t events = 800) {
  stream_options options;
  options.events = events;
  return {to_text(random_stream(options))};
}

io::error trouble(io::error_code code, bool retriable, bool fatal) {
  return {code, "the moon is full", retriable, fatal};
}

} // namespace

TEST_CASE("failure: a fatal error of the source, the store, the log or the rejects ends the pipeline with it") {
  for (const std::string place : {"read", "open", "commit", "append", "rejects"}) {
    auto texts = one_stream();
    texts[0] = "garbage\n" + texts[0];
    pipeline_case one(small_world(), texts);
    const auto fail = [] { return io::result<void>(trouble(io::error_code::sink, false, true)); };
    if (place == "read")
      one.source->on_read = [&](partition_id) { return fail(); };
    if (place == "open")
      one.store->on_open = fail;
    if (place == "commit")
      one.store->before_commit = fail;
    if (place == "append")
      one.log->before_append = fail;
    if (place == "rejects")
      one.rejects->before_write = fail;
    staged_pipeline pipeline(one);
    REQUIRE_MESSAGE(pipeline.run(), place);
    const auto outcome = pipeline.outcome();
    REQUIRE_MESSAGE(outcome.failure, place);
    CHECK(outcome.failure->code == io::error_code::sink);
    CHECK(outcome.failure->message == "the moon is full");
    CHECK(outcome.final.restarts == 0);
    CHECK(one.complaints == std::vector<std::string>{"the moon is full"});
    CHECK(pipeline.stage.running() == 0);
  }
}

TEST_CASE("failure: a lasting trouble is retried 10 times with growing pauses, then given up") {
  pipeline_case one(small_world(), one_stream());
  one.options.restarts = {1000, 30000, 10000, 10};
  std::vector<time_ms> opened;
  staged_pipeline* running = nullptr;
  one.store->on_open = [&] {
    const auto now = running->stage.scheduler.clock().current_time.time_since_epoch();
    opened.push_back(std::chrono::duration_cast<std::chrono::milliseconds>(now).count());
    return io::result<void>(trouble(io::error_code::state, true, false));
  };
  staged_pipeline pipeline(one);
  running = &pipeline;
  REQUIRE(pipeline.run());
  const auto outcome = pipeline.outcome();
  REQUIRE(outcome.failure);
  CHECK(outcome.failure->code == io::error_code::state);
  CHECK(outcome.failure->message == "the moon is full (given up after 10 restarts without progress)");
  REQUIRE(opened.size() == 11);
  const std::vector<time_ms> pauses{1000, 2000, 4000, 8000, 16000, 30000, 30000, 30000, 30000, 30000};
  for (std::size_t i = 0; i < pauses.size(); ++i)
    CHECK(opened[i + 1] - opened[i] == pauses[i]);
}

TEST_CASE("failure: an exception is a bug, named in the outcome when it lasts") {
  pipeline_case one(small_world(), one_stream());
  one.on_block = [] { throw std::runtime_error("index 7 out of range"); };
  staged_pipeline pipeline(one);
  REQUIRE(pipeline.run());
  REQUIRE(pipeline.outcome().failure);
  CHECK(pipeline.outcome().failure->message ==
        "the decoder stopped unexpectedly: index 7 out of range (given up after 10 restarts without progress)");
  CHECK(pipeline.outcome().failure->code == io::error_code::source);
  CHECK(pipeline.progress().last_error == "the decoder stopped unexpectedly: index 7 out of range");
}

TEST_CASE("failure: damaged state is refused, not half-read") {
  auto durable = std::make_shared<disk>();
  const auto run = [&](std::size_t partitions) {
    pipeline_case one(small_world(), std::vector<std::string>(partitions, one_stream()[0]));
    one.store = std::make_unique<recording_store>(durable);
    one.log = std::make_unique<recording_log>(durable);
    staged_pipeline pipeline(one);
    REQUIRE(pipeline.run());
    return pipeline.outcome();
  };
  CHECK_FALSE(run(1).failure);
  REQUIRE(!durable->state.empty());
  const auto whole = durable->state;

  auto& bytes = durable->state.begin()->second;
  bytes[bytes.size() / 2] = static_cast<char>(bytes[bytes.size() / 2] ^ 1);
  auto outcome = run(1);
  REQUIRE(outcome.failure);
  CHECK(outcome.failure->fatal);
  CHECK(outcome.failure->code == io::error_code::state);
  CHECK(outcome.failure->message.find("the stored state is damaged: ") == 0);

  durable->state = whole;
  durable->state["?"] = "x";
  outcome = run(1);
  REQUIRE(outcome.failure);
  CHECK(outcome.failure->message == "the stored state is damaged: a state record names no shard of this world");

  durable->state = whole;
  outcome = run(2);
  REQUIRE(outcome.failure);
  CHECK(outcome.failure->message == "the stored state has 1 partitions, the input has 2");
  CHECK_FALSE(run(1).failure);
}

TEST_CASE("failure: no input is an error, empty input is none") {
  pipeline_case nothing(small_world(), {});
  staged_pipeline without(nothing);
  REQUIRE(without.run());
  CHECK(without.outcome().failure);

  pipeline_case empty(small_world(), {"", "", ""});
  staged_pipeline pipeline(empty);
  REQUIRE(pipeline.run());
  CHECK_FALSE(pipeline.outcome().failure);
  CHECK(empty.on->log.empty());
}

TEST_CASE("stop: during a back-off it ends at once, with the trouble as the outcome") {
  pipeline_case one(small_world(), one_stream());
  one.options.restarts = {60'000, 60'000, 10000, 10};
  one.store->on_open = [] { return io::result<void>(trouble(io::error_code::state, true, false)); };
  staged_pipeline pipeline(one);
  pipeline.pass(1000);
  CHECK_FALSE(pipeline.finished());
  pipeline.request_stop();
  pipeline.settle();
  REQUIRE(pipeline.finished());
  REQUIRE(pipeline.outcome().failure);
  CHECK(pipeline.outcome().failure->message == "the moon is full");
}

TEST_CASE("rejects reach the dead-letter sink, and hold their credit until then") {
  std::string garbage;
  for (int i = 0; i < 5000; ++i)
    garbage += "not an event at all " + std::to_string(i) + "\n";
  pipeline_case one(small_world(), {garbage + one_stream()[0]});
  const auto& source = *one.source;
  staged_pipeline pipeline(one);
  pipeline.corked = "sink";
  pipeline.pass(1000);
  CHECK(source.handed_out() == 0); // the store is not even open
  pipeline.corked.clear();
  pipeline.stage.scheduler.try_run_once();
  while (source.handed_out() == 0)
    pipeline.stage.scheduler.try_run_once();
  pipeline.corked = "sink";
  pipeline.pass(1000);
  CHECK(source.handed_out() > 0);
  CHECK(source.handed_out() <= one.options.credit_bytes);
  CHECK(one.on->rejects.empty());
  pipeline.corked.clear();
  REQUIRE(pipeline.run());
  CHECK(one.on->rejects.size() >= 5000);
  CHECK(one.on->rejects[4999].excerpt == "not an event at all 4999");
  CHECK(pipeline.progress().counting.rejected[static_cast<std::size_t>(reject_reason::malformed)] == 5000);
}
