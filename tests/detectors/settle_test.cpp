// Outcome-dependent latency: failures are known at once, successes only when the view ends, and the event carries the
// time of the start. `settle` holds back judging until both are known.

#include "detectors/counting/partition_counter.hpp"
#include "tests/support/engine_harness.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <random>

using namespace tocsin;
using namespace tocsin::test;

namespace {

constexpr time_ms longest_view = 1 * hour_ms;
constexpr time_ms outage_begin = noon + 4 * hour_ms;
constexpr time_ms outage_end = outage_begin + 10 * minute_ms;

struct view_outcome {
  time_ms start = 0;
  time_ms known = 0;
  bool failed = false;
};

/// Six hours of views in the order in which their outcomes become known: 1 % fail, 30 % in the outage (if there is
/// one). A view lasts 12 minutes in the middle, log-normal from one minute to an hour. After two hours the traffic is
/// ten times higher: the failures of the many meet the successes of the few who came before.
std::vector<view_outcome> evening(std::uint32_t seed, bool with_outage) {
  std::mt19937 random(seed);
  std::uniform_real_distribution<double> uniform(0, 1);
  std::lognormal_distribution<double> minutes(std::log(12.0), 0.8);
  std::vector<view_outcome> views;
  for (time_ms t = noon; t < noon + 6 * hour_ms;) {
    const double per_second = t < noon + 2 * hour_ms ? 0.5 : 5;
    t += static_cast<time_ms>(std::ceil(-std::log(1 - uniform(random)) / per_second * 1000));
    const bool in_outage = with_outage && t >= outage_begin && t < outage_end;
    const bool failed = uniform(random) < (in_outage ? 0.3 : 0.01);
    const auto length = std::clamp(static_cast<time_ms>(minutes(random) * minute_ms), minute_ms, longest_view);
    views.push_back({t, failed ? t : t + length, failed});
  }
  std::stable_sort(views.begin(), views.end(), [](const auto& a, const auto& b) { return a.known < b.known; });
  return views;
}

std::vector<test_event> records_of(const std::vector<view_outcome>& views) {
  std::vector<test_event> records;
  for (const auto& view : views)
    records.push_back({view.start, {std::string("a")}, 1, view.failed ? 1 : 0, std::nullopt});
  return records;
}

world_spec five_percent_for_ten_minutes(time_ms settle) {
  threshold_spec settings;
  settings.rate = 0.05;
  settings.resolve_rate = 0.03;
  settings.window = 10 * minute_ms;
  settings.min_events = 100;
  auto world = one_monitor({"threshold", "threshold", settings});
  world.monitors[0].tick = minute_ms;
  world.allowed_lateness = 5 * second_ms;
  world.max_ahead = 10 * minute_ms; // less than settle: it counts from where the newest event may be
  world.settle = settle;
  return world;
}

using tick_sums = std::map<tick_index, std::pair<std::int64_t, std::int64_t>>;

tick_sums truth_of(const std::vector<view_outcome>& views) {
  tick_sums sums;
  for (const auto& view : views) {
    auto& sum = sums[tick_of(view.start, minute_ms)];
    ++sum.first;
    sum.second += view.failed ? 1 : 0;
  }
  return sums;
}

counted counted_with(const std::vector<view_outcome>& views, time_ms settle) {
  const auto spec = std::make_shared<const world_spec>(five_percent_for_ten_minutes(settle));
  const auto records = records_of(views);
  partition_counter counter(spec, 0, {}, beginning_of_time, {});
  counter.count(make_batch(*spec, 0, records, 0, records.size()));
  return counter.take();
}

tick_sums sums_of(const counted& news) {
  tick_sums sums;
  for (const auto& slice : news.slices)
    for (const auto& cell : slice->cells) {
      sums[slice->tick].first += cell.total;
      sums[slice->tick].second += cell.failed;
    }
  return sums;
}

std::vector<alert> alerts_of(const std::vector<view_outcome>& views, time_ms settle) {
  const auto spec = std::make_shared<const world_spec>(five_percent_for_ten_minutes(settle));
  const auto records = records_of(views);
  world engine(spec, 1);
  for (std::size_t i = 0; i < records.size(); i += 1000)
    engine.count(make_batch(*spec, 0, records, i, std::min(records.size(), i + 1000)));
  engine.finish(0);
  return engine.take_alerts();
}

std::size_t opened(const std::vector<alert>& alerts) {
  return static_cast<std::size_t>(std::count_if(
      alerts.begin(), alerts.end(), [](const alert& a) { return a.kind == alert_kind::open && a.level.empty(); }));
}

} // namespace

