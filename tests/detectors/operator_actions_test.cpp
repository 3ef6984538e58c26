// What operators' actions do: which keys and ticks an exclusion covers, what detectors then do not learn, and what an
// accepted incident leaves behind.

#include "detectors/judging/exclusions.hpp"
#include "models/root_baseline.hpp"
#include "tests/support/weighted_world.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <optional>
#include <random>
#include <string>

using namespace tocsin;
using namespace tocsin::test;

namespace {

constexpr time_ms tick = 10 * second_ms;

operator_action exclusion(time_ms from, time_ms to, std::vector<std::pair<std::string, std::string>> key = {}) {
  operator_action action;
  action.monitor = "m";
  action.key = std::move(key);
  action.from = from;
  action.to = to;
  return action;
}

operator_action acceptance(std::vector<std::pair<std::string, std::string>> key) {
  operator_action action;
  action.kind = action_kind::accept;
  action.monitor = "m";
  action.key = std::move(key);
  return action;
}

std::string root_bytes() {
  return std::string(1, '\0');
}
std::string cdn_bytes(const std::string& value) {
  std::string key(1, '\1');
  append_text(key, value);
  return key;
}

/// Poisson traffic of the keys a and b, failing at 1 %; from `from` to `to` at another rate in a.
class traffic {
public:
  explicit traffic(world_spec spec) : world(std::move(spec)), a_(world.key("a")), b_(world.key("b")) {}

  void run(time_ms from, time_ms to, double rate_of_a) {
    for (auto at = from; at < to; at += tick) {
      one(at, a_, rate_of_a);
      one(at, b_, 0.01);
    }
    world.flush();
  }
  double expected_rate(const std::string& bytes, std::size_t detector = 0) {
    const auto known = world.engine().explain(0, bytes);
    REQUIRE(known);
    REQUIRE(known->known);
    return known->detectors[detector].model->expected_rate;
  }
  weighted_world world;

private:
  void one(time_ms at, std::size_t key, double rate) {
    const auto total = std::poisson_distribution<std::int64_t>(30)(random_);
    world.add(at, key, total, std::binomial_distribution<std::int64_t>(total, rate)(random_));
  }
  std::size_t a_, b_;
  std::mt19937_64 random_{3};
};

/// What the first detector says of a key.
std::string fact(weighted_world& world, const std::string& bytes, const std::string& wanted) {
  const auto known = world.engine().explain(0, bytes);
  REQUIRE(known);
  for (const auto& [name, value] : known->detectors[0].facts)
    if (name == wanted)
      return value;
  return {};
}

/// sr_mixture that never opens, so that only exclusions keep anything from being learned.
world_spec silent_world() {
  auto spec = sr_mixture_world(1, tick);
  spec.monitors[0].gates.min_excess_failures = 1e12;
  return spec;
}

} // namespace

