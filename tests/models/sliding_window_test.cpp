#include "models/sliding_window.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <cstdint>
#include <deque>
#include <limits>
#include <map>
#include <random>
#include <tuple>
#include <utility>
#include <vector>

using namespace tocsin;

namespace {

std::int64_t floor_divide(std::int64_t a, std::int64_t b) {
  auto q = a / b;
  if (q * b > a)
    --q;
  return q;
}

// Keeps every addition and sums what is inside, each time anew.
class naive_window {
public:
  naive_window(std::int64_t span, std::int64_t buckets) : span_(span), buckets_(buckets) {}

  void advance(std::int64_t tick) {
    current_ = std::max(current_, floor_divide(tick, span_));
    while (!events_.empty() && events_.front().bucket <= current_ - buckets_)
      events_.pop_front();
  }
  void add(std::uint32_t slot, const window_counts& counts) { events_.push_back({current_, slot, counts}); }
  void forget(const std::vector<bool>& slots) {
    const auto is_gone = [&](const event& e) { return e.slot < slots.size() && slots[e.slot]; };
    events_.erase(std::remove_if(events_.begin(), events_.end(), is_gone), events_.end());
  }
  window_counts sums(std::uint32_t slot) const {
    window_counts result;
    for (const auto& e : events_)
      if (e.slot == slot)
        result += e.counts;
    return result;
  }

private:
  struct event {
    std::int64_t bucket;
    std::uint32_t slot;
    window_counts counts;
  };
  std::int64_t span_, buckets_;
  std::int64_t current_ = sliding_window::no_bucket;
  std::deque<event> events_;
};

using contents = std::map<std::pair<std::int64_t, std::uint32_t>, window_counts>;

// What a store would hold; refuses a slot that appears twice in a bucket.
contents contents_of(const sliding_window& window) {
  contents result;
  window.for_each_bucket([&](std::int64_t bucket, const std::vector<sliding_window::entry>& entries) {
    for (const auto& e : entries)
      REQUIRE(result.emplace(std::pair(bucket, e.slot), e.counts).second);
  });
  return result;
}

window_counts random_counts(std::mt19937_64& random) {
  const auto total = static_cast<std::int64_t>(random() % 50);
  const auto failed = static_cast<std::int64_t>(random() % static_cast<std::uint64_t>(total + 1));
  return {total, failed, failed / 2};
}

std::int64_t random_step(std::mt19937_64& random, std::int64_t window_ticks) {
  switch (random() % 20) {
  case 0: return static_cast<std::int64_t>(random() % 1'000'000'000'000);
  case 1: return static_cast<std::int64_t>(random() % static_cast<std::uint64_t>(3 * window_ticks));
  case 2: return -static_cast<std::int64_t>(random() % 10); // must change nothing
  default: return static_cast<std::int64_t>(random() % 4);
  }
}

struct setting {
  std::int64_t span;
  std::size_t buckets;
};

sliding_window copy_in_any_order(const sliding_window& window, setting s, std::mt19937_64& random) {
  std::vector<std::tuple<std::int64_t, std::uint32_t, window_counts>> saved;
  for (const auto& [where, counts] : contents_of(window))
    saved.emplace_back(where.first, where.second, counts);
  std::shuffle(saved.begin(), saved.end(), random);
  sliding_window result(s.span, s.buckets);
  result.resize(window.size());
  for (const auto& [bucket, slot, counts] : saved)
    result.restore(bucket, slot, counts);
  return result;
}

} // namespace

