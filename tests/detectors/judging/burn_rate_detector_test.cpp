// The detector through the engine: records in, alert records out.

#include "tests/support/engine_harness.hpp"

#include <doctest/doctest.h>

using namespace tocsin;
using namespace tocsin::test;

namespace {

constexpr time_ms tick = 10 * second_ms;

/// 1 % may fail. One rule: 10 % over the last 2 minutes (12 ticks) and the last 30 s.
burn_rate_spec ten_times() {
  burn_rate_spec settings;
  settings.objective = 0.99;
  settings.rules = {{2 * minute_ms, 30 * second_ms, 10}};
  return settings;
}

detector_spec burn_rate(burn_rate_spec settings) {
  return {"burn_rate", "burn_rate", std::move(settings)};
}

double model_of(const alert& record, const std::string& name) {
  for (const auto& [known, value] : record.model)
    if (known == name)
      return value;
  FAIL("no number " << name);
  return 0;
}

} // namespace

TEST_CASE("burn_rate opens when the long and the short window burn, and closes when the short one does not") {
  harness h(one_monitor(burn_rate(ten_times())));
  h.steady(noon, 24, 100, 0);
  const auto outage = noon + 24 * tick;
  // 50 % fail. Short window: 50, 100, 150 of 300 (10 % at once). Long: 50, 100, 150 of 1200, 10 % from the third tick.
  h.steady(outage, 12, 100, 50);
  h.steady(outage + 12 * tick, 12, 100, 0);
  const auto opened = h.of("open", 0);
  REQUIRE(opened.size() == 1);
  CHECK(opened[0].tick == outage + 3 * tick);
  CHECK(opened[0].onset == outage); // the beginning of the short window
  CHECK(opened[0].baseline_value == doctest::Approx(0.01));
  CHECK(opened[0].sample_size == 300);
  CHECK(opened[0].failures == 150);
  CHECK(opened[0].closes_when == "rate below 10 % over the last 30s");
  CHECK(model_of(opened[0], "burn_factor") == 10);
  CHECK(model_of(opened[0], "long_burn_rate") == doctest::Approx(12.5));
  CHECK(model_of(opened[0], "short_burn_rate") == doctest::Approx(50));
  CHECK(model_of(opened[0], "window_events") == 300);
  const auto resolved = h.of("resolve", 0);
  REQUIRE(resolved.size() == 1);
  CHECK(resolved[0].tick == outage + (12 + 3) * tick); // three good ticks fill the short window
  CHECK(*resolved[0].measured_value_on_close == 0);
  CHECK(h.of("open", 1).size() == 1);
}

TEST_CASE("burn_rate: exactly the factor burns, and one failure less does not") {
  harness exact(one_monitor(burn_rate(ten_times()))), less(one_monitor(burn_rate(ten_times())));
  exact.steady(noon, 12, 100, 10);
  less.steady(noon, 11, 100, 9);
  REQUIRE(exact.of("open", 0).size() == 1);
  CHECK(exact.of("open", 0)[0].tick == noon + tick); // a new key is burning from its first tick
  CHECK(exact.of("open", 0)[0].onset == noon);       // not before its creation
  CHECK(less.all.empty());
}

TEST_CASE("burn_rate: the short window alone opens nothing, nor does the long one") {
  harness brief(one_monitor(burn_rate(ten_times())));
  brief.steady(noon, 12, 100, 0);
  brief.steady(noon + 12 * tick, 1, 100, 100); // 33 % of 30 s, but 8.3 % of two minutes
  brief.steady(noon + 13 * tick, 12, 100, 0);
  CHECK(brief.all.empty());
  // 18 % of the long window, but all of it before the short one, whose events were too few then.
  auto settings = ten_times();
  settings.min_events = 30;
  harness past(one_monitor(burn_rate(settings)));
  past.steady(noon, 2, 5, 5);
  past.steady(noon + 4 * tick, 4, 15, 0);
  CHECK(past.all.empty());
  harness enough(one_monitor(burn_rate(settings)));
  enough.steady(noon, 2, 5, 5);
  enough.steady(noon + 2 * tick, 2, 20, 0);
  CHECK(enough.of("open", 0).size() == 1);
}

TEST_CASE("burn_rate: any rule opens; all that held since must be calm, those that never held need not") {
  burn_rate_spec settings;
  settings.objective = 0.99;
  settings.rules = {{2 * minute_ms, 30 * second_ms, 20}, {10 * minute_ms, 2 * minute_ms, 5}};
  harness h(one_monitor(burn_rate(settings)));
  h.steady(noon, 120, 100, 0);
  const auto outage = noon + 120 * tick;
  h.steady(outage, 5, 100, 100); // 20 % of two minutes after 3 ticks; 5 % of ten minutes after 3
  h.steady(outage + 5 * tick, 30, 100, 0);
  const auto opened = h.of("open", 0);
  REQUIRE(opened.size() == 1);
  CHECK(opened[0].tick == outage + 3 * tick);
  CHECK(model_of(opened[0], "burn_factor") == 20); // the first listed
  CHECK(opened[0].closes_when == "rate below 20 % over the last 30s and below 5 % over the last 2m");
  REQUIRE(h.of("resolve", 0).size() == 1);
  CHECK(h.of("resolve", 0)[0].tick == outage + (5 + 12) * tick); // the two minutes of the slow rule

  // Three bad ticks of fewer events: the slow rule never holds, and its short window burns on.
  harness fast(one_monitor(burn_rate(settings)));
  fast.steady(noon, 110, 1000, 0);
  fast.steady(noon + 110 * tick, 10, 10, 0);
  fast.steady(outage, 3, 10, 10);
  fast.steady(outage + 3 * tick, 12, 10, 0);
  REQUIRE(fast.of("resolve", 0).size() == 1);
  CHECK(fast.of("resolve", 0)[0].tick == outage + (3 + 3) * tick);
  // The key's own windows begin with its first event: there the slow rule holds, too.
  CHECK(fast.of("open", 0)[0].closes_when == "rate below 20 % over the last 30s");
}

