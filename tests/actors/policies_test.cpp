#include "actors/commit_policy.hpp"
#include "actors/credit_ledger.hpp"
#include "actors/idle_policy.hpp"
#include "actors/judging_queue.hpp"
#include "actors/restart_policy.hpp"
#include "actors/sequencer.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <numeric>
#include <random>

using namespace tocsin;
using namespace tocsin::actors;

TEST_CASE("credit: what is lent and what is held is always the budget, and nothing on its way exceeds it by a block") {
  constexpr std::uint64_t budget = 1000;
  for (std::uint32_t seed = 1; seed <= 50; ++seed) {
    std::minstd_rand random(seed);
    credit_ledger ledger(2, budget);
    struct {
      std::int64_t purse = 0;
      std::vector<std::uint64_t> on_the_way;
    } source[2];
    for (int step = 0; step < 2000; ++step) {
      const auto p = static_cast<partition_id>(random() % 2);
      auto& mine = source[p];
      switch (random() % 3) {
      case 0: mine.purse += static_cast<std::int64_t>(ledger.lend(p)); break;
      case 1:
        if (mine.purse >= 100) {
          // Now and then a record longer than any block.
          const auto size = random() % 20 == 0 ? 1500u : 1 + random() % 100;
          mine.purse -= static_cast<std::int64_t>(size);
          mine.on_the_way.push_back(size);
        }
        break;
      default:
        if (!mine.on_the_way.empty()) {
          ledger.earn(p, mine.on_the_way.front());
          mine.on_the_way.erase(mine.on_the_way.begin());
        }
      }
      const auto flying = std::accumulate(mine.on_the_way.begin(), mine.on_the_way.end(), std::int64_t{0});
      REQUIRE(ledger.lent(p) == mine.purse + flying);
      REQUIRE(ledger.lent(p) + static_cast<std::int64_t>(ledger.held(p)) == static_cast<std::int64_t>(budget));
      REQUIRE(flying <= static_cast<std::int64_t>(budget) + 1500);
    }
  }
}

TEST_CASE("credit: lending twice gives nothing the second time") {
  credit_ledger ledger(1, 10);
  CHECK(ledger.lend(0) == 10);
  CHECK(ledger.lend(0) == 0);
  ledger.earn(0, 3);
  ledger.earn(0, 4);
  CHECK(ledger.lend(0) == 7);
}

TEST_CASE("commits: the first at once, then one an interval, one in flight") {
  commit_policy policy(1000, 8);
  CHECK(policy.due(50));
  policy.started(50);
  CHECK_FALSE(policy.due(50));
  CHECK_FALSE(policy.due(5000)); // in flight
  policy.finished();
  CHECK_FALSE(policy.due(1049));
  CHECK(policy.due(1050));
  CHECK_FALSE(policy.delay(100)); // nothing to commit
  policy.closed(100);
  CHECK(policy.uncommitted() == 1);
  REQUIRE(policy.delay(100));
  CHECK(*policy.delay(100) == 950);
  CHECK(*policy.delay(2000) == 0);
  policy.started(2000);
  CHECK(policy.uncommitted() == 0);
  CHECK_FALSE(policy.delay(2000));
}

TEST_CASE("commits: a slow sink lets 8 more ranges close, then none until it is done") {
  commit_policy policy(1000, 8);
  policy.started(0);
  for (int i = 0; i < 100; ++i) {
    CHECK(policy.may_close(500)); // not overdue: catching up goes on
    policy.closed(500);
  }
  int closed = 0;
  while (policy.may_close(1000)) {
    policy.closed(1000);
    REQUIRE(++closed <= 8);
  }
  CHECK(closed == 8);
  policy.finished();
  CHECK(policy.may_close(1000));
  CHECK(policy.due(1000));
}

TEST_CASE("restarts: back-off doubles to its limit and starts anew after health") {
  restart_policy policy({1000, 30000, 10000, 100});
  time_ms now = 0;
  for (const time_ms expected : {1000, 2000, 4000, 8000, 16000, 30000, 30000}) {
    policy.restored(now, beginning_of_time);
    const auto delay = policy.failed(now + 1);
    REQUIRE(delay);
    CHECK(*delay == expected);
    now += *delay;
  }
  policy.restored(now, beginning_of_time);
  CHECK(*policy.failed(now + 9999) == 30000);
  policy.restored(now, beginning_of_time);
  CHECK(*policy.failed(now + 10000) == 1000);
  CHECK(*policy.failed(now + 10001) == 2000); // not even restored
}

TEST_CASE("restarts: too many without progress are given up, progress forgives") {
  restart_policy policy({1, 1, 10000, 10});
  time_ms judged = 0;
  for (int round = 0; round < 5; ++round) {
    for (int i = 0; i < 10; ++i) {
      policy.restored(0, judged);
      CHECK(policy.failed(0));
    }
    judged += 10000;
  }
  policy.restored(0, judged);
  for (int i = 0; i < 10; ++i)
    CHECK(policy.failed(0));
  CHECK_FALSE(policy.failed(0));
}

