#include "detectors/counting/partition_counter.hpp"
#include "detectors/engine/tick_merger.hpp"
#include "tests/support/event_stream.hpp"

#include <doctest/doctest.h>

#include <map>

using namespace tocsin;
using namespace tocsin::test;

namespace {

constexpr time_ms noon = 1462363200000;

std::shared_ptr<const world_spec> plain_world(std::uint64_t max_leaf_cells = 1000, std::uint32_t scope_size = 0) {
  world_spec world;
  monitor_spec monitor;
  monitor.name = "m";
  monitor.dimensions = {"a", "b"};
  monitor.scope_size = scope_size;
  monitor.levels = {{{}}};
  if (scope_size == 1)
    monitor.levels = {{{0}}};
  monitor.capacity.max_leaf_cells = max_leaf_cells;
  world.monitors = {monitor};
  return std::make_shared<const world_spec>(world);
}

test_event at(time_ms time, const char* a = "x", const char* b = "y") {
  return {time, {std::string(a), std::string(b)}, 1, 0, std::nullopt};
}

/// Counts per tick (seconds after noon of its start), over all slices.
std::map<time_ms, std::int64_t> totals(const counted& news) {
  std::map<time_ms, std::int64_t> sums;
  for (const auto& slice : news.slices)
    for (const auto& cell : slice->cells)
      sums[(tick_start(slice->tick, 10 * second_ms) - noon) / second_ms] += cell.total;
  return sums;
}

counted count_all(const std::vector<test_event>& events, std::shared_ptr<const world_spec> spec = plain_world(),
                  bool finish = true) {
  partition_counter counter(spec, 0, {}, beginning_of_time, {});
  counter.count(make_batch(*spec, 0, events, 0, events.size()));
  if (finish)
    counter.finish();
  return counter.take();
}

std::uint64_t rejected(const counted& news, reject_reason reason) {
  return news.stats.rejected[static_cast<std::size_t>(reason)];
}

/// Enough ordinary events at noon that the watermark stands at noon minus the lateness.
std::vector<test_event> warm_up() {
  return std::vector<test_event>(100, at(noon));
}

} // namespace

TEST_CASE("a late event goes to its own tick while that is open, else into the oldest open one") {
  auto events = warm_up();
  events.push_back(at(noon + 14 * second_ms)); // watermark 9 s: the first tick is still open
  events.push_back(at(noon + 3 * second_ms));
  events.push_back(at(noon + 15 * second_ms)); // watermark 10 s: closed
  events.push_back(at(noon + 4 * second_ms));  // late
  const auto news = count_all(events);
  CHECK(totals(news) == std::map<time_ms, std::int64_t>{{0, 101}, {10, 3}});
  CHECK(news.stats.late == 1);
  CHECK(news.stats.events == 104);
}

TEST_CASE("an event older than the correction window is dropped and told") {
  auto events = warm_up();
  events.push_back(at(noon - 5 * second_ms - hour_ms));
  events.push_back(at(noon - 5 * second_ms - hour_ms - 1));
  const auto news = count_all(events);
  CHECK(rejected(news, reject_reason::too_late) == 1);
  REQUIRE(news.rejects.size() == 1);
  CHECK(news.rejects[0].offset == offset_of(101));
  CHECK(news.stats.events == 101);
}

TEST_CASE("a clock in the far future moves nothing") {
  auto events = warm_up();
  for (int i = 0; i < 300; ++i) {
    if (i % 3 == 0)
      events.push_back(at(noon + 400 * day_ms)); // a third of the stream is wrong, but never 100 in a row
    events.push_back(at(noon + i * second_ms));
  }
  const auto news = count_all(events, plain_world(), false);
  CHECK(news.watermark == noon + 294 * second_ms);
  CHECK(rejected(news, reject_reason::too_far_ahead) == 100);
  CHECK(news.stats.events == 400);
}

