#include "tests/support/engine_harness.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <map>
#include <memory>
#include <random>
#include <set>
#include <string>
#include <vector>

using namespace tocsin;
using namespace tocsin::test;

namespace {

world_spec threshold_world(time_ms tick = 10 * second_ms) {
  threshold_spec settings;
  settings.rate = 0.2;
  settings.resolve_rate = 0.2;
  settings.window = tick;
  auto world = one_monitor({"threshold", "threshold", settings});
  world.monitors[0].tick = tick;
  return world;
}

std::vector<alert> of_key(const std::vector<alert>& all, std::size_t level) {
  std::vector<alert> some;
  for (const auto& a : all)
    if (a.level.size() == level)
      some.push_back(a);
  return some;
}

/// One tick of a stream with a failure rate.
struct fleet_event {
  std::vector<std::optional<std::string>> values;
  std::int64_t total = 0;
  double rate = 0;
};

/// A world that is fed tick by tick; with `restarts`, from its state alone before each tick.
class fleet {
public:
  fleet(world_spec spec, bool crash) : spec_(std::make_shared<const world_spec>(std::move(spec))), restarts_(crash) {
    engine_ = std::make_unique<world>(spec_, 1);
    engine_->advance(0, noon - 1, journal_kind::idle);
  }

  void tick(time_ms at, const std::vector<fleet_event>& events) {
    std::vector<test_event> batch;
    for (const auto& e : events) {
      std::binomial_distribution<std::int64_t> failures(e.total, e.rate);
      batch.push_back({at, e.values, e.total, failures(random_), {}});
    }
    const auto base = sent_.size();
    sent_.insert(sent_.end(), batch.begin(), batch.end());
    send(base);
    for (auto& a : engine_->take_alerts())
      all.push_back(std::move(a));
    if (restarts_ && at >= restart_from)
      restart();
  }

  std::vector<alert> all;
  time_ms restart_from = 0;
  int restarts = 0;

private:
  void send(std::size_t from) {
    auto batch = make_batch(*spec_, 0, sent_, from, sent_.size());
    engine_->count(batch);
  }
  void restart() {
    last_ = engine_->take_commit();
    for (auto& record : last_.state)
      if (record.bytes.empty())
        state_.erase(record.key);
      else
        state_[record.key] = record.bytes;
    journal_.insert(journal_.end(), last_.journal.begin(), last_.journal.end());
    auto from = last_;
    from.journal = journal_;
    from.state.clear();
    for (const auto& [key, bytes] : state_)
      from.state.push_back({key, bytes});
    engine_ = std::make_unique<world>(spec_, 1, from);
    REQUIRE_MESSAGE(!engine_->error(), *engine_->error());
    send(static_cast<std::size_t>(last_.rewinds[0].offset) / 10);
    ++restarts;
  }

