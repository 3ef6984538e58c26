#include "actors/pipeline.hpp"
#include "tests/support/event_stream.hpp"
#include "tests/support/line_decoder.hpp"
#include "tests/support/pipeline_case.hpp"

#include <doctest/doctest.h>

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <mutex>
#include <thread>

using namespace tocsin;
using namespace tocsin::test;

namespace {

std::shared_ptr<const world_spec> small_world() {
  return std::make_shared<const world_spec>(two_monitor_world(2));
}

std::vector<std::string> two_streams(std::size_t events) {
  stream_options a, b;
  a.seed = 21;
  b.seed = 22;
  a.events = b.events = events;
  return {to_text(random_stream(a)), to_text(random_stream(b))};
}

/// Strikes once, at the given call; may be called by several threads.
struct shared_tripwire {
  int at = 0;
  std::atomic<int> calls{0};
  io::result<void> step() {
    if (++calls == at)
      throw std::runtime_error("a bug");
    return {};
  }
};

/// A door that a test opens for another thread.
class gate {
public:
  void open() {
    const std::lock_guard<std::mutex> lock(mutex_);
    open_ = true;
    changed_.notify_all();
  }
  void pass() {
    std::unique_lock<std::mutex> lock(mutex_);
    changed_.wait(lock, [this] { return open_; });
  }

private:
  std::mutex mutex_;
  std::condition_variable changed_;
  bool open_ = false;
};

} // namespace

TEST_CASE("threaded: 400 small pipelines with crashes, 1 to 4 workers, end with the log of the engine without actors") {
  const auto spec = small_world();
  const auto texts = two_streams(800);
  const auto expected = log_without_actors(spec, texts);
  REQUIRE(!expected.empty());
  std::minstd_rand random(5);
  std::uint64_t restarts = 0;
  for (std::uint32_t run = 0; run < 400; ++run) {
    auto wire = std::make_shared<shared_tripwire>();
    pipeline_case one(spec, texts);
    one.options.workers = 1 + run % 4;
    one.options.commit_interval = run % 3 == 0 ? 0 : 2;
    one.options.restarts = {1, 2, 1000, 10};
    switch (run % 5) {
    case 0: wire->at = 0; break;
    case 1:
      wire->at = 1 + static_cast<int>(random() % 40);
      one.source->on_read = [wire](partition_id) { return wire->step(); };
      break;
    case 2:
      wire->at = 1 + static_cast<int>(random() % 40);
      one.on_block = [wire] { static_cast<void>(wire->step()); };
      break;
    case 3:
      wire->at = 1 + static_cast<int>(random() % 4);
      one.store->after_commit = [wire] { return wire->step(); };
      break;
    default: wire->at = 1 + static_cast<int>(random() % 4); one.log->before_append = [wire] { return wire->step(); };
    }
    actors::pipeline pipeline(one.options, one.take_parts());
    const auto outcome = pipeline.wait();
    CHECK_FALSE(outcome.failure);
    REQUIRE_MESSAGE(one.on->log == expected, "run " << run);
    restarts += outcome.final.restarts;
    CHECK(outcome.final.alerts == expected.size());
    CHECK(outcome.final.committed_through == outcome.final.judged_through);
  }
  CHECK(restarts > 150);
}

TEST_CASE("threaded: a followed stream stops cleanly when asked, from another thread or by the destructor") {
  const auto spec = small_world();
  const auto texts = two_streams(2000);
  for (int run = 0; run < 20; ++run) {
    pipeline_case one(spec, texts, true);
    one.options.idle_timeout = 3'600'000;
    actors::pipeline pipeline(one.options, one.take_parts());
    if (run % 4 == 3)
      continue; // destroyed at once
    while (pipeline.progress().bytes < texts[0].size())
      CHECK_FALSE(pipeline.wait_for(1));
    std::thread([&] { pipeline.request_stop(); }).join();
    const auto outcome = pipeline.wait();
    CHECK_FALSE(outcome.failure);
    CHECK_FALSE(outcome.abandoned);
    CHECK(outcome.final.committed_through == outcome.final.judged_through);
    CHECK(one.on->log == one.on->alerts);
  }
}

TEST_CASE("threaded: a sink that hangs delays the stop no longer than the deadline") {
  gate door;
  pipeline_case one(small_world(), two_streams(2000));
  one.options.shutdown_deadline = 100;
  one.store->before_commit = [&door] {
    door.pass();
    return io::result<void>();
  };
  actors::pipeline pipeline(one.options, one.take_parts());
  CHECK_FALSE(pipeline.wait_for(50));
  pipeline.request_stop();
  const auto asked = std::chrono::steady_clock::now();
  const auto outcome = pipeline.wait();
  CHECK(std::chrono::steady_clock::now() - asked < std::chrono::seconds(5));
  CHECK(outcome.abandoned);
  REQUIRE(outcome.failure);
  CHECK(outcome.failure->message.find("shutdown deadline") != std::string::npos);
  door.open();
}

TEST_CASE("threaded: progress can be read at any time by any thread") {
  pipeline_case one(small_world(), two_streams(20'000));
  one.options.block_bytes = 4096;
  actors::pipeline pipeline(one.options, one.take_parts());
  std::atomic<bool> over{false};
  std::thread reader([&] {
    std::uint64_t events = 0;
    while (!over) {
      const auto now = pipeline.progress();
      CHECK(now.counting.events >= events);
      events = now.counting.events;
      CHECK(now.committed_through <= now.judged_through);
    }
  });
  const auto outcome = pipeline.wait();
  over = true;
  reader.join();
  CHECK_FALSE(outcome.failure);
  CHECK(outcome.final.counting.events > 39'000);
  CHECK(outcome.final.commits >= 2);
  CHECK(outcome.final.state.keys > 0);
}
