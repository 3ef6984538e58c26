// `tocsin evaluate`: its statistics by hand, its suites at small size, the command as a user runs it.
#include "tests/tools/tocsin.hpp"
#include "tools/evaluation/calibration.hpp"
#include "tools/evaluation/detection_scenario.hpp"
#include "tools/evaluation/parallel.hpp"
#include "tools/evaluation/statistics.hpp"
#include "tools/evaluation/title_views.hpp"

#include <doctest/doctest.h>
#include <nlohmann/json.hpp>

#include <atomic>
#include <cmath>
#include <sstream>
#include <stdexcept>

using namespace tocsin;
using namespace tocsin::evaluation;
using namespace tocsin::test;
using nlohmann::json;

namespace {

/// A comparison that takes a fraction of a second.
detection_scenario small(bool fleet) {
  detection_scenario made;
  made.name = fleet ? "small fleet" : "small";
  made.shape.tick = 2 * minute_ms;
  made.shape.events_per_second = 0.2;
  outage broken;
  broken.name = "x20";
  broken.size = 20;
  broken.length = broken.horizon = 6 * hour_ms;
  made.outages.assign(fleet ? 4 : 1, broken);
  made.streams = fleet ? 3 : 2;
  made.warm_up = 2 * day_ms;
  made.measured = 4 * day_ms;
  made.gap = day_ms / 2;
  made.target = 0.5;
  made.fleet = fleet;
  made.windows = {10 * minute_ms, 100, 100, day_ms, 200, 10};
  return made;
}

report measured(const detection_scenario& scenario, std::size_t jobs) {
  suite_options options;
  options.jobs = jobs;
  report found;
  run_scenario(scenario, options, found);
  return found;
}

double number(const json& row, const char* column) {
  return row.at(column).get<double>();
}

} // namespace

TEST_CASE("intervals are those of the tables") {
  // Garwood's for 0, 1 and 10 events.
  CHECK(poisson_interval(0).low == 0);
  CHECK(poisson_interval(0).high == doctest::Approx(3.6889).epsilon(1e-4));
  CHECK(poisson_interval(1).low == doctest::Approx(0.02532).epsilon(1e-3));
  CHECK(poisson_interval(10).low == doctest::Approx(4.7954).epsilon(1e-4));
  CHECK(poisson_interval(10).high == doctest::Approx(18.3904).epsilon(1e-4));
  CHECK(poisson_interval(100'000).high == doctest::Approx(100'622).epsilon(1e-4));
  CHECK(share_interval(8, 10).low == doctest::Approx(0.4902).epsilon(1e-3));
  CHECK(share_interval(8, 10).high == doctest::Approx(0.9433).epsilon(1e-3));
  CHECK(share_interval(0, 0).high == 1);
}

TEST_CASE("delays count the trials that found nothing as beyond every delay") {
  delays some;
  CHECK_FALSE(some.quantile(0.5));
  CHECK_FALSE(some.mean());
  for (const double delay : {30.0, 10.0, 20.0})
    some.add(delay);
  some.add_not_found();
  CHECK(some.power() == 0.75);
  CHECK(some.share_within(20) == 0.5);
  CHECK(*some.quantile(0) == 10);
  CHECK(*some.quantile(0.5) == 30);
  CHECK_FALSE(some.quantile(0.75));
  CHECK(*some.mean() == 20);
}

TEST_CASE("the matched setting is the most sensitive one before the target is exceeded") {
  CHECK(*matched_setting({9, 4, 2, 0.9, 0.3}, 1) == 3);
  CHECK(*matched_setting({9, 4, 2, 1, 1, 0.3}, 1) == 3);
  CHECK(*matched_setting({0, 0, 0}, 1) == 0);
  CHECK(*matched_setting({0.3, 5, 0.7}, 1) == 2); // the first is open all the time
  CHECK_FALSE(matched_setting({0.3, 4, 2}, 1));
  CHECK_FALSE(matched_setting({}, 1));
}

