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

std::string stream(std::uint32_t seed, std::size_t events, time_ms shift = 0) {
  stream_options options;
  options.seed = seed;
  options.events = events;
  options.start += shift;
  return to_text(random_stream(options));
}

} // namespace

TEST_CASE("a corked sink or shard stops the source after a fixed number of bytes; uncorked, nothing is missing") {
  const auto spec = small_world();
  for (const std::string plug : {"sink", "shard", "coordinator", "counter", "decoder"}) {
    std::vector<std::uint64_t> read;
    for (const std::size_t events : {20'000u, 40'000u}) {
      const std::vector<std::string> texts{stream(1, events), stream(2, events)};
      pipeline_case one(spec, texts);
      // Each plug alone must do: no rejects that hold credit, no commit that is late because of the shards.
      one.rejects.reset();
      one.options.commit_interval = plug == "sink" ? 0 : hour_ms;
      const auto& source = *one.source;
      staged_pipeline pipeline(one);
      while (pipeline.progress().commits < 1)
        pipeline.stage.scheduler.try_run_once();
      pipeline.corked = plug;
      pipeline.pass(10'000);
      read.push_back(source.handed_out());
      CHECK_MESSAGE(source.handed_out() < 300'000, plug);
      CHECK_FALSE(pipeline.finished());
      if (events == 40'000)
        continue;
      pipeline.corked.clear();
      REQUIRE(pipeline.run());
      CHECK(one.on->log == log_without_actors(spec, texts));
    }
    CHECK_MESSAGE(read[0] == read[1], plug); // what waits does not depend on what there is
  }
}

TEST_CASE("a partition far ahead waits for the slowest; when that one comes, nothing is missing") {
  const auto spec = small_world();
  const auto fast = stream(1, 20'000, 10 * minute_ms);
  const auto slow = stream(2, 20'000);
  // The slow one gives nothing at first, then its first records, then all.
  pipeline_case one(spec, {fast, ""}, true);
  one.options.live = false;
  auto& source = *one.source;
  staged_pipeline pipeline(one);
  pipeline.pass(5'000);
  // Its first 100 records move nothing yet: they are ahead of a watermark that is not there.
  CHECK(source.handed_out() <= one.options.credit_bytes + 2 * one.options.block_bytes);
  const auto some = slow.find('\n', slow.size() / 3) + 1;
  source.append(1, slow.substr(0, some));
  pipeline.pass(5'000);
  CHECK(source.handed_out() > some + fast.size() / 5);
  CHECK(source.handed_out() < some + fast.size() * 2 / 3);
  CHECK_FALSE(pipeline.finished());
  source.append(1, slow.substr(some));
  source.close();
  REQUIRE(pipeline.run());
  CHECK(one.on->log == log_without_actors(spec, {fast, slow}));
}

TEST_CASE("commits: one an interval while catching up, everything committed at the end") {
  pipeline_case one(small_world(), {stream(1, 5000)});
  one.options.commit_interval = 1000;
  staged_pipeline pipeline(one);
  pipeline.settle(); // time stands still
  REQUIRE(pipeline.finished());
  // The first commit, and the last one, which does not wait.
  CHECK(one.on->commits == 2);
  CHECK(one.on->log == log_without_actors(one.spec, {stream(1, 5000)}));

  pipeline_case eager(small_world(), {stream(1, 5000)});
  eager.options.commit_interval = 0;
  staged_pipeline second(eager);
  REQUIRE(second.run());
  CHECK(eager.on->commits > 10);
  CHECK(eager.on->log == one.on->log);
}

TEST_CASE("commits: what is judged within an interval is committed when it has passed, also if nothing follows") {
  const auto text = stream(1, 3000);
  pipeline_case one(small_world(), {""}, true);
  one.options.live = false;
  one.options.commit_interval = 1000;
  auto& source = *one.source;
  staged_pipeline pipeline(one);
  const auto half = text.find('\n', text.size() / 2) + 1;
  source.append(0, text.substr(0, half / 2));
  pipeline.pass(500);
  source.append(0, text.substr(half / 2, half - half / 2));
  pipeline.pass(350);
  CHECK(one.on->judged_through < pipeline.progress().judged_through);
  pipeline.pass(1000);
  CHECK(one.on->judged_through == pipeline.progress().judged_through);
  CHECK(one.on->judged_through > 0);
}
