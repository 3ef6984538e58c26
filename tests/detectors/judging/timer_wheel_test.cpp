#include "detectors/judging/timer_wheel.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <cstdint>
#include <limits>
#include <optional>
#include <random>
#include <set>
#include <vector>

using namespace tocsin;

namespace {

// The specification: always fire the least timer.
class naive_wheel {
public:
  explicit naive_wheel(tick_index now) : position_(now) {}

  void schedule(tick_index due, std::uint32_t slot, std::uint32_t tag) { timers_.insert({due, slot, tag}); }

  template <class F>
  void advance(tick_index to, F&& fire) {
    position_ = std::max(position_, to);
    while (!timers_.empty() && timers_.begin()->due <= position_) {
      const auto t = *timers_.begin();
      timers_.erase(timers_.begin());
      fire(t);
    }
  }
  std::optional<tick_index> next_due() const {
    return timers_.empty() ? std::nullopt : std::optional(timers_.begin()->due);
  }
  std::size_t size() const { return timers_.size(); }
  tick_index position() const { return position_; }

private:
  tick_index position_;
  std::multiset<timer> timers_;
};

// A distance of any magnitude, mostly small.
std::int64_t random_distance(std::mt19937_64& random) {
  switch (random() % 8) {
  case 0: return 0;
  case 1: return static_cast<std::int64_t>(random() >> (4 + random() % 60)); // up to 2^60
  case 2: return static_cast<std::int64_t>(random() % 100'000);
  default: return static_cast<std::int64_t>(random() % 200);
  }
}

// Stays at the ends of the range instead of overflowing.
tick_index plus(tick_index tick, std::int64_t distance) {
  tick_index result = 0;
  if (!__builtin_add_overflow(tick, distance, &result))
    return result;
  return distance < 0 ? std::numeric_limits<tick_index>::min() : std::numeric_limits<tick_index>::max();
}

// What a fire does is a function of the timer alone, so that both wheels do the same.
template <class Wheel>
auto recorder(Wheel& wheel, std::vector<timer>& fired) {
  return [&](const timer& t) {
    fired.push_back(t);
    if (t.tag == 0)
      return;
    std::mt19937 random(t.slot * 31 + t.tag);
    const auto sign = random() % 4 == 0 ? -1 : 1;
    wheel.schedule(plus(t.due, sign * static_cast<std::int64_t>(random() % 300)), t.slot + 1, t.tag - 1);
  };
}

} // namespace

TEST_CASE("timer wheel: equals an ordered set under random schedules and advances") {
  std::mt19937_64 random(11);
  std::size_t operations = 0;
  for (int run = 0; run < 400; ++run) {
    CAPTURE(run);
    const auto start = static_cast<tick_index>(random()) / (std::int64_t{1} << (random() % 60 + 2));
    timer_wheel wheel(start);
    naive_wheel naive(start);
    std::vector<timer> fired, expected;
    for (int i = 0; i < 4000; ++i) {
      ++operations;
      if (random() % 5 != 0) {
        auto due = plus(wheel.position(), random_distance(random));
        if (random() % 10 == 0)
          due = plus(wheel.position(), -static_cast<std::int64_t>(random() % 50));
        const auto slot = static_cast<std::uint32_t>(random() % 1000);
        const auto tag = static_cast<std::uint32_t>(random() % 3);
        wheel.schedule(due, slot, tag);
        naive.schedule(due, slot, tag);
      } else {
        // Mostly small steps; a huge one empties the wheel.
        auto step = static_cast<std::int64_t>(random() % 100);
        if (random() % 50 == 0)
          step = random_distance(random);
        const auto to = plus(plus(wheel.position(), step), random() % 10 == 0 ? -100 : 0);
        wheel.advance(to, recorder(wheel, fired));
        naive.advance(to, recorder(naive, expected));
        REQUIRE(fired == expected);
        REQUIRE(wheel.position() == naive.position());
        fired.clear();
        expected.clear();
      }
      REQUIRE(wheel.size() == naive.size());
      REQUIRE(wheel.next_due() == naive.next_due());
    }
  }
  CHECK(operations == 1'600'000);
}

TEST_CASE("timer wheel: the order of scheduling does not matter") {
  std::mt19937_64 random(5);
  std::vector<timer> timers;
  for (std::uint32_t i = 0; i < 5000; ++i)
    timers.push_back({static_cast<tick_index>(random() % 300), static_cast<std::uint32_t>(random() % 20), i % 7});
  std::vector<timer> sorted = timers;
  std::sort(sorted.begin(), sorted.end());
  for (int repeat = 0; repeat < 5; ++repeat) {
    std::shuffle(timers.begin(), timers.end(), random);
    timer_wheel wheel(-1);
    for (const auto& t : timers)
      wheel.schedule(t.due, t.slot, t.tag);
    std::vector<timer> fired;
    wheel.advance(299, [&](const timer& t) { fired.push_back(t); });
    CHECK(fired == sorted);
    CHECK(wheel.empty());
  }
}

TEST_CASE("timer wheel: past and present fire at the next advance, even if it does not move") {
  timer_wheel wheel(100);
  wheel.schedule(100, 1, 0);
  wheel.schedule(40, 2, 0);
  wheel.schedule(101, 3, 0);
  CHECK(wheel.next_due() == 40);
  std::vector<std::uint32_t> fired;
  const auto note = [&](const timer& t) { fired.push_back(t.slot); };
  wheel.advance(20, note); // never backward
  CHECK(fired == std::vector<std::uint32_t>{2, 1});
  CHECK(wheel.position() == 100);
  CHECK(wheel.next_due() == 101);
  CHECK(wheel.size() == 1);
}

TEST_CASE("timer wheel: a timer scheduled while firing fires in its place in the same call") {
  timer_wheel wheel(0);
  wheel.schedule(10, 0, 0);
  wheel.schedule(30, 9, 0);
  std::vector<tick_index> fired;
  wheel.advance(50, [&](const timer& t) {
    fired.push_back(t.due);
    CHECK(wheel.position() == t.due);
    if (t.due == 10 && t.slot == 0) {
      wheel.schedule(20, 0, 0);
      wheel.schedule(50, 0, 0);
      wheel.schedule(51, 0, 0);
      wheel.schedule(10, 1, 0);
    }
  });
  CHECK(fired == std::vector<tick_index>{10, 10, 20, 30, 50});
  CHECK(wheel.next_due() == 51);
}

TEST_CASE("timer wheel: the whole range of ticks, at no cost for empty ones") {
  constexpr auto first = std::numeric_limits<tick_index>::min();
  constexpr auto last = std::numeric_limits<tick_index>::max();
  timer_wheel wheel(first);
  for (const auto due : {first, first + 1, tick_index{-1}, tick_index{0}, tick_index{1'000'000'000'000}, last})
    wheel.schedule(due, 0, 0);
  std::vector<tick_index> fired;
  const auto note = [&](const timer& t) { fired.push_back(t.due); };
  wheel.advance(last - 1, note);
  CHECK(fired == std::vector<tick_index>{first, first + 1, -1, 0, 1'000'000'000'000});
  wheel.advance(last, note);
  CHECK(fired.back() == last);
  CHECK(wheel.empty());
  CHECK_FALSE(wheel.next_due());
}

TEST_CASE("timer wheel: reset and clear") {
  timer_wheel wheel(0);
  wheel.schedule(5, 1, 1);
  wheel.schedule(-5, 1, 1);
  wheel.clear();
  CHECK(wheel.empty());
  CHECK_FALSE(wheel.next_due());
  CHECK(wheel.position() == 0);
  wheel.reset(-1'000'000);
  wheel.schedule(-999'999, 7, 0);
  int fired = 0;
  wheel.advance(0, [&](const timer& t) { fired += t.slot == 7 ? 1 : 0; });
  CHECK(fired == 1);
}

TEST_CASE("timer wheel: memory follows the timers there are") {
  std::mt19937_64 random(13);
  timer_wheel wheel(0);
  const auto before = wheel.memory_bytes();
  for (std::uint32_t i = 0; i < 10'000; ++i)
    wheel.schedule(i, i, 0);
  CHECK(wheel.memory_bytes() >= before + 10'000 * sizeof(timer));
  // 10 timers a tick, a thousand ticks ahead: some 5000 at any time, past many turns of the lower levels.
  wheel.advance(10'000, [](const timer&) {});
  for (tick_index tick = 10'000; tick < 60'000; ++tick) {
    for (std::uint32_t i = 0; i < 10; ++i)
      wheel.schedule(tick + 1 + static_cast<tick_index>(random() % 1000), i, 0);
    wheel.advance(tick, [](const timer&) {});
  }
  CHECK(wheel.size() < 6000);
  CHECK(wheel.memory_bytes() < before + 6 * 6000 * sizeof(timer));
}