TEST_CASE("an exclusion covers keys that have all of its values, in ticks it has a moment of, once it is in force") {
  auto spec = one_monitor({"threshold", "t", threshold_spec{}});
  spec.monitors[0].dimensions = {"cdn", "country"};
  spec.monitors[0].levels = {{{}}, {{0}}, {{0, 1}}};
  const auto& monitor = spec.monitors[0];
  keyed_state keys(monitor);
  const auto put = [&](std::uint32_t level, const std::vector<std::string>& values) {
    std::string bytes(1, static_cast<char>(level));
    for (const auto& value : values)
      value.empty() ? append_null(bytes) : static_cast<void>(append_text(bytes, value));
    return keys.restore(bytes, level, 0, 0);
  };
  const auto root = put(0, {}), a = put(1, {"a"}), none = put(1, {""}), a_de = put(2, {"a", "DE"}),
             b_de = put(2, {"b", "DE"});
  const auto covered = [&](const operator_action& action, time_ms at) {
    exclusions left_out(monitor, keys);
    left_out.add(action);
    left_out.advance(tick_of(at, tick));
    std::string text;
    for (const auto slot : {root, a, none, a_de, b_de})
      text += left_out.covers(slot) ? '1' : '0';
    return text;
  };
  CHECK(covered(exclusion(noon, noon + tick), noon) == "11111");
  CHECK(covered(exclusion(noon, noon + tick, {{"cdn", "a"}}), noon) == "01010");
  CHECK(covered(exclusion(noon, noon + tick, {{"cdn", "a"}, {"country", "DE"}}), noon) == "00010");
  CHECK(covered(exclusion(noon, noon + tick, {{"country", "DE"}}), noon) == "00011");
  CHECK(covered(exclusion(noon, noon + tick, {{"cdn", "(none)"}}), noon) == "00100");
  CHECK(covered(exclusion(noon, noon + tick, {{"player", "x"}}), noon) == "00000");
  auto foreign = exclusion(noon, noon + tick);
  foreign.monitor = "another";
  CHECK(covered(foreign, noon) == "00000");
  // Ticks.
  CHECK(covered(exclusion(noon, noon + tick), noon - 1) == "00000");
  CHECK(covered(exclusion(noon, noon + tick), noon + tick) == "00000");
  CHECK(covered(exclusion(noon + 1, noon + 2), noon) == "11111");
  auto later = exclusion(noon, noon + 9 * tick);
  later.in_force = noon + 3 * tick;
  CHECK(covered(later, noon + 2 * tick) == "00000");
  CHECK(covered(later, noon + 3 * tick) == "11111");
  // What is about to be learned may have happened before it came into force.
  exclusions left_out(monitor, keys);
  left_out.add(later);
  left_out.advance(tick_of(noon + 5 * tick, tick));
  CHECK(left_out.covers(a, noon + tick, noon + 2 * tick));
  CHECK_FALSE(left_out.covers(a, noon - 2 * tick, noon));
}

TEST_CASE("a root baseline learns nothing of a spoiled range that is still in quarantine") {
  const auto rate_after = [](bool spoiled) {
    root_baseline baseline({10, 3600}, 0);
    for (int i = 0; i < 3 * 360; ++i) {
      const bool bad = i >= 2 * 360 && i < 2 * 360 + 60;
      baseline.advance(i * 10.0, i * 10.0, season_at(i * 10'000, 10'000));
      baseline.learn(1000, bad ? 40 : 10, lesson::whole);
      // The quarantine of a root of this age is longer than the ten minutes since.
      if (spoiled && i == 2 * 360 + 60)
        baseline.spoil(2 * 3600.0, 2 * 3600.0 + 600);
    }
    return baseline.expected().rate;
  };
  CHECK(rate_after(true) == doctest::Approx(0.01).epsilon(0.001));
  CHECK(rate_after(false) > 0.0101);
}