  std::shared_ptr<const world_spec> spec_;
  bool restarts_;
  std::unique_ptr<world> engine_;
  std::vector<test_event> sent_;
  std::map<std::string, std::string> state_;
  std::vector<journal_entry> journal_;
  world_snapshot last_;
  std::mt19937 random_{5};
};

constexpr int lands = 13, players = 13;

world_spec fleet_world() {
  auto world = one_monitor({"sr_mixture", "sr", sr_mixture_spec{}});
  auto& monitor = world.monitors[0];
  monitor.dimensions = {"cdn", "country", "player"};
  monitor.levels = {{{}}, {{0}}, {{1}}, {{0, 1}}, {{0, 2}}};
  monitor.life.group_wait = 20 * second_ms;
  return world;
}

/// Three cdns x 13 countries x 13 players, 1 % failures but where `rate` says more.
template <class Rate>
std::vector<fleet_event> fleet_tick(const Rate& rate) {
  std::vector<fleet_event> out;
  for (const auto* cdn : {"a", "b", "c"})
    for (int land = 0; land < lands; ++land)
      for (int player = 0; player < players; ++player)
        out.push_back({{std::string(cdn), "l" + std::to_string(land), "p" + std::to_string(player)},
                       20,
                       std::max(0.01, rate(std::string(cdn), land))});
  return out;
}

struct pages_told {
  std::vector<alert> pages;
  std::size_t rows = 0, resolves = 0, page_resolves = 0;
};

pages_told pages_of(const std::vector<alert>& all) {
  pages_told out;
  std::set<std::string> pages;
  for (const auto& a : all) {
    if (a.kind == alert_kind::open) {
      ++out.rows;
      if (!a.parent_id) {
        out.pages.push_back(a);
        pages.insert(a.id);
      }
    }
    if (a.kind == alert_kind::resolve) {
      ++out.resolves;
      out.page_resolves += pages.count(a.id);
    }
  }
  return out;
}

std::string line_of(const alert& a) {
  auto line = std::to_string(a.tick) + " " + a.id + " " + std::to_string(a.revision) + " " + name_of(a.kind) + " " +
              name_of(a.level_of_harm) + " " + std::to_string(a.failures) + " " + a.parent_id.value_or("-") + " " +
              std::to_string(a.reopen_count);
  for (const auto& child : a.children)
    line += " " + child;
  return line;
}

template <class Rate>
std::vector<alert> run_fleet(const world_spec& spec, const Rate& rate, bool restarts = false) {
  fleet f(spec, restarts);
  f.restart_from = noon + 30 * minute_ms;
  for (int i = 0; i < 6 * 45; ++i) {
    const auto at = noon + i * 10 * second_ms;
    const bool is_out = i >= 6 * 32 && i < 6 * 37;
    f.tick(at, fleet_tick([&](const std::string& cdn, int land) { return is_out ? rate(cdn, land) : 0; }));
  }
  CHECK((f.restarts > 80) == restarts);
  return f.all;
}

} // namespace

TEST_CASE("an outage of one cdn over 41 keys of 5 levels is one page, and the same after a restart at every tick") {
  const auto outage = [](const std::string& cdn, int) { return cdn == "a" ? 0.4 : 0; };
  const auto all = run_fleet(fleet_world(), outage);
  const auto told = pages_of(all);
  REQUIRE(told.pages.size() == 1);
  CHECK(told.rows >= 40);
  CHECK(told.resolves == told.rows);
  CHECK(told.page_resolves == 1);
  const auto& page = told.pages[0];
  REQUIRE(page.key.size() == 1);
  CHECK(page.key[0].value == "a");
  CHECK(page.children_count >= 30);
  const auto last = std::find_if(all.rbegin(), all.rend(), [&](const alert& a) { return a.id == page.id; });
  CHECK(last->children_count == told.rows - 1);
  CHECK(last->children.size() == last->children_count);
  for (const auto& a : all)
    if (a.id != page.id)
      CHECK(a.parent_id == page.id);

  const auto again = run_fleet(fleet_world(), outage, true);
  REQUIRE(again.size() == all.size());
  for (std::size_t i = 0; i < all.size(); ++i)
    CHECK(line_of(again[i]) == line_of(all[i]));
}

TEST_CASE("without group_wait every key of the outage is a page") {
  auto spec = fleet_world();
  spec.monitors[0].life.group_wait.reset();
  const auto told = pages_of(run_fleet(spec, [](const std::string& cdn, int) { return cdn == "a" ? 0.4 : 0; }));
  CHECK(told.pages.size() == told.rows);
  CHECK(told.rows >= 40);
}

