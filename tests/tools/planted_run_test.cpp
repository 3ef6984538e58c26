// Planted outages in a world: delays where the answer is known by hand, forks that leave their trunk alone.
#include "tools/evaluation/planted_run.hpp"

#include <doctest/doctest.h>

#include <cmath>

using namespace tocsin;
using namespace tocsin::evaluation;

namespace {

/// 1000 events a tick of 10 s, nothing fails.
stream_shape busy() {
  stream_shape shape;
  shape.events_per_second = 100;
  shape.failure_rate = 1e-6;
  shape.volume_daily = shape.volume_noise = 0;
  shape.rate_daily = shape.rate_weekend = 0;
  shape.slow_noise = shape.dispersion = 0;
  return shape;
}

/// At least half of the last four ticks' events failed.
detector_spec half_of_four_ticks() {
  threshold_spec settings;
  settings.rate = settings.resolve_rate = 0.5;
  settings.window = 40 * second_ms;
  return {"threshold", "half", settings, false};
}

/// Buckets that are easily astonished: many incidents without any cause.
detector_spec nervous() {
  count_bucket_spec settings;
  settings.scope_bucket = 500;
  settings.min_baseline = 1000;
  settings.outlier = 0.02;
  settings.normal = 0.3;
  return {"count_bucket", "nervous", settings, false};
}

run_plan plan_of(const stream_shape& shape, std::vector<detector_spec> detectors, time_ms length) {
  run_plan plan;
  plan.world = evaluation_world({}, {{}}, shape.tick, std::move(detectors));
  plan.sources.push_back(whole_world(noisy_stream(shape, 7, plan.start)));
  plan.measured_from = plan.start;
  plan.end = plan.start + length;
  return plan;
}

outage to_60_percent(time_ms length, time_ms horizon) {
  outage made;
  made.shape = outage::kind::absolute;
  made.size = 0.6;
  made.length = length;
  made.horizon = horizon;
  return made;
}

bool operator==(const incident_record& a, const incident_record& b) {
  return a.detector == b.detector && a.kind == b.kind && a.tick == b.tick && a.key_bytes == b.key_bytes;
}

bool same(const std::vector<incident_record>& a, const std::vector<incident_record>& b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(), [](const auto& x, const auto& y) { return x == y; });
}

} // namespace

TEST_CASE("an outage is found when and after as many events as it must be") {
  auto plan = plan_of(busy(), {half_of_four_ticks()}, 10 * minute_ms);
  plan.outages = {to_60_percent(2 * minute_ms, 5 * minute_ms)};
  const auto onset = plan.start + 5 * minute_ms;
  plan.waves = {{onset, {{0, 0}}}};

  // Three ticks of 60 % make 45 % of four, the fourth makes 60 %: found at the end of the fourth.
  auto stream = plan.sources.front().stream;
  std::int64_t events = 0;
  for (auto tick = stream.next(); tick.start < onset + 40 * second_ms; tick = stream.next())
    events += tick.start >= onset ? tick.total : 0;

  const auto result = run(std::move(plan));
  CHECK(result.records.empty());
  REQUIRE(result.trials.size() == 1);
  const auto& found = result.trials.front().by_detector.front();
  CHECK_FALSE(found.open_before);
  REQUIRE(found.opened);
  CHECK(*found.opened - onset == 40 * second_ms);
  CHECK(found.events == events);
  CHECK(found.open_at_end);
  CHECK_FALSE(found.resolved_early);
  // The first tick after the outage leaves 45 %.
  REQUIRE(found.resolved);
  CHECK(*found.resolved - onset == 130 * second_ms);
}

TEST_CASE("what ends before it can be seen is not found, and what is found too late neither") {
  auto plan = plan_of(busy(), {half_of_four_ticks()}, 10 * minute_ms);
  plan.outages = {to_60_percent(30 * second_ms, 5 * minute_ms), to_60_percent(2 * minute_ms, 30 * second_ms)};
  plan.waves = {{plan.start + 5 * minute_ms, {{0, 0}}}, {plan.start + 5 * minute_ms, {{0, 1}}}};
  const auto result = run(std::move(plan));
  REQUIRE(result.trials.size() == 2);
  CHECK_FALSE(result.trials[0].by_detector.front().opened);
  CHECK_FALSE(result.trials[1].by_detector.front().opened);
}