TEST_CASE("sr_mixture does not learn an excluded range, given before or while it is in quarantine") {
  // Eight hours at 1 %, four hours at 3 % in key a, four hours at 1 %.
  const auto from = noon + 8 * hour_ms, to = from + 4 * hour_ms, end = to + 4 * hour_ms;
  const auto learned = [&](const std::optional<operator_action>& action, time_ms given, double rate) {
    traffic t(silent_world());
    for (auto at = noon; at < end; at += 10 * minute_ms) {
      if (action && at == given)
        t.world.engine().obey(*action);
      t.run(at, at + 10 * minute_ms, at >= from && at < to ? rate : 0.01);
    }
    return std::pair(t.expected_rate(cdn_bytes("a")), t.expected_rate(root_bytes()));
  };
  const auto [normal, normal_root] = learned(std::nullopt, 0, 0.01);
  const auto [taught, taught_root] = learned(std::nullopt, 0, 0.03);
  REQUIRE(taught > 1.05 * normal);
  REQUIRE(taught_root > 1.02 * normal_root);

  // Announced, of everything: as if the hour had not been.
  const auto [announced, announced_root] = learned(exclusion(from, to), from - hour_ms, 0.03);
  CHECK(announced == doctest::Approx(normal).epsilon(0.03));
  CHECK(announced_root == doctest::Approx(normal_root).epsilon(0.02));
  // Given when half an hour of it had passed and was waiting in quarantine.
  const auto [afterwards, afterwards_root] = learned(exclusion(from, to), from + 30 * minute_ms, 0.03);
  CHECK(afterwards == doctest::Approx(normal).epsilon(0.03));
  CHECK(afterwards_root == doctest::Approx(normal_root).epsilon(0.03));
  // Given when its last hour had passed, and no tick of it was to come: that hour waited in quarantine.
  const auto [held, held_root] = learned(exclusion(to - hour_ms, to), to + 10 * minute_ms, 0.03);
  CHECK(held < 0.99 * taught);
  CHECK(held > normal);
  CHECK(held_root <= taught_root); // the local level of a root waits for a quarter of an hour only
  // Only key a: the root goes on learning.
  const auto [own, others] = learned(exclusion(from, to, {{"cdn", "a"}}), from - hour_ms, 0.03);
  CHECK(own < taught);
  CHECK(others == doctest::Approx(taught_root).epsilon(0.005));
  // Too late: it is learned already.
  const auto [late, late_root] = learned(exclusion(from, to), end - 10 * minute_ms, 0.03);
  CHECK(late == doctest::Approx(taught).epsilon(0.005));
  CHECK(late_root == doctest::Approx(taught_root).epsilon(0.005));
}

TEST_CASE("verdicts go on in an excluded range") {
  traffic t(sr_mixture_world(1, tick));
  t.world.engine().obey(exclusion(noon + 8 * hour_ms, noon + 12 * hour_ms));
  t.run(noon, noon + 8 * hour_ms, 0.01);
  t.run(noon + 8 * hour_ms, noon + 9 * hour_ms, 0.2);
  CHECK_FALSE(t.world.of(alert_kind::open, 1).empty());
  t.run(noon + 9 * hour_ms, noon + 10 * hour_ms, 0.01);
  CHECK_FALSE(t.world.of(alert_kind::resolve, 1).empty());
}

TEST_CASE("an excluded range is not the past of leaf cells in the engine") {
  const auto excess_found = [](bool excluded) {
    traffic t(silent_world());
    const auto load_test = noon + 6 * hour_ms;
    if (excluded)
      t.world.engine().obey(exclusion(load_test, load_test + 6 * hour_ms, {{"cdn", "a"}}));
    t.run(noon, load_test, 0.01);
    t.run(load_test, load_test + 6 * hour_ms, 0.2);
    t.run(load_test + 6 * hour_ms, load_test + 8 * hour_ms, 0.01);
    const auto since = load_test + 8 * hour_ms;
    t.run(since, since + 10 * minute_ms, 0.2);
    const auto found = t.world.engine().attribute(0, root_bytes(), since);
    REQUIRE(found);
    REQUIRE_FALSE(found->ranking.empty());
    CHECK(found->ranking[0].set[0].value == std::optional<std::string>("a"));
    return found->ranking[0].excess;
  };
  // 60 ticks of 30 events fail at 20 % instead of 1 %; with the load test in the past, about 9 % would be expected.
  CHECK(excess_found(true) == doctest::Approx(60 * 30 * 0.19).epsilon(0.15));
  CHECK(excess_found(false) < 60 * 30 * 0.14);
}