TEST_CASE("buckets are saved once, when they are complete, if the owner saves current() with each key") {
  std::mt19937 random(11);
  const auto tick_after = [&](std::int64_t tick) { return tick + static_cast<std::int64_t>(random() % 4); };
  const window_shape shape{5, 4};
  constexpr std::uint32_t keys = 6;
  sliding_window live(shape);
  live.resize(keys);
  std::map<std::int64_t, std::vector<sliding_window::entry>> pages;
  std::map<std::uint32_t, std::pair<std::int64_t, window_counts>> records; // of keys touched since the last save
  std::size_t written = 0;
  std::int64_t tick = -40;
  for (int step = 0; step < 400; ++step, tick = tick_after(tick)) {
    live.advance(tick);
    for (std::uint32_t slot = 0; slot < keys; ++slot)
      if (random() % 3 == 0) {
        live.add(slot, {2, 1, 1});
        records[slot] = {live.current_bucket(), live.current(slot)};
      }
    if (step % 3 != 0)
      continue;
    for (const auto bucket : live.take_evicted())
      pages.erase(bucket);
    for (const auto bucket : live.take_completed()) {
      CHECK(bucket < live.current_bucket());
      pages[bucket] = live.bucket(bucket);
      ++written;
    }
    // Restart from pages and records, now and then for good.
    sliding_window again(shape);
    again.resize(keys);
    for (const auto& [bucket, entries] : pages)
      for (const auto& e : entries)
        again.restore(bucket, e.slot, e.counts);
    again.advance(tick);
    for (const auto& [slot, record] : records)
      if (pages.count(record.first) == 0 && record.first > again.current_bucket() - again.buckets())
        again.restore(record.first, slot, record.second, false);
    again.advance(tick);
    for (std::uint32_t slot = 0; slot < keys; ++slot) {
      CHECK(again.sums(slot) == live.sums(slot));
      CHECK(again.current(slot) == live.current(slot));
    }
    if (step % 10 == 0)
      live = again;
  }
  CHECK(written > 80);
  CHECK(written < 140); // about one a bucket: 400 steps of 1.5 ticks in buckets of 5
}

