// Causes in the records of the engine.

#include "detectors/engine/world.hpp"
#include "io/alert_json.hpp"
#include "tests/support/engine_harness.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <memory>
#include <random>
#include <string>
#include <utility>
#include <vector>

using namespace tocsin;
using namespace tocsin::test;

namespace {

std::string shown(const alert& record) {
  std::string text;
  for (const auto& cause : record.contributors) {
    text += text.empty() ? "" : "; ";
    for (const auto& value : cause.set)
      text += value.dimension + "=" + value.value.value_or("(none)") + " ";
  }
  return text;
}

/// Ten minutes at 2 %, then failures at `rate(values)` for ten more: 5 x 4 x 3 leaves, 40 events each a tick.
template <class Rate>
std::vector<alert> records_of(bool attributes, const Rate& rate) {
  threshold_spec threshold;
  threshold.rate = 0.05;
  threshold.resolve_rate = 0.04;
  auto spec = one_monitor({"threshold", "high", threshold});
  spec.monitors[0].dimensions = {"cdn", "country", "player"};
  spec.monitors[0].levels.resize(1);
  spec.monitors[0].attributes = attributes;
  const auto shared = std::make_shared<const world_spec>(spec);
  world engine(shared, 1);
  engine.advance(0, noon - 1, journal_kind::idle);
  std::mt19937 random(3);
  std::vector<test_event> events;
  for (int tick = 0; tick < 120; ++tick)
    for (int leaf = 0; leaf < 60; ++leaf) {
      const std::vector<std::string> values{"cdn" + std::to_string(leaf % 5), "c" + std::to_string(leaf / 5 % 4),
                                            "p" + std::to_string(leaf / 20)};
      test_event one;
      one.time = noon + tick * 10 * second_ms;
      one.values.assign(values.begin(), values.end());
      one.total = 40;
      one.failed = std::binomial_distribution<std::int64_t>(40, tick < 60 ? 0.02 : rate(tick, values))(random);
      events.push_back(std::move(one));
    }
  engine.count(make_batch(*shared, 0, events, 0, events.size()));
  engine.advance(0, noon + hour_ms, journal_kind::idle);
  return engine.take_alerts();
}

} // namespace

TEST_CASE("a record names the smallest set that makes the excess, in fields and in words") {
  const auto records = records_of(true, [](int, const std::vector<std::string>& values) {
    return values[0] == "cdn3" && values[2] == "p1" ? 0.9 : 0.02;
  });
  REQUIRE(!records.empty());
  for (const auto& record : records) {
    CHECK(shown(record) == "cdn=cdn3 player=p1 ");
    CHECK(record.contributors[0].share > 0.9);
    CHECK(record.contributors[0].rate_without == doctest::Approx(0.02).epsilon(0.5));
  }
  CHECK(io::to_json(records[0]).find(" % of it in cdn=cdn3, player=p1;") != std::string::npos);
}

TEST_CASE("when more is seen, other causes are told after one or five minutes, and only then") {
  const auto records = records_of(true, [](int tick, const std::vector<std::string>& values) {
    const bool first = values[0] == "cdn3" && values[1] == "c1";
    return first || (tick >= 70 && values[0] == "cdn0") ? 0.9 : 0.02;
  });
  REQUIRE(records.size() >= 2);
  CHECK(shown(records[0]) == "cdn=cdn3 country=c1 ");
  const auto other =
      std::find_if(records.begin(), records.end(), [&](const alert& r) { return shown(r) != shown(records[0]); });
  REQUIRE(other != records.end());
  CHECK(other->kind == alert_kind::update);
  CHECK(other->tick - records[0].tick == 5 * minute_ms);
  CHECK(shown(*other).find("cdn=cdn0 ") == 0);
}

TEST_CASE("no causes without attribution, and none where all is as bad") {
  const auto everywhere = [](int, const std::vector<std::string>&) { return 0.3; };
  for (const auto& record : records_of(true, everywhere))
    CHECK(shown(record) == "");
  for (const auto& record :
       records_of(false, [](int, const std::vector<std::string>& values) { return values[0] == "cdn3" ? 0.9 : 0.02; }))
    CHECK(shown(record) == "");
}