TEST_CASE("an accepted incident closes as rebase, and its rate is the baseline at once") {
  const auto day = [](bool accepted, std::vector<detector_spec> detectors) {
    auto spec = sr_mixture_world(1, tick);
    spec.monitors[0].detectors = std::move(detectors);
    traffic t(std::move(spec));
    t.run(noon, noon + 8 * hour_ms, 0.01);
    t.run(noon + 8 * hour_ms, noon + 9 * hour_ms, 0.06);
    if (accepted) {
      t.world.engine().obey(acceptance({{"cdn", "a"}}));
      t.world.engine().obey(acceptance({}));
    }
    t.run(noon + 9 * hour_ms, noon + 10 * hour_ms, 0.06);
    return t;
  };
  SUBCASE("sr_mixture") {
    auto t = day(true, {{"sr_mixture", "sr", sr_mixture_spec{}}});
    const auto opened = t.world.of(alert_kind::open, 1);
    const auto closed = t.world.of(alert_kind::rebase, 1);
    REQUIRE(opened.size() == 1);
    REQUIRE(closed.size() == 1);
    CHECK(closed[0].id == opened[0].id);
    CHECK(closed[0].status == alert_status::closed);
    CHECK(closed[0].tick == noon + 9 * hour_ms);
    CHECK(t.expected_rate(cdn_bytes("a")) == doctest::Approx(0.06).epsilon(0.15));
    CHECK(t.world.of(alert_kind::rebase, 0).size() == 1);
    CHECK(t.expected_rate(root_bytes()) == doctest::Approx(0.035).epsilon(0.15));
    CHECK(t.world.of(alert_kind::open).size() == 2);
    // Without it the incident stays open.
    CHECK(day(false, {{"sr_mixture", "sr", sr_mixture_spec{}}}).world.of(alert_kind::rebase).empty());
  }
  SUBCASE("z_score") {
    auto t = day(true, {{"z_score", "z", z_score_spec{}}});
    REQUIRE(t.world.of(alert_kind::open, 1).size() == 1);
    CHECK(t.world.of(alert_kind::rebase, 1).size() == 1);
    CHECK(day(false, {{"z_score", "z", z_score_spec{}}}).world.of(alert_kind::rebase).empty());
  }
  SUBCASE("a limit that the user set is not moved") {
    threshold_spec limit;
    limit.rate = 0.04;
    limit.resolve_rate = 0.02;
    limit.window = 10 * minute_ms;
    limit.min_events = 1000;
    auto t = day(true, {{"threshold", "t", limit}});
    CHECK(t.world.of(alert_kind::open, 1).size() == 1);
    CHECK(t.world.of(alert_kind::rebase).empty());
  }
}

TEST_CASE("an accepted rate holds, however few events the key has") {
  const auto opens_of_a = [](bool accepted) {
    weighted_world world(sr_mixture_world(1, tick));
    const auto a = world.key("a"), b = world.key("b");
    const auto run = [&](time_ms from, time_ms to, bool fails) {
      for (auto at = from; at < to; at += minute_ms) {
        world.add(at, b, 200, 2);
        if ((at - noon) % (5 * minute_ms) == 0) // an event each five minutes, every second of which fails
          world.add(at, a, 1, fails && (at - noon) % (10 * minute_ms) == 0 ? 1 : 0);
      }
      world.flush();
    };
    run(noon, noon + 12 * hour_ms, false);
    run(noon + 12 * hour_ms, noon + 14 * hour_ms, true);
    REQUIRE(world.of(alert_kind::open, 1).size() == 1);
    if (accepted)
      world.engine().obey(acceptance({{"cdn", "a"}}));
    run(noon + 14 * hour_ms, noon + 40 * hour_ms, true);
    if (accepted) {
      REQUIRE(world.of(alert_kind::rebase, 1).size() == 1);
      CHECK(world.of(alert_kind::rebase, 1)[0].sample_size < 40);
      const auto known = world.engine().explain(0, cdn_bytes("a"));
      CHECK(known->detectors[0].model->expected_rate == doctest::Approx(0.5).epsilon(0.3));
    }
    return world.of(alert_kind::open, 1).size();
  };
  CHECK(opens_of_a(true) == 1);
}

