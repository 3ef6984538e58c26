// What the engine tells of a key: the same as the record, the same after a restart, and without any effect.

#include "tests/support/engine_harness.hpp"
#include "tests/support/random_world.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <random>
#include <set>
#include <tuple>

using namespace tocsin;
using namespace tocsin::test;

namespace {

constexpr time_ms tick = 10 * second_ms;

detector_spec mixture(double false_alarms_per_day = 1) {
  sr_mixture_spec settings;
  settings.false_alarms_per_day = false_alarms_per_day;
  return {"sr_mixture", "sr_mixture", settings};
}

std::string root() {
  return std::string(1, '\0');
}

std::string cdn(const std::string& name) {
  std::string key(1, '\1');
  append_text(key, name);
  return key;
}

/// Every number of an explanation, and its words.
std::vector<double> numbers_of(const explanation& e) {
  std::vector<double> all{static_cast<double>(e.tick),
                          static_cast<double>(e.state),
                          e.expected_rate,
                          e.level,
                          e.season,
                          static_cast<double>(e.shaped),
                          static_cast<double>(e.seasonal),
                          e.parent_rate.value_or(-1),
                          e.uncertainty,
                          e.misfit,
                          e.dispersion,
                          e.guard,
                          e.guarded_rate,
                          e.evidence,
                          e.threshold,
                          e.budget_per_day,
                          e.scope_budget_per_day,
                          e.events_an_hour};
  for (const auto& one : e.alternatives)
    all.insert(all.end(), {one.odds_ratio, one.rate, one.evidence});
  if (e.excess)
    all.insert(all.end(),
               {static_cast<double>(e.excess->onset), static_cast<double>(e.excess->total),
                static_cast<double>(e.excess->failed), static_cast<double>(e.excess->capped), e.excess->expected});
  if (e.closing)
    all.insert(all.end(), {static_cast<double>(e.closing->opened), e.closing->observed_rate, e.closing->closing_rate,
                           e.closing->evidence, static_cast<double>(e.closing->accept_at)});
  for (const auto& one : e.to_detect)
    all.insert(all.end(), {one.rate, one.events.value_or(-1), one.seconds.value_or(-1)});
  return all;
}

explanation model_of(const std::optional<key_explanation>& key) {
  REQUIRE(key);
  REQUIRE(key->detectors.size() == 1);
  REQUIRE(key->detectors[0].model);
  return *key->detectors[0].model;
}

double number(const alert& record, const std::string& name) {
  for (const auto& [key, value] : record.model)
    if (key == name)
      return value;
  FAIL("the record has no " << name);
  return 0;
}

/// Two hours of 1 % at 20 events a tick on `a`, then an outage of 30 %. Every record's tick is the end.
void quiet_then_outage(harness& h, int outage_ticks) {
  std::mt19937 random(7);
  const auto binomial = [&](double p) { return std::binomial_distribution<std::int64_t>(20, p)(random); };
  for (int i = 0; i < 720; ++i)
    h.event(noon + i * tick, 20, binomial(0.01));
  for (int i = 0; i < outage_ticks; ++i)
    h.event(noon + (720 + i) * tick, 20, binomial(0.3));
}

/// The root key of an event's scope.
template <class Values>
std::string root_of(const monitor_spec& monitor, const Values& values) {
  std::string key(1, '\0');
  for (const auto dimension : monitor.levels[0].dimensions)
    if (const auto& value = values[dimension])
      append_text(key, *value);
    else
      append_null(key);
  return key;
}

} // namespace