namespace {
tick_gate gate_with(const std::vector<time_ms>& watermarks) {
  tick_gate gate(watermarks.size());
  for (partition_id p = 0; p < watermarks.size(); ++p)
    gate.update(p, watermarks[p], false, beginning_of_time);
  return gate;
}
const idle_policy::settings idle_numbers{30'000, 5'000, 10'000};
} // namespace

TEST_CASE("idle: a silent partition goes up to the slowest of those that are heard") {
  idle_policy policy(3, idle_numbers);
  const auto gate = gate_with({1'000'000, 1'050'000, 1'090'000});
  policy.silent(0, 500);
  CHECK(policy.due(gate, 30'499, 9'999'999).empty()); // too early
  const auto due = policy.due(gate, 30'500, 9'999'999);
  REQUIRE(due.size() == 1);
  CHECK(due[0].partition == 0);
  CHECK(due[0].watermark == 1'050'000);
  CHECK(policy.due(gate, 30'600, 9'999'999).empty()); // told already
  policy.active(0);
  CHECK(policy.due(gate, 99'000, 9'999'999).empty());
}

TEST_CASE("idle: if all are silent the wall clock decides, exact to the millisecond, once a tick") {
  idle_policy policy(2, idle_numbers);
  auto gate = gate_with({1'000'000, 1'004'000});
  policy.silent(0, 0);
  policy.silent(1, 0);
  const time_ms wall = 1'055'123;
  const auto due = policy.due(gate, 30'000, wall);
  REQUIRE(due.size() == 2);
  CHECK(due[0].watermark == wall - 35'000);
  CHECK(due[1].watermark == wall - 35'000);
  gate = gate_with({wall - 35'000, wall - 35'000});
  CHECK(policy.due(gate, 31'000, wall + 1'000).empty());     // no tick ends in between
  CHECK(policy.due(gate, 40'000, wall + 9'877).size() == 2); // 1'029'999 -> 1'030'000
}

TEST_CASE("idle: never backward, never for an ended partition, which does not hold others either") {
  idle_policy policy(2, idle_numbers);
  auto gate = gate_with({1'000'000, 2'000'000});
  policy.silent(0, 0);
  policy.silent(1, 0);
  CHECK(policy.due(gate, 90'000, 900'000).empty());
  gate.update(0, 1'000'000, true, 1'000'000);
  const auto due = policy.due(gate, 90'000, 3'000'000);
  REQUIRE(due.size() == 1);
  CHECK(due[0].partition == 1);
  CHECK(due[0].watermark == 2'965'000);
}

TEST_CASE("idle: random histories never go backward, and never past a partition that is heard") {
  for (std::uint32_t seed = 1; seed <= 100; ++seed) {
    std::minstd_rand random(seed);
    idle_policy policy(4, idle_numbers);
    std::vector<time_ms> marks(4, 1'000'000);
    std::vector<bool> silent(4, false);
    time_ms now = 0;
    for (int step = 0; step < 400; ++step) {
      now += static_cast<time_ms>(random() % 8000);
      const auto p = static_cast<partition_id>(random() % 4);
      if (silent[p] && random() % 4 == 0) {
        silent[p] = false;
        policy.active(p);
      } else if (!silent[p] && random() % 2 == 0) {
        silent[p] = true;
        policy.silent(p, now);
      }
      if (!silent[p])
        marks[p] += static_cast<time_ms>(random() % 20000);
      auto lowest_heard = end_of_time;
      for (partition_id q = 0; q < 4; ++q)
        if (!silent[q])
          lowest_heard = std::min(lowest_heard, marks[q]);
      for (const auto& advance : policy.due(gate_with(marks), now, 1'000'000 + now)) {
        REQUIRE(silent[advance.partition]);
        REQUIRE(advance.watermark > marks[advance.partition]);
        REQUIRE(advance.watermark <= lowest_heard);
        marks[advance.partition] = advance.watermark;
      }
    }
  }
}

TEST_CASE("sequencer: any order in, the right order out") {
  for (std::uint32_t seed = 1; seed <= 50; ++seed) {
    std::minstd_rand random(seed);
    std::vector<std::uint64_t> order(100);
    std::iota(order.begin(), order.end(), 0u);
    std::shuffle(order.begin(), order.end(), random);
    sequencer<std::uint64_t> in_order;
    std::vector<std::uint64_t> out;
    for (const auto number : order) {
      in_order.put(number, number);
      while (const auto next = in_order.next())
        out.push_back(*next);
    }
    CHECK(std::is_sorted(out.begin(), out.end()));
    CHECK(out.size() == 100);
    CHECK(in_order.waiting() == 0);
  }
}

TEST_CASE("judging: requests come back in order, complete, alerts in log order") {
  for (std::uint32_t seed = 1; seed <= 50; ++seed) {
    std::minstd_rand random(seed);
    const std::size_t shards = 1 + random() % 5;
    judging_queue queue(shards);
    std::vector<std::uint64_t> next_answer(shards, 0);
    std::uint64_t opened = 0, returned = 0;
    while (returned < 30) {
      const auto s = random() % (shards + 1);
      if (s == shards && opened < 30) {
        CHECK(queue.open() == opened++);
      } else if (s < shards && next_answer[s] < opened) {
        verdicts answer;
        answer.number = next_answer[s]++;
        answer.alerts.resize(2);
        answer.alerts[0].tick = static_cast<time_ms>(random() % 100);
        answer.alerts[1].tick = static_cast<time_ms>(random() % 100);
        answer.changes.push_back({"k", "v"});
        answer.stats.keys = 1;
        queue.add(std::move(answer));
      }
      while (const auto complete = queue.next()) {
        CHECK(complete->number == returned++);
        CHECK(complete->alerts.size() == 2 * shards);
        CHECK(std::is_sorted(complete->alerts.begin(), complete->alerts.end(), precedes));
        CHECK(complete->changes.size() == shards);
        CHECK(complete->stats.keys == shards);
      }
      CHECK(*std::min_element(next_answer.begin(), next_answer.end()) == returned);
    }
    CHECK(queue.size() == 0);
  }
}