TEST_CASE("garbage is counted to the last record and told within bounds") {
  const auto spec = plain_world();
  auto batch = make_batch(*spec, 0, warm_up(), 0, 100);
  for (int i = 0; i < 5000; ++i)
    batch.refuse(i, i % 5 == 0 ? reject_reason::bad_time : reject_reason::malformed,
                 [](reject& told) { told.detail = "because"; });
  CHECK(batch.rejects.size() == max_told_rejects);
  partition_counter counter(spec, 0, {}, beginning_of_time, {});
  counter.count(batch);
  const auto news = counter.take();
  CHECK(rejected(news, reject_reason::malformed) == 4000);
  CHECK(rejected(news, reject_reason::bad_time) == 1000);
  REQUIRE(news.rejects.size() == max_told_rejects + 2);
  CHECK(news.rejects[max_told_rejects].detail == "and 3200 more like this before here, since offset 0");
  batch.clear();
  CHECK(batch.untold == decltype(batch.untold){});
}

TEST_CASE("a wrong clock at the very beginning is contradicted by the next record") {
  std::vector<test_event> events{at(noon + 400 * day_ms)};
  for (int i = 0; i < 150; ++i)
    events.push_back(at(noon + i * second_ms));
  const auto news = count_all(events);
  CHECK(rejected(news, reject_reason::too_far_ahead) == 1);
  CHECK(news.stats.events == 150);
}

TEST_CASE("a jump is accepted when a hundred records in a row agree, or at the end") {
  auto events = warm_up();
  for (int i = 0; i < 99; ++i)
    events.push_back(at(noon + 3 * hour_ms + i * second_ms));
  auto waiting = count_all(events, plain_world(), false);
  CHECK(waiting.watermark == noon - 5 * second_ms);
  CHECK(waiting.rewind.offset == 0); // noon's tick is open
  const auto at_end = count_all(events);
  CHECK(at_end.stats.events == 199);
  events.push_back(at(noon + 3 * hour_ms + 99 * second_ms));
  const auto accepted = count_all(events, plain_world(), false);
  CHECK(accepted.watermark == noon + 3 * hour_ms + 94 * second_ms);
  CHECK(accepted.stats.parked == 200); // the first hundred of the stream and the jump
}

TEST_CASE("what lets parked records in without another record is journaled") {
  auto events = warm_up();
  events.push_back(at(noon + 2 * hour_ms));
  const auto spec = plain_world();
  const auto block = make_batch(*spec, 0, events, 0, events.size());
  SUBCASE("a partition is let go, and the parked record leads further") {
    partition_counter counter(spec, 0, {}, beginning_of_time, {});
    counter.count(block);
    counter.advance(noon + 80 * minute_ms, journal_kind::idle);
    const auto news = counter.take();
    CHECK(news.watermark == noon + 2 * hour_ms - 5 * second_ms);
    CHECK(news.journal == std::vector<journal_entry>{{0, offset_of(101), noon + 80 * minute_ms, journal_kind::idle}});
  }
  SUBCASE("the end accepts it, then the input grows by a record that would have contradicted it") {
    const auto at_end = count_all(events);
    REQUIRE(at_end.journal.size() == 1);
    events.push_back(at(noon + second_ms));
    partition_counter again(spec, 0, {}, beginning_of_time, at_end.journal);
    again.count(make_batch(*spec, 0, events, 0, events.size()));
    const auto news = again.take();
    CHECK(rejected(news, reject_reason::too_far_ahead) == 0);
    CHECK(news.watermark == at_end.watermark);
  }
}

TEST_CASE("the highest journal entry at an offset does what all of them did") {
  auto events = warm_up();
  events.push_back(at(noon + 3 * hour_ms));
  events.push_back(at(noon + 2 * hour_ms + second_ms));
  const auto spec = plain_world();
  const auto run = [&](const std::vector<time_ms>& steps) {
    partition_counter counter(spec, 0, {}, beginning_of_time, {});
    counter.count(make_batch(*spec, 0, events, 0, events.size()));
    for (const auto step : steps)
      counter.advance(step, journal_kind::idle);
    counter.finish();
    return totals(counter.take());
  };
  CHECK(run({noon + 65 * minute_ms, noon + 150 * minute_ms}) == run({noon + 150 * minute_ms}));
}