TEST_CASE("explanation: at the opening tick it says what the record says") {
  harness h(one_monitor(mixture()));
  h.engine().watch(0, {cdn("a"), root()});
  quiet_then_outage(h, 12);
  h.advance(noon + 740 * tick);
  const auto opened = h.of("open", 1);
  REQUIRE(opened.size() == 1);
  const auto& record = opened[0];

  const auto seen = h.engine().take_watched();
  const auto at = std::find_if(seen.begin(), seen.end(),
                               [&](const watched_tick& t) { return t.bytes == cdn("a") && t.end == record.tick; });
  REQUIRE(at != seen.end());
  CHECK(at->total == 20);
  REQUIRE(at->judgements.size() == 1);
  const auto& judged = at->judgements[0];
  CHECK(judged.asked);
  CHECK(judged.told == std::vector<alert_kind>{alert_kind::open});
  REQUIRE(judged.view.model);
  const auto& model = *judged.view.model;
  CHECK(model.state == standing::open);
  CHECK(model.expected_rate == record.baseline_value);
  CHECK(model.evidence == record.evidence);
  CHECK(model.evidence / model.budget_per_day == record.once_in_days);
  CHECK(model.guard == number(record, "guard"));
  CHECK(model.dispersion == number(record, "dispersion"));
  CHECK(model.uncertainty == number(record, "uncertainty"));
  CHECK(model.season == number(record, "season"));
  CHECK(model.threshold == number(record, "threshold"));
  REQUIRE(model.excess);
  CHECK(model.excess->total == record.sample_size);
  CHECK(model.excess->failed == record.failures);
  CHECK(model.excess->expected == record.expected_failures);
  CHECK(tick_start(model.excess->onset, tick) == record.onset);
  REQUIRE(judged.view.gates);
  CHECK(judged.view.gates->pass());
  CHECK(judged.view.gates->failures[2].value == doctest::Approx(record.excess_failures));
  REQUIRE(judged.view.incident);
  CHECK(judged.view.incident->id == record.id);

  // Before, the evidence was not enough; afterwards there is an incident that waits to close.
  const auto is_own = [](const watched_tick& t) { return t.bytes == cdn("a"); };
  for (auto before = seen.begin(); before != at; ++before)
    if (is_own(*before))
      CHECK(before->judgements[0].view.model->evidence < before->judgements[0].view.model->threshold);
  const auto after = std::find_if(at + 1, seen.end(), is_own);
  REQUIRE(after != seen.end());
  CHECK(after->judgements[0].view.model->state == standing::open);
  CHECK(after->judgements[0].view.model->closing);
  CHECK(after->judgements[0].told.empty());
  // Every tick with events of either key is there.
  CHECK(seen.size() == 2 * 732);
}

TEST_CASE("explanation: a restored world explains as the one before") {
  const auto stream = random_stream({3, 6000, 2, 4, noon, 900, true});
  const auto spec = std::make_shared<const world_spec>(two_monitor_world(2));
  world before(spec, 1);
  before.count(make_batch(*spec, 0, stream, 0, stream.size()));
  // Silence behind the last tick with events is judged too, and must not show.
  before.advance(0, before.gate().watermark(0) + 20 * minute_ms, journal_kind::idle);
  auto commit = before.take_commit();
  world after(spec, 1, commit);
  REQUIRE(!after.error());
  std::size_t compared = 0;
  for (const auto& record : commit.state) {
    if (record.key[0] != 'k' || record.bytes.empty())
      continue;
    const auto monitor = static_cast<std::uint32_t>(static_cast<std::uint8_t>(record.key[2]));
    const auto key = record.key.substr(4);
    const auto was = before.explain(monitor, key);
    const auto is = after.explain(monitor, key);
    REQUIRE(was);
    REQUIRE(is);
    CHECK(was->last_seen == is->last_seen);
    for (std::size_t d = 0; d < was->detectors.size(); ++d) {
      CHECK(was->detectors[d].facts == is->detectors[d].facts);
      REQUIRE(was->detectors[d].model.has_value() == is->detectors[d].model.has_value());
      if (!was->detectors[d].model)
        continue;
      CHECK(numbers_of(*was->detectors[d].model) == numbers_of(*is->detectors[d].model));
      ++compared;
    }
  }
  CHECK(compared > 10);
  // Explaining left nothing behind.
  CHECK(before.take_commit().state.empty());
}