TEST_CASE("with settle the sums of closed ticks are the truth; without, they are not") {
  const auto views = evening(1, true);
  const auto truth = truth_of(views);

  const auto settled = counted_with(views, longest_view);
  const auto sums = sums_of(settled);
  CHECK(sums.size() > 5 * 60 - 10); // all but the last hour is closed
  CHECK(settled.stats.late == 0);
  CHECK(settled.rejects.empty());
  CHECK(settled.stats.events == views.size());
  for (const auto& [tick, sum] : sums)
    CHECK(sum == truth.at(tick));

  const auto hasty = counted_with(views, 0);
  std::size_t wrong = 0;
  for (const auto& [tick, sum] : sums_of(hasty))
    if (truth.count(tick) == 0 || sum != truth.at(tick))
      ++wrong;
  CHECK(wrong > 300);
  CHECK(hasty.stats.late > views.size() / 2);
  MESSAGE(hasty.stats.late << " of " << views.size() << " views late without settle, " << wrong << " ticks wrong");
}

TEST_CASE("a settled view that ends after settle is late, and only that") {
  const auto views = evening(1, false);
  const auto hasty = counted_with(views, 30 * minute_ms);
  const auto longer = static_cast<std::uint64_t>(std::count_if(
      views.begin(), views.end(), [](const view_outcome& v) { return v.known - v.start > 30 * minute_ms; }));
  CHECK(hasty.stats.late > 0);
  CHECK(hasty.stats.late <= longer);
}

TEST_CASE("without settle, successes that are known late make false incidents; with it, only the outage opens one") {
  for (const std::uint32_t seed : {1u, 2u, 3u}) {
    CAPTURE(seed);
    const auto quiet = evening(seed, false);
    const auto false_ones = opened(alerts_of(quiet, 0));
    MESSAGE(false_ones << " false incidents without settle");
    CHECK(false_ones > 0);
    CHECK(opened(alerts_of(quiet, longest_view)) == 0);

    const auto found = alerts_of(evening(seed, true), longest_view);
    REQUIRE(opened(found) == 1);
    CHECK(found[0].tick > outage_begin);
    CHECK(found[0].tick <= outage_begin + 3 * minute_ms);
  }
}

TEST_CASE(
    "a parked record that the end accepts leaves the watermark behind, for outcomes that come when the input grows") {
  const auto spec = std::make_shared<const world_spec>(five_percent_for_ten_minutes(hour_ms));
  std::vector<test_event> events(101, {noon, {std::string("a")}, 1, 0, std::nullopt});
  events.back().time = noon + 9 * hour_ms;
  partition_counter counter(spec, 0, {}, beginning_of_time, {});
  counter.count(make_batch(*spec, 0, events, 0, events.size()));
  counter.finish();
  const auto news = counter.take();
  CHECK(news.stats.events == events.size());
  CHECK(news.watermark == noon + 8 * hour_ms - 5 * second_ms);
}

TEST_CASE("a clock that is wrong by more than max_ahead and settle is still found out, a gap still crossed") {
  const auto spec = std::make_shared<const world_spec>(five_percent_for_ten_minutes(hour_ms));
  const auto at = [](time_ms t) { return test_event{t, {std::string("a")}, 1, 0, std::nullopt}; };
  std::vector<test_event> events(100, at(noon));
  events.push_back(at(noon + 69 * minute_ms)); // believed: settle holds the watermark back, not the newest event
  events.push_back(at(noon + 9 * hour_ms));    // a wrong clock
  events.push_back(at(noon + 70 * minute_ms));
  for (int i = 0; i < 100; ++i) {
    events.push_back(at(noon + 5 * hour_ms + i)); // a gap: all of them agree ...
    if (i == 50)
      events.push_back(at(noon + 4 * hour_ms + 10 * minute_ms)); // ... also with a success that is known so late
  }
  events.push_back(at(noon + 4 * hour_ms)); // and with this, in time
  partition_counter counter(spec, 0, {}, beginning_of_time, {});
  counter.count(make_batch(*spec, 0, events, 0, events.size()));
  const auto news = counter.take();
  CHECK(news.stats.rejected[static_cast<std::size_t>(reject_reason::too_far_ahead)] == 1);
  CHECK(news.stats.events == events.size() - 1);
  CHECK(news.stats.late == 0);
  CHECK(news.watermark == noon + 4 * hour_ms + 99 - 5 * second_ms);
}