TEST_CASE("a sparse stream with gaps above max_ahead loses nothing") {
  std::vector<test_event> events;
  for (int i = 0; i < 365; ++i)
    events.push_back(at(noon + i * 2 * hour_ms));
  const auto news = count_all(events);
  CHECK(news.stats.events == 365);
  CHECK(news.slices.size() == 365);
  CHECK(news.rejects.empty());
}

TEST_CASE("when a tick's leaf cells are full, new keys share a pooled cell and no count is lost") {
  std::vector<test_event> events = warm_up();
  for (int i = 0; i < 50; ++i)
    events.push_back(at(noon + second_ms, "x", ("k" + std::to_string(i)).c_str()));
  const auto news = count_all(events, plain_world(10));
  CHECK(totals(news)[0] == 150);
  REQUIRE(news.slices.size() == 1);
  CHECK(news.slices[0]->cells.size() == 11);
  CHECK(news.stats.pooled == 41);
}

TEST_CASE("a flood of keys in one scope leaves room for the others") {
  std::vector<test_event> events = warm_up();
  for (int i = 0; i < 500; ++i)
    events.push_back(at(noon + second_ms, "flood", ("k" + std::to_string(i)).c_str()));
  for (int i = 0; i < 20; ++i)
    events.push_back(at(noon + second_ms, "calm", ("k" + std::to_string(i)).c_str()));
  const auto news = count_all(events, plain_world(100, 1));
  std::map<std::string, int> cells;
  for (const auto& slice : news.slices)
    for (const auto& cell : slice->cells) {
      key_reader reader(slice->key_of(cell));
      key_value scope;
      REQUIRE(reader.next(scope));
      ++cells[std::string(scope.text)];
    }
  CHECK(cells["calm"] == 20);
  CHECK(cells["flood"] == 26);
}

TEST_CASE("the slowest partition decides what the world may close, and an ended one no longer counts") {
  tick_merger merger({{}, {}}, beginning_of_time, 10 * second_ms);
  const auto spec = plain_world();
  partition_counter slow(spec, 0, {}, beginning_of_time, {}), fast(spec, 1, {}, beginning_of_time, {});
  const auto feed = [&](partition_counter& counter, partition_id p, const std::vector<test_event>& events) {
    counter.count(make_batch(*spec, p, events, 0, events.size()));
    merger.add(counter.take());
  };
  auto far = warm_up();
  far.push_back(at(noon + 10 * minute_ms));
  feed(fast, 1, far);
  CHECK_FALSE(merger.has_next());
  CHECK_FALSE(merger.gate().may_read(1, 80 * second_ms));
  CHECK(merger.gate().may_read(0, 80 * second_ms));
  auto near = warm_up();
  near.push_back(at(noon + 16 * second_ms));
  feed(slow, 0, near);
  REQUIRE(merger.has_next());
  const auto range = merger.next();
  CHECK(range.through == noon + 10 * second_ms);
  CHECK(range.slices.size() == 2);
  slow.finish();
  merger.add(slow.take());
  REQUIRE(merger.has_next());
  CHECK(merger.next().through == noon + 10 * minute_ms - 10 * second_ms); // the fast one's watermark, on the grid
  const auto points = merger.take_restart_points();
  REQUIRE(points.journal.size() == 1); // the slow partition's end was taken for the end of input
  CHECK(points.journal[0].partition == 0);
  CHECK(points.journal[0].kind == journal_kind::end);
  CHECK(points.journal[0].watermark == noon + 10 * minute_ms - 10 * second_ms);
  fast.finish();
  merger.add(fast.take());
  REQUIRE(merger.has_next());
  CHECK(merger.next().through == noon + 10 * minute_ms + 10 * second_ms);
  CHECK(merger.waiting() == 0);
}