TEST_CASE("explanation: watching changes no record and no state") {
  for (std::uint32_t seed = 1; seed <= 12; ++seed) {
    CAPTURE(seed);
    const auto spec = std::make_shared<const world_spec>(random_world(seed));
    const auto stream = random_stream({seed, 3000, 3, 4, noon, 700, true});
    const auto run = [&](bool watched) {
      world engine(spec, 1);
      std::string log;
      std::map<std::string, std::string> state;
      std::size_t seen = 0;
      for (std::size_t begin = 0; begin < stream.size(); begin += 500) {
        if (watched)
          for (std::uint32_t m = 0; m < spec->monitors.size(); ++m) {
            // Keys that exist, of the events at hand; others in each block.
            engine.watch(m, {root_of(spec->monitors[m], stream[begin].values),
                             root_of(spec->monitors[m], stream[begin + 1].values)});
          }
        engine.count(make_batch(*spec, 0, stream, begin, std::min(stream.size(), begin + 500)));
        seen += engine.take_watched().size();
        for (const auto& a : engine.take_alerts()) {
          log += a.id + std::to_string(a.revision) + name_of(a.kind) + std::to_string(a.tick) + a.key_bytes;
          for (const auto& [name, value] : a.model)
            log += name + std::to_string(value);
        }
        for (auto& record : engine.take_commit().state)
          state[record.key] = std::move(record.bytes);
      }
      CHECK((seen > 0) == watched);
      return std::pair(log, state);
    };
    CHECK(run(false) == run(true));
  }
}

TEST_CASE("explanation: keys of several scopes are watched as each alone, until others are") {
  std::size_t scopes = 0;
  for (std::uint32_t seed = 1; seed <= 12; ++seed) {
    CAPTURE(seed);
    const auto spec = std::make_shared<const world_spec>(random_world(seed));
    const auto stream = random_stream({seed, 2000, 3, 4, noon, 700, true});
    const auto& monitor = spec->monitors[0];
    const auto a = root_of(monitor, stream[0].values);
    std::string b = a;
    for (const auto& one : stream)
      if (const auto root = root_of(monitor, one.values); root != a)
        b = root;
    scopes += a != b ? 1u : 0u;
    // What is seen of the first half of the stream with these keys, then with none.
    using sight = std::tuple<std::string, time_ms, std::int64_t, std::int64_t>;
    const auto watch = [&](const std::vector<std::string>& keys) {
      world engine(spec, 1);
      engine.watch(0, keys);
      std::multiset<sight> seen;
      engine.count(make_batch(*spec, 0, stream, 0, 1000));
      for (const auto& one : engine.take_watched())
        seen.emplace(one.bytes, one.end, one.total, one.failed);
      engine.watch(0, {});
      engine.count(make_batch(*spec, 0, stream, 1000, 2000));
      CHECK(engine.take_watched().empty());
      return seen;
    };
    auto expected = watch({a});
    if (a != b)
      expected.merge(watch({b}));
    CHECK(watch(a != b ? std::vector{a, b} : std::vector{a}) == expected);
  }
  CHECK(scopes > 3);
}

TEST_CASE("explanation: a key that was never seen would inherit from its parent") {
  harness h(one_monitor(mixture()));
  quiet_then_outage(h, 0);
  h.advance(noon + 730 * tick);
  const auto unseen = h.engine().explain(0, cdn("new"));
  CHECK_FALSE(unseen->known);
  const auto model = model_of(unseen);
  const auto above = model_of(h.engine().explain(0, root()));
  CHECK(model.state == standing::unseen);
  CHECK(model.expected_rate == above.expected_rate);
  CHECK(model.parent_rate == above.expected_rate);
  CHECK(model.uncertainty > above.uncertainty); // it may be different
  CHECK(model.evidence == 0);
  CHECK(model.events_an_hour == 0);
  REQUIRE(!model.to_detect.empty());
  CHECK(model.to_detect[0].events);
  CHECK_FALSE(model.to_detect[0].seconds);
  CHECK_FALSE(harness(one_monitor(mixture())).engine().explain(0, root())); // nothing is known of the whole scope
}

TEST_CASE("explanation: the gate that holds a single viewer back is named") {
  auto spec = one_monitor(mixture());
  spec.monitors[0].has_viewers = true;
  harness h(std::move(spec));
  std::mt19937 random(3);
  for (int i = 0; i < 720; ++i)
    h.event(noon + i * tick, 20, std::binomial_distribution<std::int64_t>(20, 0.01)(random), "a",
            static_cast<std::uint8_t>(random() % 64));
  h.engine().watch(0, {cdn("a")});
  for (int i = 720; i < 740; ++i)
    h.event(noon + i * tick, 20, 10, "a", std::uint8_t{5});
  h.advance(noon + 745 * tick);
  CHECK(h.of("open", 1).empty());
  const auto seen = h.engine().take_watched();
  REQUIRE(seen.size() == 21); // and the last quiet one, which was open when watching began
  const auto& last = seen.back().judgements[0];
  CHECK(last.asked);
  CHECK(last.view.model->state == standing::held_back);
  REQUIRE(last.view.gates);
  CHECK(all_pass(last.view.gates->failures));
  REQUIRE(last.view.gates->viewers);
  CHECK_FALSE(all_pass(*last.view.gates->viewers));
  CHECK_FALSE(last.view.gates->pass());
}

