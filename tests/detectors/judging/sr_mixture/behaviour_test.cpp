// What sr_mixture promises of single keys: viewers, order and weights, learning, inheritance, eviction, coarse ticks.

#include "tests/support/weighted_world.hpp"

#include <doctest/doctest.h>

using namespace tocsin;
using namespace tocsin::test;

namespace {

constexpr time_ms ten_seconds = 10 * second_ms;

/// Ticks of Poisson traffic of one key at a rate.
class feeder {
public:
  feeder(weighted_world& world, std::uint64_t seed) : world_(&world), random_(seed) {}
  void run(std::size_t key, time_ms from, int ticks, double events, double rate, time_ms tick = ten_seconds) {
    for (int i = 0; i < ticks; ++i)
      one(key, from + i * tick, events, rate);
  }
  void one(std::size_t key, time_ms at, double events, double rate) {
    const auto total = std::poisson_distribution<std::int64_t>(events)(random_);
    world_->add(at, key, total, std::binomial_distribution<std::int64_t>(total, rate)(random_));
  }

private:
  weighted_world* world_;
  std::mt19937_64 random_;
};

/// What of a record depends on the data.
std::string line_of(const alert& a) {
  std::string line = a.id + ' ' + std::to_string(a.revision) + ' ' + name_of(a.kind) + ' ' + std::to_string(a.tick) +
                     ' ' + std::to_string(a.failures) + ' ' + std::to_string(a.sample_size) + ' ' +
                     std::to_string(a.onset) + ' ' + std::to_string(a.expected_failures);
  for (const auto& [name, value] : a.model)
    line += ' ' + name + '=' + std::to_string(value);
  return line;
}

std::vector<std::string> lines_of(const std::vector<alert>& alerts) {
  std::vector<std::string> lines;
  for (const auto& a : alerts)
    lines.push_back(line_of(a));
  return lines;
}

/// Six hours of a quiet key (one event in 50 s) and a busy one (100 a tick), all failures by viewers of their own; then
/// `viewers` of them fail 500 times each at both keys, all in one tick or spread over an hour.
weighted_world retries(int viewers, bool at_once, std::uint64_t seed) {
  // So small a budget that chance alone would open one of these worlds in fifty.
  auto spec = sr_mixture_world(0.01, ten_seconds);
  spec.monitors[0].has_viewers = true;
  weighted_world world(std::move(spec));
  const std::vector<std::size_t> keys{world.key("quiet"), world.key("busy")};
  std::mt19937_64 random(seed);
  const auto normal = [&](time_ms at) {
    for (std::size_t k = 0; k < 2; ++k) {
      const auto total = std::poisson_distribution<std::int64_t>(k == 0 ? 0.2 : 100)(random);
      const auto failed = std::binomial_distribution<std::int64_t>(total, 0.01)(random);
      world.add(at, keys[k], total - failed, 0);
      for (std::int64_t i = 0; i < failed; ++i)
        world.add(at, keys[k], 1, 1, static_cast<std::uint8_t>(random() % 64));
    }
  };
  constexpr int before = 6 * 360;
  for (int tick = 0; tick < before + 400; ++tick) {
    const auto at = noon + tick * ten_seconds;
    normal(at);
    const auto since = tick - before;
    for (int v = 0; v < viewers; ++v) {
      const auto times = at_once ? (since == 0 ? 500 : 0) : since >= 0 && since < 360 ? 1 + since % 5 / 3 : 0;
      for (const auto key : keys)
        world.add(at, key, times, times, static_cast<std::uint8_t>(20 + v));
    }
  }
  world.finish();
  return world;
}

} // namespace

TEST_CASE("one viewer never pages, however often he retries") {
  // Beside him others fail by chance. In 20 worlds one may open that has enough of them by itself: it names them.
  int opened = 0;
  for (std::uint64_t seed = 1; seed <= 10; ++seed)
    for (const bool at_once : {true, false}) {
      const auto records = retries(1, at_once, seed).of(alert_kind::open);
      opened += records.empty() ? 0 : 1;
      for (const auto& one : records)
        CHECK(*one.affected_viewers >= 6);
    }
  CHECK(opened <= 2); // the two worlds of one seed
  MESSAGE(opened << " of 20 worlds opened");
}

TEST_CASE("forty viewers who retry like that do") {
  CHECK(retries(40, false, 1).of(alert_kind::open, 1).size() == 2);
}