TEST_CASE("an incident that was open before the outage proves nothing") {
  auto shape = busy();
  shape.failure_rate = 1e-3;
  shape.deploy_shift = 700;
  shape.deploy_at = evaluation_start + 4 * minute_ms;
  auto plan = plan_of(shape, {half_of_four_ticks()}, 10 * minute_ms);
  plan.outages = {to_60_percent(2 * minute_ms, 5 * minute_ms)};
  plan.waves = {{plan.start + 3 * minute_ms, {{0, 0}}}, {plan.start + 5 * minute_ms, {{0, 0}}}};
  const auto result = run(std::move(plan));
  CHECK(count_openings(result.records, 0, evaluation_start) == 1);
  CHECK(count_openings(result.records, 0, evaluation_start, evaluation_start + 4 * minute_ms) == 0);
  REQUIRE(result.trials.size() == 2);
  CHECK_FALSE(result.trials[0].by_detector.front().open_before);
  CHECK(result.trials[1].by_detector.front().open_before);
}

TEST_CASE("an incident that closes while the outage lasts, or with its last tick, is closed early") {
  // Six hundred times a rate that falls to nearly nothing at minute 4: one tick later a quarter of the window is good.
  const auto closed_at = evaluation_start + 4 * minute_ms + 10 * second_ms;
  for (const auto length : {5 * minute_ms, 130 * second_ms, 120 * second_ms}) {
    CAPTURE(length);
    auto shape = busy();
    shape.failure_rate = 1e-3;
    shape.deploy_shift = 1e-3;
    shape.deploy_at = evaluation_start + 4 * minute_ms;
    auto plan = plan_of(shape, {half_of_four_ticks()}, 10 * minute_ms);
    outage times;
    times.size = 600;
    times.length = length;
    times.horizon = 5 * minute_ms;
    plan.outages = {times};
    plan.waves = {{plan.start + 2 * minute_ms, {{0, 0}}}};
    const auto onset = plan.waves.front().onset;
    const auto result = run(std::move(plan));
    const auto& found = result.trials.front().by_detector.front();
    CHECK(found.opened);
    const bool early = onset + length >= closed_at;
    CHECK(found.resolved_early == early);
    CHECK(found.open_at_end == !early);
    CHECK(found.resolved == (early ? std::nullopt : std::optional(closed_at)));
  }
}

TEST_CASE("outages shape the rate as they say") {
  const stream_tick tick{0, 100, 0.01, 0.012};
  outage what;
  what.size = 3;
  CHECK(rate_during(what, tick, 0) == doctest::Approx(0.036));
  what.shape = outage::kind::absolute;
  what.size = 0.2;
  CHECK(rate_during(what, tick, 0) == doctest::Approx(0.24));
  what.shape = outage::kind::ramp;
  what.size = 5;
  what.rise = hour_ms;
  CHECK(rate_during(what, tick, 0) == doctest::Approx(0.012));
  CHECK(rate_during(what, tick, hour_ms / 2) == doctest::Approx(0.036));
  CHECK(rate_during(what, tick, 3 * hour_ms) == doctest::Approx(0.06));
}

TEST_CASE("a fork does not disturb its trunk, and the number of threads changes nothing") {
  stream_shape shape;
  shape.tick = minute_ms;
  const auto plan = [&](bool with_waves, std::size_t jobs) {
    auto made = plan_of(shape, {nervous(), half_of_four_ticks()}, 4 * day_ms);
    std::get<threshold_spec>(const_cast<world_spec&>(*made.world).monitors.front().detectors[1].settings).window =
        4 * minute_ms;
    made.outages = {to_60_percent(20 * minute_ms, hour_ms)};
    for (int i = 1; with_waves && i < 12; ++i)
      for (int twice = 0; twice < 2; ++twice)
        made.waves.push_back({made.start + i * 7 * hour_ms, {{0, 0}}});
    made.references = {{2, 5}};
    made.jobs = jobs;
    return made;
  };
  const auto alone = run(plan(false, 1));
  const auto forked = run(plan(true, 1));
  const auto threaded = run(plan(true, 3));
  CHECK(count_openings(alone.records, 0, evaluation_start) > 20);
  CHECK(same(alone.records, forked.records));
  CHECK(same(alone.records, threaded.records));
  CHECK(alone.events == forked.events);
  CHECK(alone.reference_peaks == forked.reference_peaks);
  REQUIRE(forked.trials.size() == 22);
  REQUIRE(threaded.trials.size() == 22);
  for (std::size_t i = 0; i < 22; ++i) {
    const auto& one = forked.trials[i];
    CHECK(one.by_detector[1].opened);
    CHECK(one.by_reference[0].opened);
    for (std::size_t d = 0; d < 2; ++d) {
      CHECK(one.by_detector[d].opened == threaded.trials[i].by_detector[d].opened);
      CHECK(one.by_detector[d].events == threaded.trials[i].by_detector[d].events);
    }
  }
}

