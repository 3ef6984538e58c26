// The budget of false alarms: shared among keys so that it is never exceeded, whatever comes and goes and however
// keys depend on each other.

#include "detectors/judging/alarm_budget.hpp"
#include "detectors/values/codec.hpp"
#include "tests/support/weighted_world.hpp"

#include <doctest/doctest.h>

using namespace tocsin;
using namespace tocsin::test;

namespace {

/// A key as the detector accounts for it.
struct sharer {
  bool is_new = true;
  std::uint32_t weight = 1;
  double seen = 0;
};

double until(const alarm_budget& budget, const sharer& key, tick_index now) {
  return key.is_new ? budget.new_until(now) : budget.established_until(key.weight, now);
}

} // namespace

TEST_CASE("a root alone has the whole budget") {
  alarm_budget budget(0.01, false);
  budget.begin(100);
  CHECK(budget.established_rate(1) == doctest::Approx(0.01));
  CHECK(budget.established_until(1, 200) - budget.established_until(1, 100) == doctest::Approx(1));
}

TEST_CASE("whoever comes, grows up and goes: the shares of all add up to the budget at most") {
  for (const std::uint32_t seed : {1U, 2U, 3U}) {
    std::mt19937 random(seed);
    alarm_budget budget(1, true);
    tick_index now = 0;
    budget.begin(now);
    std::vector<sharer> keys{{false, 1, budget.established_until(1, now)}};
    auto spent = 0.0;
    const auto take = [&](sharer& key) {
      const auto share = until(budget, key, now);
      REQUIRE(share >= key.seen - 1e-9);
      spent += share - key.seen;
      key.seen = share;
    };
    for (int i = 0; i < 20'000; ++i) {
      now += static_cast<tick_index>(random() % 4);
      auto& key = keys[random() % keys.size()];
      const auto change = random() % 5;
      if (change == 0) {
        budget.join(now);
        keys.push_back({true, 1 + static_cast<std::uint32_t>(random() % 1000), budget.new_until(now)});
      } else if (change == 1 && key.is_new) {
        const auto unspent = budget.new_until(now) - key.seen;
        budget.establish(key.weight, now);
        key.is_new = false;
        key.seen = budget.established_until(key.weight, now) - unspent;
      } else if (change == 2 && !key.is_new) {
        const auto to = 1 + static_cast<std::uint32_t>(random() % 1'000'000);
        const auto unspent = budget.established_until(key.weight, now) - key.seen;
        budget.reweigh(key.weight, to, now);
        key.weight = to;
        key.seen = budget.established_until(to, now) - unspent;
      } else if (change == 3 && &key != &keys[0] && keys.size() > 20) {
        take(key);
        key.is_new ? budget.leave_new(now) : budget.leave_established(key.weight, now);
        key = keys.back();
        keys.pop_back();
      } else {
        take(key);
      }
      REQUIRE(budget.spent_a_tick() <= 1 + 1e-12);
      REQUIRE(budget.newcomers() + budget.established() == keys.size());
      auto rates = 0.0;
      for (const auto& one : keys)
        rates += one.is_new ? budget.new_rate() : budget.established_rate(one.weight);
      REQUIRE(rates <= 1 + 1e-9);
    }
    // At the end everybody takes what is left: together never more than the time that passed, and nearly all of the
    // part that belongs to the established.
    for (auto& key : keys)
      take(key);
    CHECK(spent <= static_cast<double>(now) + 1e-6);
    CHECK(spent >= 0.8 * static_cast<double>(now));
  }
}

TEST_CASE("a million new keys in an hour draw on the reserve only") {
  alarm_budget budget(1, true);
  budget.begin(0);
  const auto root = budget.established_rate(1);
  std::vector<double> seen;
  for (int i = 0; i < 1'000'000; ++i) {
    budget.join(i / 2778); // an hour of 360 ticks
    seen.push_back(budget.new_until(i / 2778));
    if (i % 1000 == 0)
      REQUIRE(budget.spent_a_tick() <= 1 + 1e-12);
  }
  auto spent = 0.0;
  for (const auto before : seen)
    spent += budget.new_until(360) - before;
  CHECK(spent <= 0.1 * 360 + 1e-6);
  CHECK(spent >= 0.09 * 360);
  CHECK(budget.established_rate(1) == root);
}