TEST_CASE("viewers who are many do page, who fail a few times each") {
  for (const int viewers : {3, 8}) {
    auto spec = sr_mixture_world(1, ten_seconds);
    spec.monitors[0].has_viewers = true;
    weighted_world world(std::move(spec));
    const auto key = world.key("a");
    for (int tick = 0; tick < 6 * 360; tick += 5)
      world.add(noon + tick * ten_seconds, key, 1, 0);
    for (int v = 0; v < viewers; ++v)
      world.add(noon + 6 * hour_ms, key, 3, 3, static_cast<std::uint8_t>(7 * v));
    world.finish();
    // Without a failure in six hours, the gate's three excess failures are three viewers and a little: the fourth.
    CHECK(world.of(alert_kind::open, 1).size() == (viewers > 3 ? 1 : 0));
  }
  // With a gate of two and a half, three are enough and one still is not.
  for (const int viewers : {1, 2, 3}) {
    auto spec = sr_mixture_world(1, ten_seconds);
    spec.monitors[0].has_viewers = true;
    spec.monitors[0].gates.min_excess_failures = 2.5;
    weighted_world world(std::move(spec));
    const auto key = world.key("a");
    for (int tick = 0; tick < 6 * 360; tick += 5)
      world.add(noon + tick * ten_seconds, key, 1, 0);
    for (int v = 0; v < viewers; ++v)
      world.add(noon + 6 * hour_ms, key, 3, 3, static_cast<std::uint8_t>(7 * v));
    world.finish();
    CHECK(world.of(alert_kind::open, 1).size() == (viewers == 3 ? 1 : 0));
  }
}

TEST_CASE("weights or single events, in any order within a tick: the same log") {
  struct record {
    time_ms time;
    std::size_t key;
    std::int64_t total, failed;
  };
  std::mt19937_64 random(12);
  std::vector<std::vector<record>> ticks;
  for (int tick = 0; tick < 900; ++tick) {
    auto& records = ticks.emplace_back();
    for (std::size_t key = 0; key < 6; ++key) {
      const bool outage = key == 2 && tick > 500 && tick < 620;
      const auto total = std::poisson_distribution<std::int64_t>(8)(random);
      const auto failed = std::binomial_distribution<std::int64_t>(total, outage ? 0.4 : 0.02)(random);
      if (total > 0)
        records.push_back({noon + tick * ten_seconds, key, total, failed});
    }
  }
  enum class style { weighted, single, shuffled };
  const auto run = [&](style how) {
    weighted_world world(sr_mixture_world(3, ten_seconds));
    std::vector<std::size_t> keys;
    for (int i = 0; i < 6; ++i)
      keys.push_back(world.key("k" + std::to_string(i)));
    for (const auto& records : ticks) {
      if (how == style::weighted) {
        for (const auto& r : records)
          world.add(r.time, keys[r.key], r.total, r.failed);
        continue;
      }
      std::vector<record> single;
      for (const auto& r : records)
        for (std::int64_t i = 0; i < r.total; ++i)
          single.push_back({r.time + i, r.key, 1, i < r.failed ? 1 : 0});
      if (how == style::shuffled)
        std::shuffle(single.begin(), single.end(), random);
      for (const auto& r : single)
        world.add(r.time, keys[r.key], 1, r.failed);
    }
    world.finish();
    return lines_of(world.all);
  };
  const auto reference = run(style::weighted);
  CHECK(reference.size() >= 4); // the key and the root open and resolve
  CHECK(run(style::single) == reference);
  CHECK(run(style::shuffled) == reference);
}

TEST_CASE("a long incident that ends leaves the baseline as it was, and learning goes on") {
  weighted_world world(sr_mixture_world(1, ten_seconds));
  const auto a = world.key("a"), b = world.key("b");
  feeder feed(world, 5);
  const auto outage = noon + 2 * day_ms;
  const auto over = outage + 3 * hour_ms; // younger than the age at which it would become normal
  feed.run(a, noon, 2 * 8640, 100, 0.01);
  for (int i = 0; i < 3 * 360; ++i) {
    feed.one(a, outage + i * ten_seconds, 100, 0.1);
    feed.one(b, outage + i * ten_seconds, 1, 0.01);
  }
  feed.run(a, over, 12 * 360, 100, 0.01);
  // A second outage tells what the baseline is now.
  const auto again = over + 12 * hour_ms;
  feed.run(a, again, 60, 100, 0.1);
  world.finish();
  for (const std::size_t level : {0U, 1U}) {
    std::vector<alert> opened;
    for (const auto& one : world.of(alert_kind::open, level))
      if (one.key.empty() || one.key[0].value == "a")
        opened.push_back(one);
    REQUIRE(opened.size() == 2);
    CHECK(opened[0].baseline_value == doctest::Approx(0.01).epsilon(0.25));
    CHECK(opened[1].baseline_value == doctest::Approx(0.01).epsilon(0.25));
    CHECK(opened[1].tick <= again + 2 * minute_ms);
    for (const auto& one : world.of(alert_kind::resolve, level)) {
      CHECK(one.tick > over);
      CHECK(one.tick < over + 10 * minute_ms);
    }
  }
}