TEST_CASE("an incident that is open when the warm-up ends is a false alarm, too") {
  const std::vector<incident_record> records = {{0, alert_kind::open, 10, "a"},   {1, alert_kind::open, 20, "a"},
                                                {0, alert_kind::open, 30, "b"},   {0, alert_kind::resolve, 40, "a"},
                                                {0, alert_kind::expire, 50, "b"}, {0, alert_kind::open, 60, "a"}};
  CHECK(count_openings(records, 0, 0) == 3);
  CHECK(count_openings(records, 0, 10) == 2);
  CHECK(count_openings(records, 0, 0, 30) == 2);
  CHECK(count_episodes(records, 0, 0) == 3);
  CHECK(count_episodes(records, 0, 35) == 3);
  CHECK(count_episodes(records, 0, 40) == 2);
  CHECK(count_episodes(records, 0, 60) == 1);
  CHECK(count_episodes(records, 1, 25) == 1);
}

TEST_CASE("the matched threshold is reached by as many peaks as are allowed") {
  const std::vector<double> peaks = {3, 9, 5, 7, 1};
  for (const std::size_t allowed : {0U, 1U, 2U, 4U}) {
    const auto threshold = matched_threshold(peaks, allowed);
    CHECK(static_cast<std::size_t>(
              std::count_if(peaks.begin(), peaks.end(), [&](double peak) { return peak >= threshold; })) == allowed);
  }
  CHECK(matched_threshold(peaks, 7) == 1);
  CHECK(matched_threshold({}, 3) == 0);
}

TEST_CASE("every index is worked on once, and an exception comes out") {
  for (const std::size_t jobs : {0U, 1U, 4U}) {
    std::vector<std::atomic<int>> seen(100);
    for_each_index(jobs, seen.size(), [&](std::size_t i) { ++seen[i]; });
    CHECK(std::all_of(seen.begin(), seen.end(), [](const auto& count) { return count == 1; }));
    CHECK_THROWS_AS(for_each_index(jobs, 10,
                                   [](std::size_t i) {
                                     if (i == 3)
                                       throw std::runtime_error("three");
                                   }),
                    std::runtime_error);
  }
}

TEST_CASE("competitors that this build has are kept, the others are told once") {
  auto all = competitor_grid({}, 10 * second_ms, 0.01, 1.0 / 30);
  const auto before = all.size();
  std::vector<std::string> skipped;
  drop_unavailable(all, skipped);
  drop_unavailable(all, skipped);
  CHECK(std::all_of(all.begin(), all.end(), [](const auto& one) { return is_available(one.spec); }));
  CHECK((before == all.size()) == skipped.empty());
  for (const auto* family : {"count_bucket", "threshold"})
    CHECK(std::count_if(all.begin(), all.end(), [&](const auto& one) { return one.family == family; }) > 5);
  // Names are distinct: a monitor needs that.
  std::vector<std::string> names;
  for (const auto& spec : specs_of(all))
    names.push_back(spec.name);
  std::sort(names.begin(), names.end());
  CHECK(std::adjacent_find(names.begin(), names.end()) == names.end());
}

TEST_CASE("a comparison finds what is plain to see, at false alarms below the target") {
  for (const bool fleet : {false, true}) {
    CAPTURE(fleet);
    const auto scenario = small(fleet);
    const auto found = json::parse(to_json(measured(scenario, 2)));
    REQUIRE(found.at("tables").size() == scenario.outages.size());
    double trials = 0;
    std::size_t matched = 0;
    for (const auto& table : found.at("tables"))
      for (const auto& row : table.at("rows")) {
        CAPTURE(row.dump());
        trials += number(row, "trials");
        if (row.at("setting").get<std::string>().rfind("matched: ", 0) != 0)
          continue;
        ++matched;
        CHECK(number(row, "false alarms a key-day") <= scenario.target);
        if (row.at("method") == "sr_mixture" && number(row, "trials") > 0)
          CHECK(row.at("power (95 %)").at("power").get<double>() > 0.8); // a fleet's smallest keys have 10 events
      }
    CHECK(trials > 20);
    CHECK(matched >= 2 * scenario.outages.size());
  }
}