TEST_CASE("a fork goes on exactly as its trunk would") {
  stream_shape shape;
  shape.tick = minute_ms;
  engine_feed trunk(evaluation_world({}, {{}}, shape.tick, {nervous()}));
  noisy_stream stream(shape, 11, evaluation_start);
  const auto leaf = make_leaf({});
  const auto feed = [&](engine_feed& into, noisy_stream& from, int ticks) {
    for (int i = 0; i < ticks; ++i) {
      const auto tick = from.next();
      const auto failed = from.failures(tick, tick.rate);
      into.add(leaf, tick.start, tick.total, failed);
    }
  };
  feed(trunk, stream, 4321);
  const auto cut = evaluation_start + 4321 * shape.tick;
  trunk.close(cut);
  trunk.snapshot(); // twice: the second adds only what changed
  feed(trunk, stream, 100);
  trunk.close(cut + 100 * shape.tick);
  trunk.take_records();
  engine_feed fork(evaluation_world({}, {{}}, shape.tick, {nervous()}), trunk.snapshot());
  REQUIRE_FALSE(fork.error());
  auto copy = stream;
  feed(trunk, stream, 5000);
  feed(fork, copy, 5000);
  trunk.close(cut + 5100 * shape.tick);
  fork.close(cut + 5100 * shape.tick);
  const auto expected = trunk.take_records();
  CHECK(expected.size() > 5);
  CHECK(same(expected, fork.take_records()));
}

TEST_CASE("a fork of a crowded world holds the keys of its trunk") {
  auto spec = evaluation_world({"title"}, {{}, {{0}}}, minute_ms, {nervous()});
  spec->monitors.front().capacity = {60, 1000, 1};
  engine_feed trunk(spec);
  generator::random_source random(5);
  const auto feed = [&](std::vector<engine_feed*> into, int from, int ticks) {
    for (int i = from; i < from + ticks; ++i)
      for (int event = 0; event < 10; ++event) {
        const auto leaf = make_leaf({std::to_string(random.below(300))});
        for (auto* one : into)
          one->add(leaf, evaluation_start + i * minute_ms, 1, event == 0 ? 1 : 0);
      }
    for (auto* one : into)
      one->close(evaluation_start + (from + ticks) * minute_ms);
  };
  feed({&trunk}, 0, 50);
  trunk.snapshot();
  feed({&trunk}, 50, 50);
  engine_feed fork(spec, trunk.snapshot());
  REQUIRE_FALSE(fork.error());
  CHECK(trunk.state_stats().keys_evicted > 100);
  CHECK(fork.state_stats().keys == trunk.state_stats().keys);
  feed({&trunk, &fork}, 100, 50);
  CHECK(fork.state_stats().keys == trunk.state_stats().keys);
}

TEST_CASE("the reference adds up log likelihoods and tells the peaks of its excursions") {
  reference_cusum cusum(2);
  const double gain = 3 * std::log(2.0) + 7 * std::log(0.8 / 0.9);
  cusum.step(10, 3, 0.1);
  CHECK(cusum.peak() == doctest::Approx(gain));
  cusum.step(10, 3, 0.1);
  CHECK(cusum.peak() == doctest::Approx(2 * gain));
  cusum.step(5, 0, 0.1);
  CHECK(cusum.peak() == doctest::Approx(2 * gain));
  CHECK(cusum.ended_peak() == 0);
  cusum.step(100, 0, 0.1);
  CHECK(cusum.ended_peak() == doctest::Approx(2 * gain));
  CHECK(cusum.peak() == 0);
  cusum.step(0, 0, 0.1);
  CHECK(cusum.peak() == 0);
}