TEST_CASE("a change that lasts becomes normal: rebase, and then silence until it doubles") {
  weighted_world world(sr_mixture_world(1, ten_seconds));
  const auto a = world.key("a");
  feeder feed(world, 6);
  const auto change = noon + 6 * hour_ms;
  feed.run(a, noon, 6 * 360, 100, 0.01);
  feed.run(a, change, 12 * 360, 100, 0.04);
  const auto second = change + 12 * hour_ms;
  feed.run(a, second, 360, 100, 0.12);
  world.finish();
  for (const std::size_t level : {0U, 1U}) {
    CAPTURE(level);
    const auto opened = world.of(alert_kind::open, level);
    const auto rebased = world.of(alert_kind::rebase, level);
    REQUIRE(opened.size() == 2);
    REQUIRE(rebased.size() == 1);
    // After as long as the key was old then: six hours.
    CHECK(rebased[0].tick >= change + 6 * hour_ms);
    CHECK(rebased[0].tick <= change + 6 * hour_ms + 10 * minute_ms);
    CHECK(opened[1].tick > second);
    CHECK(opened[1].tick <= second + 5 * minute_ms);
    CHECK(opened[1].baseline_value == doctest::Approx(0.04).epsilon(0.25));
  }
}

TEST_CASE("a sparse key that is back to normal is not taken for one that stays as it was") {
  constexpr auto tick = 10 * minute_ms;
  weighted_world world(sr_mixture_world(1, tick, false));
  const auto root = world.key("");
  // Twenty events a day, of which every fiftieth fails, but every eighth for three days.
  constexpr int before = 800, failing = 64, after = 400;
  for (int event = 0; event < before + failing + after; ++event) {
    const bool is_outage = event >= before && event < before + failing;
    world.add(noon + event * 72 * minute_ms, root, 1, event % (is_outage ? 8 : 50) == 0 ? 1 : 0);
  }
  world.finish();
  CHECK(world.of(alert_kind::open).size() == 1);
  CHECK(world.of(alert_kind::resolve).size() == 1);
  for (const auto& one : world.of(alert_kind::rebase))
    CHECK(one.status == alert_status::open); // proposed at most
}

TEST_CASE("evidence that a gate holds back does not make the test stricter") {
  for (const bool gated : {false, true}) {
    CAPTURE(gated);
    constexpr auto tick = 10 * minute_ms;
    auto spec = sr_mixture_world(0.2, tick, false);
    if (gated)
      spec.monitors[0].gates.min_excess_failures = 1e9;
    weighted_world world(std::move(spec));
    const auto root = world.key("");
    feeder feed(world, 11);
    feed.run(root, noon, 300 * 144, 500.0 / 144, 0.01, tick);
    world.flush();
    const auto seen = world.engine().explain(0, std::string(1, '\0'));
    REQUIRE(seen);
    REQUIRE(seen->detectors.at(0).model);
    CHECK(seen->detectors[0].model->threshold < 1.1); // 4.4 if such days taught what chance does
  }
}

TEST_CASE("a title that is dead from its first event is found within six views, healthy new ones are not") {
  weighted_world world(sr_mixture_world(1, ten_seconds));
  std::mt19937_64 random(21);
  std::vector<std::size_t> titles;
  for (int i = 0; i < 140; ++i)
    titles.push_back(world.key("t" + std::to_string(i)));
  const auto dead = world.key("dead");
  constexpr int release = 8640 + 1;
  for (int tick = 0; tick < release + 360; ++tick) {
    const auto at = noon + tick * ten_seconds;
    // 40 views a tick of a hundred old titles; forty new ones and the dead one have a view every ten ticks.
    for (int v = 0; v < 40; ++v)
      world.add(at, titles[random() % 100], 1, random() % 100 == 0 ? 1 : 0);
    if (tick < release || tick % 10 != 0)
      continue;
    for (std::size_t i = 100; i < 140; ++i)
      world.add(at, titles[i], 1, random() % 100 == 0 ? 1 : 0);
    world.add(at, dead, 1, 1);
  }
  world.finish();
  const auto opened = world.of(alert_kind::open, 1);
  REQUIRE(opened.size() == 1);
  CHECK(opened[0].key[0].value == "dead");
  CHECK(opened[0].sample_size <= 6);
  MESSAGE("found after " << opened[0].sample_size << " views");
}