TEST_CASE("shares telescope: looking often or seldom gives the same sum, exactly after a restart too") {
  alarm_budget often(0.3, true);
  often.begin(0);
  for (int i = 0; i < 7; ++i)
    often.join(i);
  often.establish(5, 40);
  state_writer out(1);
  often.save(out);
  const auto bytes = out.seal();
  state_reader in(bytes);
  alarm_budget restored(0.3, true);
  REQUIRE(restored.load(in));
  auto sum = 0.0;
  auto last = often.new_until(40);
  for (tick_index now = 41; now <= 1000; ++now) {
    sum += often.new_until(now) - last;
    last = often.new_until(now);
    REQUIRE(restored.new_until(now) == often.new_until(now));
    REQUIRE(restored.established_until(5, now) == often.established_until(5, now));
  }
  CHECK(sum == doctest::Approx(often.new_until(1000) - often.new_until(40)));
  restored.join(500);
  often.join(500);
  CHECK(restored.new_until(777) == often.new_until(777));
}

TEST_CASE("in the engine too, the budgets of all keys add up to the scope's at most") {
  weighted_world world(sr_mixture_world(2, 10 * second_ms));
  std::mt19937 random(4);
  std::vector<std::size_t> keys;
  for (int i = 0; i < 300; ++i)
    keys.push_back(world.key("k" + std::to_string(i)));
  const auto sum = [&] {
    auto all = 0.0;
    for (const auto& shard : world.engine().shards())
      shard.for_each_key([&](const key_view& view) {
        for (const auto& [name, value] : view.facts)
          if (name == "sr.budget_per_day")
            all += std::strtod(value.c_str(), nullptr);
      });
    return all;
  };
  for (int hour = 0; hour < 30; ++hour) {
    for (int tick = 0; tick < 360; tick += 12)
      for (int i = 0; i < 20; ++i) {
        // Ten more keys an hour, of very different traffic.
        const auto key = random() % static_cast<std::uint32_t>(10 * hour + 10);
        world.add(noon + hour * hour_ms + tick * 10 * second_ms, keys[key], static_cast<std::int64_t>(1 + key * key),
                  0);
      }
    world.flush();
    CHECK(sum() <= 2 * 1.01); // three digits are shown
    if (hour > 3)
      CHECK(sum() > 1.5);
  }
}

TEST_CASE("ten thousand perfectly dependent keys stay within the budget, strict or calibrated") {
  // The greatest budget there is, one alarm in 200 ticks: 0.75 alarms expected at most in 150 ticks. The keys alarm all
  // at once or not at all, so that (Markov) a single such alarm has a chance of 0.75 / 10,000; of the root, which has
  // at most half of the budget, four or more alarms have one of less than 0.001 (Poisson with mean 0.38).
  for (const bool strict : {true, false}) {
    CAPTURE(strict);
    weighted_world world(sr_mixture_world(1e6, 60 * second_ms, true, strict));
    std::vector<std::size_t> keys;
    for (int i = 0; i < 10'000; ++i)
      keys.push_back(world.key("k" + std::to_string(i)));
    std::mt19937_64 random(9);
    std::binomial_distribution<std::int64_t> noise(2000, 0.03);
    for (int tick = 0; tick < 150; ++tick) {
      const auto failed = noise(random);
      for (const auto key : keys)
        world.add(noon + tick * minute_ms, key, 2000, failed);
    }
    world.finish();
    CHECK(world.of(alert_kind::open, 1).empty());
    CHECK(world.of(alert_kind::open, 0).size() < 4);
  }
}