TEST_CASE("an accepted incident that is calm closes at once, and its rate is expected") {
  const auto second_end = noon + 8 * hour_ms + 15 * minute_ms;
  const auto flapping = [&] {
    traffic t(sr_mixture_world(1, tick));
    t.run(noon, noon + 8 * hour_ms, 0.01);
    t.run(noon + 8 * hour_ms, noon + 8 * hour_ms + 5 * minute_ms, 0.3);
    t.run(noon + 8 * hour_ms + 5 * minute_ms, second_end - 5 * minute_ms, 0.01);
    t.run(second_end - 5 * minute_ms, second_end, 0.3);
    return t;
  };
  // From the second excursion on, the end is told a minute after it is known.
  auto untouched = flapping();
  untouched.run(second_end, second_end + 20 * minute_ms, 0.01);
  const auto ends = untouched.world.of(alert_kind::resolve, 1);
  REQUIRE(ends.size() == 2);
  REQUIRE(ends[1].reopen_count == 1);
  const auto calm = ends[1].tick - 30 * second_ms;

  auto t = flapping();
  t.run(second_end, calm, 0.01);
  t.world.engine().obey(acceptance({{"cdn", "a"}}));
  t.run(calm, calm + 2 * minute_ms, 0.01);
  const auto closed = t.world.of(alert_kind::rebase, 1);
  REQUIRE(closed.size() == 1);
  CHECK(closed[0].id == ends[1].id);
  CHECK(closed[0].tick == calm);
  CHECK(t.world.of(alert_kind::resolve, 1).size() == 1);
  CHECK(t.expected_rate(cdn_bytes("a")) == doctest::Approx(0.3).epsilon(0.2));
  t.run(calm + 2 * minute_ms, calm + 10 * minute_ms, 0.3);
  CHECK(t.world.of(alert_kind::open, 1).size() == 1);
}

TEST_CASE("what was accepted is no cause of a later incident") {
  const auto later_causes = [](bool accepted) {
    traffic t(sr_mixture_world(1, tick));
    t.run(noon, noon + 8 * hour_ms, 0.01);
    t.run(noon + 8 * hour_ms, noon + 9 * hour_ms, 0.06);
    if (accepted) {
      t.world.engine().obey(acceptance({{"cdn", "a"}}));
      t.world.engine().obey(acceptance({}));
    }
    t.run(noon + 9 * hour_ms, noon + 9 * hour_ms + 30 * minute_ms, 0.06);
    const auto found = t.world.engine().attribute(0, root_bytes(), noon + 9 * hour_ms + 10 * minute_ms);
    REQUIRE(found);
    return found->causes.size();
  };
  CHECK(later_causes(false) == 1);
  CHECK(later_causes(true) == 0);
}

TEST_CASE("an acceptance of an id closes only that incident, one of a closed incident nothing") {
  traffic t(sr_mixture_world(1, tick));
  t.run(noon, noon + 8 * hour_ms, 0.01);
  t.run(noon + 8 * hour_ms, noon + 9 * hour_ms, 0.06);
  auto by_id = acceptance({});
  by_id.incident = t.world.of(alert_kind::open, 1).at(0).id;
  t.world.engine().obey(by_id);
  t.world.engine().obey(acceptance({{"cdn", "b"}}));
  t.run(noon + 9 * hour_ms, noon + 9 * hour_ms + 10 * minute_ms, 0.06);
  const auto closed = t.world.of(alert_kind::rebase);
  REQUIRE(closed.size() == 1);
  CHECK(closed[0].id == by_id.incident);
}

TEST_CASE("an acceptance is not made again after a restart") {
  traffic t(sr_mixture_world(1, tick));
  t.run(noon, noon + 8 * hour_ms, 0.01);
  t.run(noon + 8 * hour_ms, noon + 9 * hour_ms, 0.06);
  t.world.engine().obey(acceptance({{"cdn", "a"}}));
  t.run(noon + 9 * hour_ms, noon + 11 * hour_ms, 0.06);
  t.run(noon + 11 * hour_ms, noon + 12 * hour_ms, 0.3);
  REQUIRE(t.world.of(alert_kind::open, 1).size() == 2);
  REQUIRE(t.world.of(alert_kind::rebase, 1).size() == 1);
  const auto commit = t.world.engine().take_commit();
  REQUIRE(commit.actions.size() == 1);
  world again(std::make_shared<const world_spec>(sr_mixture_world(1, tick)), 1, commit);
  REQUIRE_FALSE(again.error());
  again.advance(0, noon + 12 * hour_ms + 10 * minute_ms, journal_kind::idle);
  for (const auto& record : again.take_alerts())
    CHECK(record.kind != alert_kind::rebase);
}