TEST_CASE("burn_rate: silence closes nothing, a quiet key closes") {
  harness h(one_monitor(burn_rate(ten_times())));
  h.steady(noon, 12, 100, 50);
  REQUIRE(h.of("open", 0).size() == 1);
  h.advance(noon + hour_ms);
  CHECK(h.of("resolve", 0).empty());
  h.event(noon + hour_ms, 1, 0);
  h.advance(noon + hour_ms + tick);
  CHECK(h.of("resolve", 0).size() == 1);
}

TEST_CASE("burn_rate: events that leave a window decide without a new event") {
  // Bad, then good: when the good events have not come yet to fill it, the short window holds both; the good leave
  // last. Good, then bad: the long window burns when the good events have left it.
  burn_rate_spec settings;
  settings.objective = 0.99;
  settings.rules = {{1 * minute_ms, 1 * minute_ms, 50}};
  harness opens(one_monitor(burn_rate(settings)));
  opens.event(noon, 100, 0);
  opens.event(noon + 30 * second_ms, 60, 60); // 37.5 %
  CHECK(opens.all.empty());
  opens.advance(noon + 2 * minute_ms);
  REQUIRE(opens.of("open", 0).size() == 1);
  CHECK(opens.of("open", 0)[0].tick == noon + 70 * second_ms); // the close of the first tick without them
  CHECK(opens.of("open", 0)[0].source_offsets.empty());

  harness closes(one_monitor(burn_rate(settings)));
  closes.event(noon, 100, 100);
  closes.event(noon + 30 * second_ms, 90, 0); // 52.6 %
  CHECK(closes.of("open", 0).size() == 1);
  closes.advance(noon + 2 * minute_ms);
  REQUIRE(closes.of("resolve", 0).size() == 1);
  CHECK(closes.of("resolve", 0)[0].tick == noon + 70 * second_ms);
}

TEST_CASE("burn_rate: one viewer who retries burns nothing") {
  auto spec = one_monitor(burn_rate(ten_times()));
  spec.monitors[0].has_viewers = true;
  harness one(spec), many(spec);
  for (int i = 0; i < 12 * 20; ++i) {
    const auto time = noon + i * 500;
    one.event(time, 5, 5, "a", std::uint8_t{7});
    one.event(time, 5, 0, "a");
    many.event(time, 5, 5, "a", static_cast<std::uint8_t>(i % 20));
    many.event(time, 5, 0, "a");
  }
  one.advance(noon + 2 * minute_ms);
  many.advance(noon + 2 * minute_ms);
  CHECK(one.all.empty());
  REQUIRE(many.of("open", 0).size() == 1);
  CHECK(*many.of("open", 0)[0].affected_viewers >= 15);
}

TEST_CASE("burn_rate: the default rules see a fast and a slow burn") {
  const burn_rate_spec defaults; // 99.9 %
  harness fast(one_monitor(burn_rate(defaults))), slow(one_monitor(burn_rate(defaults)));
  for (auto* h : {&fast, &slow})
    for (time_ms t = noon - 3 * day_ms; t < noon; t += 10 * minute_ms)
      h->event(t, 100'000, 0);
  fast.steady(noon, 120, 1000, 20);
  slow.steady(noon, 6 * 60 * 6, 1000, 4);
  REQUIRE(fast.of("open", 0).size() == 1);
  REQUIRE(slow.of("open", 0).size() == 1);
  CHECK(model_of(slow.of("open", 0)[0], "burn_factor") < 14.4);
}

TEST_CASE("burn_rate in shadow: the records say so, and are otherwise the same") {
  auto detector = burn_rate(ten_times());
  harness heard(one_monitor(detector));
  detector.shadow = true;
  harness shadow(one_monitor(detector));
  for (auto* h : {&heard, &shadow})
    h->steady(noon, 12, 100, 50);
  REQUIRE(!heard.all.empty());
  CHECK(heard.engine().state_stats().open_in_shadow == 0);
  CHECK(shadow.engine().state_stats().open_in_shadow == 2);
  CHECK(shadow.engine().state_stats().open_incidents == 2);
  REQUIRE(shadow.all.size() == heard.all.size());
  for (std::size_t i = 0; i < heard.all.size(); ++i) {
    CHECK_FALSE(heard.all[i].shadow);
    CHECK(shadow.all[i].shadow);
    CHECK(shadow.all[i].id == heard.all[i].id);
    CHECK(shadow.all[i].failures == heard.all[i].failures);
  }
}