TEST_CASE("the tables are the same for any number of threads, and others for another seed") {
  for (const bool fleet : {false, true}) {
    auto scenario = small(fleet);
    scenario.warm_up = day_ms;
    scenario.measured = 3 * day_ms / 2;
    const auto once = to_json(measured(scenario, 1));
    CHECK(to_json(measured(scenario, 3)) == once);
    suite_options other;
    other.seed = 2;
    report found;
    run_scenario(scenario, other, found);
    CHECK(to_json(found) != once);
  }
}

TEST_CASE("a comparison of some methods has their rows alone, with the numbers they have among all") {
  const auto scenario = small(false);
  suite_options options;
  options.methods = {"threshold"};
  report found;
  run_scenario(scenario, options, found);
  const auto some = json::parse(to_json(found)).at("tables").at(0).at("rows");
  const auto all = json::parse(to_json(measured(scenario, 2))).at("tables").at(0).at("rows");
  REQUIRE(some.size() == 3); // the oracle, matched, untuned
  std::size_t same = 0;
  for (const auto& row : all)
    same += static_cast<std::size_t>(std::count(some.begin(), some.end(), row));
  CHECK(same == some.size());
}

TEST_CASE("trials of the full scenarios begin after the warm-up and leave room for their horizon") {
  for (const auto& scenario : detection_scenario_list()) {
    CAPTURE(scenario.name);
    const auto made = make_world(scenario, 1, 0, scenario.fleet ? 100 : 1);
    const auto& plan = made.plan;
    CHECK(plan.waves.size() >= 4);
    time_ms last = plan.measured_from;
    for (const auto& wave : plan.waves) {
      CHECK(wave.onset >= last);
      CHECK(wave.onset % scenario.shape.tick == 0);
      last = wave.onset;
      for (const auto& [source, outage] : wave.plantings) {
        CHECK(source < plan.sources.size());
        CHECK(wave.onset + plan.outages.at(outage).horizon <= plan.end);
      }
    }
  }
}

TEST_CASE("false alarms are counted in the week they belong to") {
  // The rate jumps over the limit for good, once: in the first week, between, or in the last.
  for (const auto& [day, first, warm] : {std::tuple(3, 1U, 0U), {20, 0U, 0U}, {31, 0U, 1U}}) {
    stream_shape shape;
    shape.tick = 2 * minute_ms;
    shape.events_per_second = 0.1;
    shape.failure_rate = 0.001;
    shape.rate_daily = shape.slow_noise = shape.dispersion = 0;
    shape.deploy_shift = 900;
    shape.deploy_at = evaluation_start + day * day_ms;
    threshold_spec limit;
    limit.rate = 0.4;
    limit.resolve_rate = 0.2;
    limit.window = hour_ms;
    limit.min_events = 20;
    const auto alarms =
        count_false_alarms(noisy_stream(shape, 1, evaluation_start), {{"threshold", "limit", limit, false}}, {});
    CHECK(alarms.first_week.front() == first);
    CHECK(alarms.warm.front() == warm);
  }
}

TEST_CASE("titles are viewed as often, and fail as often, as they should") {
  stream_shape shape;
  shape.tick = minute_ms;
  shape.events_per_second = 10;
  shape.volume_daily = shape.volume_noise = shape.rate_daily = shape.slow_noise = shape.dispersion = 0;
  title_views views(shape, 100, 4, 1, 3, evaluation_start);
  auto copy = views;
  std::vector<double> seen(100);
  double count = 0;
  double failures = 0;
  double copied = 0;
  for (int i = 0; i < 500; ++i) {
    views.next([](std::uint32_t, std::uint32_t cdn, double) { return cdn == 2 ? 0.5 : 0; },
               [&](std::uint32_t title, std::uint32_t cdn, bool failed) {
                 ++count;
                 ++seen[title];
                 failures += failed ? 1 : 0;
                 CHECK((!failed || cdn == 2));
               });
    copy.next([](std::uint32_t, std::uint32_t, double usual) { return usual; },
              [&](std::uint32_t, std::uint32_t, bool) { ++copied; });
  }
  CHECK(copied == count);
  CHECK(std::abs(failures / count - 0.125) < 4 * std::sqrt(0.11 / count));
  CHECK(std::abs(seen[0] / seen[1] - 2) < 0.1); // Zipf
}