TEST_CASE("explanation: the rate of events is that of the stream, young or old") {
  for (const int hours : {1, 5, 60}) {
    harness h(one_monitor(mixture()));
    for (int i = 0; i < hours * 360; ++i)
      h.event(noon + 25 * minute_ms + i * tick, 5, 0, i % 4 == 0 ? "rare" : "a");
    h.advance(noon + 26 * minute_ms + hours * hour_ms);
    CAPTURE(hours);
    CHECK(model_of(h.engine().explain(0, root())).events_an_hour == doctest::Approx(1800).epsilon(0.03));
    CHECK(model_of(h.engine().explain(0, cdn("rare"))).events_an_hour == doctest::Approx(450).epsilon(0.05));
  }
}

namespace {

/// What an outage took, over what was stated before it: the mean over many scopes of binomial counts.
double measured_over_stated(double base, double outage, std::int64_t events_a_tick, const std::string& name) {
  auto spec = one_monitor(mixture(0.05));
  spec.monitors[0].scope_size = 1;
  spec.monitors[0].levels = {{{0}}};
  spec.monitors[0].gates = {1, 0, 0};
  const auto shared = std::make_shared<const world_spec>(spec);
  world engine(shared, 1);
  constexpr int scopes = 60, quiet = 26 * 360, most = 1500; // a day, so that the hour is known
  std::mt19937 random(11);
  std::vector<test_event> events;
  const auto feed = [&](int from, int to, double rate) {
    events.clear();
    for (int i = from; i < to; ++i)
      for (int s = 0; s < scopes; ++s)
        events.push_back({noon + i * tick,
                          {std::to_string(s)},
                          events_a_tick,
                          std::binomial_distribution<std::int64_t>(events_a_tick, rate)(random),
                          std::nullopt});
    engine.count(make_batch(*shared, 0, events, 0, events.size()));
  };
  feed(0, quiet, base);
  engine.take_alerts();
  double stated = 0;
  for (int s = 0; s < scopes; ++s) {
    std::string key(1, '\0');
    append_text(key, std::to_string(s));
    const auto model = model_of(engine.explain(0, key));
    const auto found = std::find_if(model.to_detect.begin(), model.to_detect.end(),
                                    [&](const time_to_detect& one) { return one.outage == name; });
    REQUIRE_MESSAGE(found != model.to_detect.end(),
                    name << " of " << model.expected_rate << ", guarded " << model.guarded_rate);
    stated += *found->seconds / scopes;
  }
  feed(quiet, quiet + most, outage);
  std::map<std::string, double> delays;
  for (const auto& a : engine.take_alerts())
    if (a.kind == alert_kind::open)
      delays.emplace(a.key_bytes, static_cast<double>(a.tick - noon - quiet * tick) / second_ms);
  CHECK(delays.size() >= scopes * 99 / 100);
  double sum = 0;
  for (const auto& [key, delay] : delays)
    sum += delay;
  const auto ratio = sum / static_cast<double>(delays.size()) / stated;
  MESSAGE(base << " to " << name << " at " << events_a_tick << " a tick: stated " << stated << " s, measured "
               << ratio * stated << " s, ratio " << ratio);
  return ratio;
}

} // namespace

TEST_CASE("explanation: the time to detect is what it takes") {
  for (const auto& [base, outage, events, name] : std::vector<std::tuple<double, double, std::int64_t, std::string>>{
           {0.01, 1, 2, "100 %"}, {0.01, 0.1, 5, "10 %"}, {0.01, 0.05, 20, "x5"}, {0.02, 0.04, 100, "x2"}}) {
    const auto ratio = measured_over_stated(base, outage, events, name);
    CHECK(ratio > 0.7);
    CHECK(ratio < 1.15);
  }
}