TEST_CASE("volume_drop learns no excluded hour, and accepts a smaller volume at once") {
  struct outcome {
    std::vector<alert> all;
    double expected_an_hour = 0;
  };
  const auto run = [](bool burst, bool excluded, bool accepted) {
    auto spec = one_monitor({"volume_drop", "v", volume_drop_spec{}});
    spec.monitors[0].levels.resize(1);
    spec.monitors[0].dimensions.clear();
    weighted_world world(spec);
    const auto all = world.key("");
    std::mt19937_64 random(4);
    // Two days of 20 events a tick; on the second, four hours of three times as many, at last too few.
    const auto busy = noon + 26 * hour_ms, drop = noon + 46 * hour_ms;
    if (excluded)
      world.engine().obey(exclusion(busy, busy + 4 * hour_ms));
    outcome out;
    for (auto at = noon; at < noon + 50 * hour_ms; at += tick) {
      if (at == drop || at == drop + hour_ms)
        world.flush();
      if (at == drop)
        out.expected_an_hour = std::stod(fact(world, root_bytes(), "expected_per_hour"));
      if (accepted && at == drop + hour_ms)
        world.engine().obey(acceptance({}));
      const auto mean = burst && at >= busy && at < busy + 4 * hour_ms ? 60 : at >= drop ? 8 : 20;
      world.add(at, all, std::poisson_distribution<std::int64_t>(mean)(random), 0);
    }
    world.finish();
    out.all = world.all;
    return out;
  };
  const auto normal = run(false, false, false).expected_an_hour;
  REQUIRE(run(true, false, false).expected_an_hour > 1.02 * normal);
  const auto accepted = run(true, true, true);
  CHECK(accepted.expected_an_hour == doctest::Approx(normal).epsilon(0.01));
  const auto is_rebase = [](const alert& one) { return one.kind == alert_kind::rebase; };
  CHECK(std::count_if(accepted.all.begin(), accepted.all.end(), is_rebase) == 1);
  const auto open = run(true, true, false).all;
  CHECK(std::count_if(open.begin(), open.end(), is_rebase) == 0);
  // The smaller volume is normal at once: nothing opens in the three hours after.
  const auto last = std::find_if(accepted.all.begin(), accepted.all.end(), is_rebase);
  REQUIRE(last != accepted.all.end());
  CHECK(last->tick == noon + 47 * hour_ms);
  CHECK(std::none_of(last, accepted.all.end(), [](const alert& one) { return one.kind == alert_kind::open; }));
}

TEST_CASE("z_score drops excluded windows that wait in quarantine") {
  const auto history = [](std::optional<time_ms> given) {
    z_score_spec settings;
    settings.window = 1 * minute_ms;
    settings.outlier = 1e6;
    auto spec = one_monitor({"z_score", "z", settings});
    weighted_world world(spec);
    const auto a = world.key("a");
    // An hour at 1 %, five windows at 20 %, an hour at 1 %.
    const auto bad = noon + hour_ms;
    for (auto at = noon; at < noon + 2 * hour_ms; at += tick) {
      if (given && at == *given) {
        world.flush();
        world.engine().obey(exclusion(bad, bad + 5 * minute_ms));
      }
      world.add(at, a, 100, at >= bad && at < bad + 5 * minute_ms ? 20 : 1);
    }
    world.finish();
    return fact(world, cdn_bytes("a"), "mean");
  };
  CHECK(history(noon) == "1 %");
  CHECK(history(noon + hour_ms + 10 * minute_ms) == "1 %"); // they are in quarantine
  CHECK(history(std::nullopt) != "1 %");
  CHECK(history(noon + 110 * minute_ms) == history(std::nullopt)); // too late
}