TEST_CASE("with ten times more keys than room, an outage of the tail is found, and evicted evidence is not lost") {
  for (const bool outage : {false, true}) {
    auto spec = sr_mixture_world(1, ten_seconds);
    spec.monitors[0].capacity.max_keys = 300;
    weighted_world world(std::move(spec));
    std::mt19937_64 random(8);
    std::vector<std::size_t> tail;
    for (int i = 0; i < 3000; ++i)
      tail.push_back(world.key("t" + std::to_string(i)));
    const auto big = world.key("big");
    feeder feed(world, 9);
    for (int tick = 0; tick < 8 * 360; ++tick) {
      const auto at = noon + tick * ten_seconds;
      feed.one(big, at, 300, 0.01);
      // Ten views of the tail: 3 % of the root's, so that its outage raises the root from 1 % to 1.9 % only.
      const bool fails = outage && tick >= 7 * 360;
      for (int v = 0; v < 10; ++v)
        world.add(at + 1, tail[random() % 3000], 1, random() % 100 < (fails ? 30 : 1) ? 1 : 0);
    }
    world.finish();
    CHECK(world.engine().state_stats().keys_evicted > 10'000);
    CHECK(world.engine().state_stats().keys <= 310);
    if (!outage) {
      CHECK(world.all.empty());
      continue;
    }
    bool in_tail = false, in_root = false;
    for (const auto& one : world.of(alert_kind::open)) {
      CHECK(one.tick > noon + 7 * hour_ms);
      in_tail = in_tail || (one.level.size() == 1 && one.key[0].pooled);
      in_root = in_root || one.level.empty();
    }
    CHECK(in_tail);
    MESSAGE("in the root too: " << in_root);
  }
}

TEST_CASE("plain binomial counts in ticks of an hour, a day and a week at rates above 5 %") {
  // Expected alarms are bounded by the budget, 1/200 a tick: 400 ticks x 12 streams make 24; about a third is usual.
  for (const auto tick : {hour_ms, day_ms, 7 * day_ms}) {
    std::size_t alarms = 0;
    for (int stream = 0; stream < 12; ++stream) {
      weighted_world world(sr_mixture_world(1e6, tick, false));
      const auto key = world.key("");
      feeder feed(world, static_cast<std::uint64_t>(stream));
      const auto rate = stream % 3 == 0 ? 0.06 : stream % 3 == 1 ? 0.2 : 0.5;
      feed.run(key, noon, 400, stream % 2 == 0 ? 50 : 2000, rate, tick);
      world.finish();
      alarms += world.of(alert_kind::open).size();
      for (const auto& one : world.all) {
        CHECK(one.baseline_value > 0.5 * rate);
        CHECK(one.baseline_value < 1.5 * rate);
      }
    }
    CAPTURE(tick);
    CHECK(alarms <= 24);
    MESSAGE(alarms << " alarms in ticks of " << tick / hour_ms << " h");
  }
}

TEST_CASE("an outage in coarse ticks is found in the next ones") {
  for (const auto tick : {hour_ms, day_ms}) {
    weighted_world world(sr_mixture_world(1, tick, false));
    const auto key = world.key("");
    feeder feed(world, 2);
    feed.run(key, noon, 100, 2000, 0.06, tick);
    feed.run(key, noon + 100 * tick, 5, 2000, 0.2, tick);
    world.finish();
    const auto opened = world.of(alert_kind::open);
    REQUIRE(opened.size() == 1);
    CHECK(opened[0].tick > noon + 99 * tick);
    CHECK(opened[0].tick <= noon + 103 * tick);
  }
}

TEST_CASE("the largest counts there are can be judged, saved and restored") {
  const auto spec = std::make_shared<const world_spec>(sr_mixture_world(1, ten_seconds));
  world engine(spec, 1);
  std::vector<test_event> events;
  for (int i = 0; i < 2000; ++i)
    events.push_back({noon + i * ten_seconds, {"a"}, i % 3 == 0 ? 900'000'000'000'000'000 : 1, i % 5 == 0 ? 1 : 0, {}});
  engine.count(make_batch(*spec, 0, events, 0, events.size()));
  engine.finish(0);
  auto snapshot = engine.take_commit();
  const world restored(spec, 1, snapshot);
  CHECK(restored.error().value_or("") == "");
}