TEST_CASE("a burst that drowns in what follows it is not told") {
  for (const bool waits : {true, false}) {
    auto spec = one_monitor({"sr_mixture", "sr", sr_mixture_spec{}});
    spec.monitors[0].levels.resize(1);
    if (waits)
      spec.monitors[0].life.group_wait = 20 * second_ms;
    else
      spec.monitors[0].life.group_wait.reset();
    fleet world(spec, false);
    const std::vector<std::optional<std::string>> leaf(spec.monitors[0].dimensions.size(), "x");
    const auto burst = 6 * 60 * 3;
    for (int i = 0; i < burst + 60; ++i)
      world.tick(noon + i * 10 * second_ms, {{leaf, i > burst ? 50'000 : 100, i == burst ? 0.3 : 0.01}});
    CHECK(world.all.empty() == waits);
  }
}

TEST_CASE("two causes at once are two pages") {
  const auto told = pages_of(run_fleet(fleet_world(), [](const std::string& cdn, int land) {
    return cdn == "a" ? 0.4 : cdn == "b" && land == 3 ? 0.9 : 0;
  }));
  std::set<std::string> keys;
  for (const auto& page : told.pages) {
    std::string key;
    for (const auto& d : page.key)
      key += *d.value + " ";
    keys.insert(key);
  }
  CHECK(keys == std::set<std::string>{"a ", "b l3 "});
  CHECK(told.pages.size() == 2);
  CHECK(told.rows > 40);
}

TEST_CASE("an outage that several monitors of a scope see is one page; one in shadow takes no part") {
  auto spec = fleet_world();
  auto other = spec.monitors[0];
  other.name = "other";
  other.levels = {{{}}, {{1}}};
  other.tick = 30 * second_ms;
  other.life.group_wait = minute_ms;
  spec.monitors.push_back(other);
  spec.monitors[0].detectors.push_back({"sr_mixture", "trial", sr_mixture_spec{}, true});
  const auto all = run_fleet(spec, [](const std::string& cdn, int) { return cdn == "a" ? 0.4 : 0; });
  std::vector<alert> live, shadow;
  for (const auto& a : all)
    (a.shadow ? shadow : live).push_back(a);
  const auto told = pages_of(live);
  CHECK(told.pages.size() == 1);
  std::set<std::string> monitors;
  for (const auto& a : live)
    monitors.insert(a.monitor);
  CHECK(monitors.size() == 2);
  CHECK(shadow.size() > 40);
  for (const auto& a : shadow) {
    CHECK_FALSE(a.parent_id);
    CHECK(a.children.empty());
  }
}

TEST_CASE("the next excursion soon after re-opens the incident, and does not page again") {
  harness h(threshold_world());
  const auto minute = [&](int i, std::int64_t failed) { h.steady(noon + i * minute_ms, 6, 100, failed); };
  for (int i = 0; i < 60; ++i)
    minute(i, i == 5 || i == 12 || i == 40 ? 50 : 0);
  h.advance(noon + hour_ms);
  const auto of_root = of_key(h.all, 0);
  std::vector<std::string> kinds;
  for (const auto& a : of_root)
    kinds.push_back(std::string(name_of(a.kind)) + " " + std::to_string(a.reopen_count));
  // Seven minutes after the first: again. 27 minutes after the second: another incident.
  CHECK(kinds == std::vector<std::string>{"open 0", "resolve 0", "update 1", "resolve 1", "open 0", "resolve 0"});
  CHECK(of_root[2].id == of_root[0].id);
  CHECK(of_root[2].status == alert_status::open);
  CHECK(of_root[2].revision == 2);
  CHECK_FALSE(of_root[2].resolved_at);
  CHECK(of_root[2].onset > *of_root[1].resolved_at - minute_ms);
  CHECK(of_root[4].id != of_root[0].id);
}

TEST_CASE("a key that flaps every minute is told less and less often") {
  for (const bool merge : {false, true}) {
    auto spec = threshold_world();
    if (!merge)
      spec.monitors[0].life.reopen_within = 0;
    harness h(spec);
    for (int i = 0; i < 6 * 60; ++i)
      h.steady(noon + i * minute_ms, 6, 100, i % 2 == 0 ? 50 : 0);
    std::map<std::int64_t, int> by_hour;
    std::set<std::string> ids;
    for (const auto& a : of_key(h.all, 0)) {
      ++by_hour[(a.tick - noon - 1) / hour_ms];
      ids.insert(a.id);
    }
    int most = 0;
    for (const auto& [hour, records] : by_hour)
      most = std::max(most, records);
    MESSAGE(std::string(merge ? "merged: " : "not merged: ")
            << ids.size() << " incidents, at most " << most << " records an hour");
    if (merge) {
      CHECK(ids.size() == 1);
      CHECK(most <= 10);
    } else {
      CHECK(most >= 60);
    }
  }
}

TEST_CASE("a stable rate is proposed as the new normal, once") {
  auto spec = threshold_world(minute_ms);
  spec.monitors[0].life.propose_after = 2 * hour_ms;
  harness h(spec);
  for (int i = 0; i < 600; ++i)
    h.event(noon + i * minute_ms, 100, 50);
  const auto proposed = h.of("rebase", 0);
  REQUIRE(proposed.size() == 1);
  CHECK(proposed[0].status == alert_status::open);
  CHECK(proposed[0].tick - h.of("open", 0)[0].tick == 2 * hour_ms);
}

TEST_CASE("a rate that keeps rising is not proposed as a new normal") {
  auto spec = threshold_world(minute_ms);
  spec.monitors[0].life.propose_after = hour_ms;
  harness h(spec);
  auto rate = 250.0;
  for (int i = 0; i < 120; ++i, rate *= 1.012)
    h.event(noon + i * minute_ms, 1000, static_cast<std::int64_t>(std::min(990.0, rate)));
  CHECK(h.of("open", 0).size() == 1);
  CHECK(h.of("rebase", 0).empty());
}

// ---- Late events.

TEST_CASE("late events count in the incident of their minute, not in one that began later") {
  harness h(threshold_world());
  h.steady(noon, 60, 100, 0);              // ten quiet minutes
  h.event(noon + 10 * minute_ms, 100, 50); // the incident begins
  h.event(noon + 10 * minute_ms + 11 * second_ms, 100, 50);
  h.event(noon + 5 * minute_ms, 1000, 900);  // five minutes late, of the time before
  h.event(noon + 10 * minute_ms + 1, 10, 7); // a tick late, of its own time
  h.event(noon + 10 * minute_ms + 21 * second_ms, 100, 50);
  h.event(noon + 10 * minute_ms + 31 * second_ms, 100, 0);
  h.advance(noon + 10 * minute_ms + 40 * second_ms);
  const auto resolved = h.of("resolve", 0);
  REQUIRE(resolved.size() == 1);
  CHECK(resolved[0].sample_size == 100 + 100 + 10 + 100 + 100);
  CHECK(resolved[0].failures == 50 + 50 + 7 + 50);
}

TEST_CASE("late failures of the time before do not open an incident by themselves") {
  harness h(threshold_world());
  h.steady(noon, 60, 100, 0);
  h.event(noon + 5 * minute_ms, 900, 900);
  h.event(noon + 10 * minute_ms + 1, 100, 0);
  h.event(noon + 10 * minute_ms + 11 * second_ms, 100, 0);
  CHECK(h.all.empty());
}

TEST_CASE("late successes retract an incident, once; afterwards the key is judged anew") {
  auto spec = one_monitor({"sr_mixture", "sr", sr_mixture_spec{}});
  harness h(spec);
  h.steady(noon, 6 * 60, 200, 2);
  const auto out = noon + hour_ms;
  for (int i = 0; i < 12; ++i)
    h.event(out + i * 10 * second_ms, 60, 12);
  REQUIRE(h.of("open", 0).size() == 1);
  const auto opened = h.of("open", 0)[0];
  // What succeeded in those two minutes becomes known.
  h.event(out + 1, 20000, 100);
  for (int i = 12; i < 24; ++i)
    h.event(out + i * 10 * second_ms, 200, 2);
  const auto retracted = h.of("retract", 0);
  REQUIRE(retracted.size() == 1);
  CHECK(retracted[0].id == opened.id);
  CHECK(retracted[0].status == alert_status::closed);
  CHECK(h.of("resolve", 0).empty());
  for (int i = 24; i < 36; ++i)
    h.event(out + i * 10 * second_ms, 200, 60);
  const auto opens = h.of("open", 0);
  REQUIRE(opens.size() == 2);
  CHECK(opens[1].id != opened.id);
}

TEST_CASE("an alarm whose key expires while it waits is not told") {
  auto spec = threshold_world();
  spec.monitors[0].life.group_wait = 5 * minute_ms;
  spec.monitors[0].expire_after = 2 * minute_ms;
  harness h(spec);
  h.steady(noon, 6, 100, 0);
  h.event(noon + minute_ms, 100, 50);
  CHECK(h.all.empty());
  h.advance(noon + hour_ms);
  CHECK(h.all.empty());
}

TEST_CASE("a child that re-opens is counted once, however many children there are") {
  auto spec = threshold_world();
  spec.monitors[0].life.group_wait = 20 * second_ms;
  harness h(spec);
  constexpr int cdns = 60;
  for (int i = 0; i < 60; ++i)
    for (int cdn = 0; cdn < cdns; ++cdn) {
      // Each fails, and twelve of them break off three times; the stream as a whole fails all the time.
      const bool fails = i >= 6 && (cdn < 48 || (i / 6) % 2 == 1);
      h.event(noon + i * 10 * second_ms, 100, fails ? 50 : 0, ("c" + std::to_string(cdn)).c_str());
    }
  const auto page = h.of("open", 0);
  REQUIRE(page.size() == 1);
  CHECK(page[0].children_count == cdns);
  CHECK(std::count_if(h.all.begin(), h.all.end(),
                      [](const alert& a) { return a.reopen_count == 1 && a.kind == alert_kind::update; }) >= 12);
  for (const auto& a : h.all)
    if (a.id == page[0].id)
      CHECK(a.children_count == cdns);
}

TEST_CASE("when a page turns out to be none, its children go to the next cause, or become pages themselves") {
  for (const bool has_other_cause : {false, true}) {
    auto spec = one_monitor({"sr_mixture", "sr", sr_mixture_spec{}});
    spec.monitors[0].life.group_wait = 20 * second_ms;
    harness h(spec);
    for (int i = 0; i < 6 * 60; ++i)
      for (const auto* cdn : {"a", "b"})
        h.event(noon + i * 10 * second_ms, 200, 2, cdn);
    const auto out = noon + hour_ms;
    for (int i = 0; i < 8; ++i) {
      h.event(out + i * 10 * second_ms, 20, 6, "a");
      h.event(out + i * 10 * second_ms, 200, has_other_cause && i >= 4 ? 150 : 2, "b");
    }
    // The page is cdn=a, the stream as a whole its child.
    REQUIRE(h.of("open", 0).size() == 1);
    REQUIRE(h.of("open", 1).size() == (has_other_cause ? 2 : 1));
    const auto root = h.of("open", 0)[0], page = h.of("open", 1)[0];
    REQUIRE_FALSE(page.parent_id);
    REQUIRE(root.parent_id == std::optional<std::string>(page.id));
    // What succeeded in a all that time becomes known, while other cdns fail: b, or many too small to alarm themselves.
    h.event(out + 1, 8000, 0, "a");
    if (has_other_cause)
      h.event(out + 75 * second_ms, 8000, 6000, "b");
    else
      for (int n = 0; n < 4000; ++n)
        h.event(out + 75 * second_ms, 1, 1, ("c" + std::to_string(n)).c_str());
    for (int i = 8; i < 12; ++i)
      h.event(out + i * 10 * second_ms, 200, 150, "b");
    const auto retracted = h.of("retract", 1);
    REQUIRE(retracted.size() == 1);
    CHECK(retracted[0].id == page.id);
    const auto after = std::find_if(h.all.begin(), h.all.end(), [&](const alert& a) {
      return a.id == root.id && a.tick > retracted[0].tick && a.status == alert_status::open;
    });
    REQUIRE(after != h.all.end());
    CHECK(after->kind == alert_kind::update);
    if (has_other_cause)
      CHECK(after->parent_id == std::optional<std::string>(h.of("open", 1)[1].id));
    else
      CHECK_FALSE(after->parent_id);
  }
}

TEST_CASE("nothing is learned while an incident is open") {
  auto spec = one_monitor({"sr_mixture", "sr", sr_mixture_spec{}});
  harness h(spec);
  h.steady(noon, 6 * 180, 200, 2);
  h.steady(noon + 3 * hour_ms, 6 * 90, 200, 40);
  REQUIRE(h.of("open", 0).size() == 1);
  h.steady(noon + 3 * hour_ms + 90 * minute_ms, 6 * 10, 200, 2);
  const auto resolved = h.of("resolve", 0);
  REQUIRE(resolved.size() == 1);
  CHECK(resolved[0].baseline_value == doctest::Approx(0.01).epsilon(0.1));
}
