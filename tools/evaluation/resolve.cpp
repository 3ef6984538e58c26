#include "tools/evaluation/competitor.hpp"
#include "tools/evaluation/parallel.hpp"
#include "tools/evaluation/planted_run.hpp"
#include "tools/evaluation/statistics.hpp"
#include "tools/evaluation/suite.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace tocsin::evaluation {

namespace {

constexpr std::size_t trials_a_stream = 20;
constexpr time_ms warm_up = 28 * day_ms;

struct resolve_case {
  std::string scenario;
  std::string name;
  stream_shape shape;
  double times;
  time_ms length; ///< of the outage; afterwards the stream is watched six times as long
  window_choice windows;
};

stream_shape shape_of(time_ms tick, double events_per_second, double rate, double dispersion, double slow) {
  stream_shape shape;
  shape.tick = tick;
  shape.events_per_second = events_per_second;
  shape.failure_rate = rate;
  shape.dispersion = dispersion;
  shape.slow_noise = slow;
  shape.rate_daily = 0.3;
  return shape;
}

const std::vector<resolve_case>& cases() {
  static const std::vector<resolve_case> list = {
      {"x3", "10 a second, 1 %, x3 for 1 h", shape_of(10 * second_ms, 10, 0.01, 0.05, 0.08), 3, hour_ms, {}},
      {"x1.5", "10 a second, 1 %, x1.5 for 1 h", shape_of(10 * second_ms, 10, 0.01, 0.05, 0.08), 1.5, hour_ms, {}},
      {"x4", "1 a second, 1 %, x4 for 1 h", shape_of(10 * second_ms, 1, 0.01, 0.05, 0.08), 4, hour_ms, {}},
      {"500",
       "500 a day, 1 %, x10 for 1 day",
       shape_of(minute_ms, 500.0 / 86400, 0.01, 0.02, 0.05),
       10,
       day_ms,
       {hour_ms, 168, 100, 7 * day_ms, 1000, 10}},
      {"20",
       "20 a day, 2 %, x15 for 10 days",
       shape_of(10 * minute_ms, 20.0 / 86400, 0.02, 0, 0),
       15,
       10 * day_ms,
       {day_ms, 28, 100, 28 * day_ms, 100, 3}}};
  return list;
}

run_plan make_plan(const resolve_case& what, std::uint64_t seed) {
  generator::random_source random(seed_of({seed, 0}));
  run_plan plan;
  plan.measured_from = plan.start + warm_up;
  outage broken;
  broken.size = what.times;
  broken.length = what.length;
  broken.horizon = 7 * what.length;
  plan.outages = {broken};
  // Half a day and a bit apart, so that they begin at every hour.
  auto onset = plan.measured_from;
  for (std::size_t i = 0; i < trials_a_stream; ++i) {
    const auto distance = static_cast<double>(day_ms) * (0.3 + 0.4 * random.uniform());
    onset += static_cast<time_ms>(distance) / what.shape.tick * what.shape.tick;
    plan.waves.push_back({onset, {{0, 0}}});
  }
  plan.end = onset + what.shape.tick;
  plan.sources.push_back(whole_world(noisy_stream(what.shape, seed_of({seed, 1}), plan.start)));
  plan.seed = seed_of({seed, 2});
  return plan;
}

std::vector<cell> row(const resolve_case& what, const competitor& who, const std::vector<trial>& trials,
                      std::size_t detector) {
  std::size_t open_before = 0;
  std::size_t not_opened = 0;
  std::size_t early = 0;
  delays resolved;
  std::size_t opened = 0;
  for (const auto& one : trials) {
    const auto& found = one.by_detector[detector];
    if (found.open_before) {
      ++open_before;
      continue;
    }
    const auto end = one.onset + what.length;
    if (!found.opened || *found.opened > end) {
      ++not_opened;
      continue;
    }
    ++opened;
    early += found.resolved_early ? 1 : 0;
    if (!found.open_at_end)
      continue;
    if (found.resolved)
      resolved.add(static_cast<double>(*found.resolved - end) / static_cast<double>(minute_ms));
    else
      resolved.add_not_found();
  }
  const auto bounds = share_interval(early, opened);
  const double share = opened == 0 ? 0 : static_cast<double>(early) / static_cast<double>(opened);
  return {what.name,
          who.family + ", " + who.setting,
          count_cell(open_before),
          count_cell(opened),
          count_cell(not_opened),
          cell(opened == 0 ? "-" : fmt::format("{:.4f} ({:.4f}-{:.4f})", share, bounds.low, bounds.high),
               {{"share", share}, {"low", bounds.low}, {"high", bounds.high}}),
          count_cell(resolved.trials() - resolved.found()),
          number_cell(resolved.quantile(0.5), 1),
          number_cell(resolved.quantile(0.9), 1)};
}

} // namespace

std::vector<std::string> resolve_scenarios() {
  std::vector<std::string> names;
  for (const auto& one : cases())
    names.push_back(one.scenario);
  return names;
}

void run_resolve(const suite_options& options, report& out) {
  table made;
  made.title = "resolve";
  made.note = fmt::format(
      "{} trials from each of {} streams, warm for {} days; every method untuned. Early: an incident "
      "closed while its outage lasted, for whatever reason. Delay: from the outage's end to the end of the tick that "
      "closed the incident.",
      trials_a_stream, options.size_of(20), warm_up / day_ms);
  made.columns = {"case",         "method", "open before", "opened", "not opened",
                  "early (95 %)", "never",  "median min",  "p90 min"};
  for (std::size_t c = 0; c < cases().size(); ++c) {
    const auto& what = cases()[c];
    if (!options.wants(what.scenario))
      continue;
    auto methods = untuned_competitors(what.windows, what.shape.tick, what.shape.failure_rate, 1.0 / 30);
    drop_unavailable(methods, out.skipped);
    std::vector<run_result> results(options.size_of(20));
    for_each_index(options.jobs, results.size(), [&](std::size_t s) {
      auto plan = make_plan(what, seed_of({resolve, options.seed, c, s}));
      plan.world = evaluation_world({}, {{}}, what.shape.tick, specs_of(methods));
      results[s] = run(std::move(plan));
      options.progress(fmt::format("resolve {}: stream {} of {}", what.scenario, s + 1, results.size()));
    });
    std::vector<trial> trials;
    for (auto& result : results)
      trials.insert(trials.end(), result.trials.begin(), result.trials.end());
    for (std::size_t d = 0; d < methods.size(); ++d)
      made.rows.push_back(row(what, methods[d], trials, d));
  }
  if (!made.rows.empty())
    out.tables.push_back(std::move(made));
}

} // namespace tocsin::evaluation