TEST_CASE("a coarse window costs the same however long it is, and never sees more than a bucket less or more") {
  for (const std::int64_t tick : {1'000, 7'000, 10'000, 60'000, 3'600'000})
    for (const std::int64_t length : {1'000, 60'000, 300'000, 1'800'000, 3'600'000, 21'600'000, 259'200'000}) {
      CAPTURE(tick);
      CAPTURE(length);
      const auto shape = choose_window(length, tick, 12);
      const auto buckets = static_cast<std::int64_t>(shape.buckets);
      const auto bucket = shape.span_ticks * tick;
      CHECK(buckets * bucket >= length);
      CHECK((buckets - 1) * bucket < length);
      CHECK(buckets <= 23);
      CHECK((buckets >= 12 || shape.span_ticks == 1));
    }
  CHECK(choose_window(-5, 0, -1).buckets == 1);
  // The five lengths of the default rules of burn_rate.
  std::size_t entries = 0;
  for (const std::int64_t minutes : {5, 30, 60, 360, 4320})
    entries += choose_window(minutes * 60'000, 10'000, 12).buckets;
  CHECK(entries == 63);
}

TEST_CASE("sliding window: equals the naive window under random operations") {
  constexpr std::uint32_t keys = 12;
  std::mt19937_64 random(42);
  for (const auto s : {setting{1, 1}, setting{1, 7}, setting{6, 10}, setting{360, 3}}) {
    CAPTURE(s.span);
    CAPTURE(s.buckets);
    for (const std::int64_t start : {std::int64_t{-50}, std::int64_t{146'000'000}}) {
      sliding_window window(s.span, s.buckets);
      naive_window naive(s.span, static_cast<std::int64_t>(s.buckets));
      window.resize(keys);
      auto tick = start;
      window.advance(tick);
      naive.advance(tick);
      for (int i = 0; i < 4000; ++i) {
        const auto choice = random() % 100;
        if (choice < 40) {
          tick += random_step(random, s.span * static_cast<std::int64_t>(s.buckets));
          window.advance(tick);
          naive.advance(tick);
          tick = std::max(tick, window.current_bucket() * s.span);
        } else if (choice < 97) {
          const auto slot = static_cast<std::uint32_t>(random() % keys);
          const auto counts = random_counts(random);
          window.add(slot, counts);
          naive.add(slot, counts);
        } else if (choice < 99) {
          std::vector<bool> gone(random() % (keys + 5));
          for (auto bit : gone)
            bit = random() % 3 == 0;
          window.forget(gone);
          naive.forget(gone);
        } else {
          window = copy_in_any_order(window, s, random);
          window.advance(tick);
        }
        for (std::uint32_t slot = 0; slot < keys; ++slot) {
          REQUIRE(window.sums(slot) == naive.sums(slot));
          REQUIRE(window.totals()[slot] == naive.sums(slot).total);
          REQUIRE(window.failures()[slot] == naive.sums(slot).failed);
          REQUIRE(window.capped()[slot] == naive.sums(slot).capped);
        }
      }
    }
  }
}

TEST_CASE("sliding window: one entry for each key and bucket, evicted once") {
  sliding_window window(1, 3);
  window.resize(4);
  window.advance(10);
  for (int i = 0; i < 5; ++i)
    for (const std::uint32_t slot : {2U, 0U, 3U})
      window.add(slot, {2, 1, 1});
  CHECK(window.bucket(10).size() == 3);

  std::vector<std::uint32_t> evicted;
  const auto note = [&](std::uint32_t slot) { evicted.push_back(slot); };
  window.advance(12, note);
  CHECK(evicted.empty());
  CHECK(window.sums(2) == window_counts{10, 5, 5});
  window.advance(13, note);
  std::sort(evicted.begin(), evicted.end());
  CHECK(evicted == std::vector<std::uint32_t>{0, 2, 3});
  CHECK(window.sums(2) == window_counts{});
}

TEST_CASE("sliding window: forget keeps one entry a key in the current bucket") {
  sliding_window window(1, 3);
  window.resize(6);
  window.advance(0);
  for (std::uint32_t slot = 0; slot < 6; ++slot)
    window.add(slot, {1, 0, 0});
  window.forget({true, false, true});
  for (std::uint32_t slot = 0; slot < 6; ++slot)
    window.add(slot, {1, 0, 0});
  CHECK(window.bucket(0).size() == 6);
  CHECK(window.sums(0).total == 1);
  CHECK(window.sums(5).total == 2);
}

TEST_CASE("sliding window: a restored window continues as the original") {
  constexpr std::uint32_t keys = 9;
  const setting s{6, 8};
  std::mt19937_64 random(3);
  for (int repeat = 0; repeat < 200; ++repeat) {
    sliding_window window(s.span, s.buckets);
    window.resize(keys);
    std::int64_t tick = 1000;
    const auto run = [&](auto&& each) {
      for (int i = 0; i < 60; ++i) {
        tick += static_cast<std::int64_t>(random() % 5);
        const auto slot = static_cast<std::uint32_t>(random() % keys);
        each(tick, slot, random_counts(random));
      }
    };
    run([&](auto t, auto slot, const auto& counts) {
      window.advance(t);
      window.add(slot, counts);
    });
    auto copy = copy_in_any_order(window, s, random);
    copy.advance(tick);
    REQUIRE(copy.current_bucket() == window.current_bucket());
    REQUIRE(contents_of(copy) == contents_of(window));
    run([&](auto t, auto slot, const auto& counts) {
      for (auto* w : {&window, &copy}) {
        w->advance(t);
        w->add(slot, counts);
      }
      REQUIRE((copy.totals() == window.totals()).all());
      REQUIRE((copy.rates() == window.rates()).all());
      REQUIRE(contents_of(copy) == contents_of(window));
    });
  }
}

TEST_CASE("sliding window: a store that follows the changes holds what the window holds") {
  constexpr std::uint32_t keys = 5;
  std::mt19937_64 random(9);
  sliding_window window(2, 5);
  window.resize(keys);
  contents store;
  const auto erase = [&](std::int64_t bucket) {
    store.erase(store.lower_bound({bucket, 0}), store.lower_bound({bucket + 1, 0}));
  };
  std::int64_t tick = -100;
  for (int commit = 0; commit < 3000; ++commit) {
    for (auto n = random() % 6; n > 0; --n) {
      tick += random_step(random, 10);
      window.advance(tick);
      if (random() % 4 != 0)
        window.add(static_cast<std::uint32_t>(random() % keys), random_counts(random));
      if (random() % 20 == 0)
        window.forget({random() % 2 == 0, true, random() % 2 == 0});
    }
    for (const auto bucket : window.take_evicted())
      erase(bucket);
    const auto changed = window.take_changed();
    REQUIRE(std::is_sorted(changed.begin(), changed.end()));
    for (const auto bucket : changed) {
      erase(bucket);
      for (const auto& e : window.bucket(bucket))
        store[{bucket, e.slot}] = e.counts;
    }
    REQUIRE(store == contents_of(window));
  }
  CHECK(window.take_changed().empty());
  CHECK(window.take_evicted().empty());
}

TEST_CASE("sliding window: restored buckets are not changed, and are named when evicted") {
  sliding_window window(1, 3);
  window.resize(1);
  window.restore(7, 0, {1, 1, 1});
  window.restore(5, 0, {2, 0, 0});
  CHECK(window.current_bucket() == 7);
  CHECK(window.take_changed().empty());
  window.advance(9);
  CHECK(window.take_evicted() == std::vector<std::int64_t>{5});
  CHECK(window.sums(0) == window_counts{1, 1, 1});
}

TEST_CASE("sliding window: buckets never saved leave no list behind") {
  sliding_window window(1, 2);
  window.resize(1);
  std::size_t memory = 0;
  for (std::int64_t tick = 0; tick < 100'000; ++tick) {
    window.advance(tick);
    window.add(0, {1, 0, 0});
    if (tick == 1000)
      memory = window.memory_bytes();
  }
  CHECK(window.memory_bytes() == memory);
  CHECK(window.take_evicted().empty());
}

TEST_CASE("sliding window: keys without events and gaps cost nothing") {
  sliding_window window(1, 1'000'000);
  window.resize(1000);
  CHECK(window.current_bucket() == sliding_window::no_bucket);
  window.advance(std::numeric_limits<std::int64_t>::min());
  CHECK(window.current_bucket() == sliding_window::no_bucket);
  window.advance(-3);
  window.add(7, {3, 2, 1});
  const auto memory = window.memory_bytes();
  CHECK(memory < 100'000);
  int evicted = 0;
  window.advance(std::numeric_limits<std::int64_t>::max(), [&](std::uint32_t) { ++evicted; });
  CHECK(evicted == 1);
  CHECK(window.memory_bytes() <= memory);
  window.advance(5); // never backward
  CHECK(window.current_bucket() == std::numeric_limits<std::int64_t>::max());
}

TEST_CASE("sliding window: memory follows the touched pairs, also after a burst") {
  constexpr std::size_t keys = 10'000;
  sliding_window window(1, 100);
  window.resize(keys);
  const auto empty = window.memory_bytes();
  std::int64_t tick = 0;
  for (; tick < 100; ++tick) {
    window.advance(tick);
    for (std::uint32_t slot = 0; slot < keys; ++slot)
      window.add(slot, {1, 0, 0});
  }
  CHECK(window.memory_bytes() > empty + 100 * keys * sizeof(sliding_window::entry));
  CHECK(window.memory_bytes() < empty + 130 * keys * sizeof(sliding_window::entry));
  for (; tick < 300; ++tick) {
    window.advance(tick);
    window.add(0, {1, 0, 0});
  }
  CHECK(window.memory_bytes() < empty + 20'000);
}

TEST_CASE("sliding window: resize keeps sums, never shrinks, new slots are empty") {
  sliding_window window(1, 2);
  window.advance(0);
  for (std::uint32_t slot = 0; slot < 1000; ++slot) {
    window.resize(slot + 1);
    REQUIRE(window.sums(slot) == window_counts{});
    window.add(slot, {slot + 1, 1, 0});
  }
  window.resize(3);
  CHECK(window.size() == 1000);
  CHECK(window.totals().size() == 1000);
  CHECK(window.totals().sum() == 1000 * 1001 / 2);
}

TEST_CASE("sliding window: rates") {
  sliding_window window(1, 2);
  window.resize(3);
  window.advance(0);
  window.add(1, {4, 1, 1});
  window.add(2, {3, 3, 1});
  const auto rates = window.rates();
  REQUIRE(rates.size() == 3);
  CHECK(rates[0] == 0.0);
  CHECK(rates[1] == 0.25);
  CHECK(rates[2] == 1.0);
}

TEST_CASE("choose_window: ticks, minutes, hours") {
  constexpr std::int64_t minute = 60'000;
  constexpr std::int64_t hour = 60 * minute;
  constexpr std::int64_t day = 24 * hour;
  const auto check = [](std::int64_t length, std::int64_t tick, std::int64_t span, std::size_t buckets) {
    CAPTURE(length);
    CAPTURE(tick);
    const auto shape = choose_window(length, tick);
    CHECK(shape.span_ticks == span);
    CHECK(shape.buckets == buckets);
  };
  check(minute, 10'000, 1, 6);
  check(hour, 10'000, 1, 360);
  check(hour + 1, 10'000, 6, 61);
  check(day, 10'000, 6, 1440);
  check(day + minute, 10'000, 360, 25);
  check(8 * day, 10'000, 360, 192);
  check(95'000, 10'000, 1, 10);        // rounded up
  check(1, 10'000, 1, 1);              // shorter than a tick
  check(8 * day, 5 * minute, 12, 192); // ticks longer than a minute
  check(365 * day, 2 * hour, 1, 4380); // nothing coarser than the tick
  check(2 * hour, 7'000, 8, 129);      // 56 s is the longest whole number of ticks in a minute
  check(0, 0, 1, 1);
  check(-5, -5, 1, 1);
}