TEST_CASE("evaluate prints its tables and writes them as JSON") {
  const scratch_directory directory;
  const auto file = directory / "tables.json";
  const auto ran =
      run_tocsin({"evaluate", "--suite", "detection", "--scenario", "low", "--streams", "2", "--json", file});
  REQUIRE(ran.code == 0);
  CHECK(ran.out.find("Made by `tocsin evaluate --suite detection --scenario low --seed 1 --streams 2`.") == 0);
  CHECK(ran.out.find("| count_bucket | untuned: outlier 1e-06 |") != std::string::npos);
  CHECK(ran.err.find("detection low: trials of stream 2 of 2") != std::string::npos);
  const auto numbers = json::parse(read_bytes(file));
  CHECK(numbers.at("tables").size() == 2);
  const auto again =
      run_tocsin({"evaluate", "--suite", "detection", "--scenario", "low", "--streams", "2", "--jobs", "1", "--quiet"});
  CHECK(again.out == ran.out);
  CHECK(again.err.find("trials") == std::string::npos);
}

TEST_CASE("evaluate works off every suite at a small size") {
  const auto ran = run_tocsin({"evaluate", "--suite", "calibration,cold_start,resolve,scale", "--scenario",
                               "many_keys,30min,20,titles,tail", "--scale", "0.001", "--quiet"});
  REQUIRE(ran.code == 0);
  for (const auto* part :
       {"### resolve", "| 20 a day, 2 %, x15 for 10 days | count_bucket", "### cold start",
        "### calibration, many_keys", "### scale: a dead title", "### scale: an outage in the tail", "1000 titles"})
    CHECK_MESSAGE(ran.out.find(part) != std::string::npos, part);
  // Every row of a table has its columns.
  std::istringstream lines(ran.out);
  std::ptrdiff_t columns = 0;
  for (std::string line; std::getline(lines, line);) {
    const auto bars = std::count(line.begin(), line.end(), '|');
    CHECK_MESSAGE((columns == 0 || bars == 0 || bars == columns), line);
    columns = bars;
  }
}

TEST_CASE("evaluate tells a misuse in one line") {
  const auto refused = [](std::vector<std::string> arguments, const std::string& part) {
    arguments.insert(arguments.begin(), "evaluate");
    const auto ran = run_tocsin(std::move(arguments));
    CHECK(ran.code == 2);
    CHECK(is_one_error_line(ran.err));
    CHECK_MESSAGE(ran.err.find(part) != std::string::npos, ran.err);
  };
  refused({}, "--suite");
  refused({"--suite", "power"}, "found \"power\", expected one of detection, calibration");
  refused({"--suite", "detection", "--method", "magic"}, "found \"magic\", expected one of sr_mixture, count_bucket");
  refused({"--suite", "resolve", "--scenario", "high"}, "found \"high\", expected one of x3");
  refused({"--suite", "resolve", "--scale", "0"}, "--scale");
  refused({"--suite", "resolve", "--scale", "1", "--streams", "2"}, "--streams");
}

TEST_CASE("tables that cannot be written are an error of the output") {
  const auto ran = run_tocsin({"evaluate", "--suite", "detection", "--scenario", "low", "--streams", "1", "--quiet",
                               "--output", "/nonexistent/tables.md"});
  CHECK(ran.code == 5);
}
