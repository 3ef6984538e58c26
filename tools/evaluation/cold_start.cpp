#include "tools/evaluation/budgets.hpp"
#include "tools/evaluation/engine_feed.hpp"
#include "tools/evaluation/noisy_stream.hpp"
#include "tools/evaluation/parallel.hpp"
#include "tools/evaluation/planted_run.hpp"
#include "tools/evaluation/statistics.hpp"
#include "tools/evaluation/suite.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <atomic>

namespace tocsin::evaluation {

namespace {

constexpr time_ms week = 7 * day_ms;

/// A stream of this traffic is watched for `age`, then breaks.
struct cold_case {
  std::string name;
  double events_per_second;
  time_ms tick;
  outage what;
  double base_rate;
  std::vector<time_ms> within; ///< delays whose share is told
  std::vector<time_ms> ages;
  std::size_t streams;
};

struct age_class {
  const char* name;
  time_ms age;
};
const std::vector<age_class> ages = {{"30min", 30 * minute_ms}, {"2h", 2 * hour_ms},
                                     {"12h", 12 * hour_ms},     {"1d", day_ms},
                                     {"3d", 3 * day_ms},        {"28d", 28 * day_ms}};

outage times(double size, time_ms horizon) {
  outage made;
  made.size = size;
  made.length = made.horizon = horizon;
  return made;
}

outage to_rate(double size, time_ms horizon) {
  auto made = times(size, horizon);
  made.shape = outage::kind::absolute;
  return made;
}

const std::vector<cold_case>& cases() {
  const std::vector<time_ms> every = {30 * minute_ms, 2 * hour_ms, 12 * hour_ms, day_ms, 3 * day_ms, 28 * day_ms};
  const std::vector<time_ms> days = {day_ms, 3 * day_ms, 28 * day_ms};
  static const std::vector<cold_case> list = {
      {"10 a second, 1 %, x5",
       10,
       10 * second_ms,
       times(5, 10 * minute_ms),
       0.01,
       {2 * minute_ms, 10 * minute_ms},
       every,
       200},
      {"10 a second, 1 %, x2", 10, 10 * second_ms, times(2, hour_ms), 0.01, {hour_ms}, every, 200},
      {"10 a second, 1 %, x1.5", 10, 10 * second_ms, times(1.5, hour_ms), 0.01, {hour_ms}, every, 200},
      {"1 a second, 1 %, x4", 1, 10 * second_ms, times(4, hour_ms), 0.01, {hour_ms}, every, 200},
      {"1 a second, 1 %, x2", 1, 10 * second_ms, times(2, 6 * hour_ms), 0.01, {6 * hour_ms}, every, 200},
      {"1,000 a day, 1 % to 10 %", 1000.0 / 86400, 30 * second_ms, to_rate(0.1, day_ms), 0.01, {day_ms}, days, 200},
      {"20 a day, 2 % to 30 %", 20.0 / 86400, 2 * minute_ms, to_rate(0.3, week), 0.02, {week}, days, 300}};
  return list;
}

/// One stream from nothing, broken once: a run of one wave, whose trunk ends where it begins.
trial break_once(const cold_case& what, time_ms age, std::uint64_t seed) {
  generator::random_source random(seed_of({seed, 0}));
  stream_shape shape;
  shape.tick = what.tick;
  shape.events_per_second = what.events_per_second;
  shape.failure_rate = what.base_rate;
  shape.phase = 2 * 3.14159265358979 * random.uniform();
  run_plan plan;
  const auto ticks_a_week = week / shape.tick;
  plan.start =
      evaluation_start + static_cast<time_ms>(random.uniform() * static_cast<double>(ticks_a_week)) * shape.tick;
  plan.measured_from = plan.start;
  plan.end = plan.start + age + shape.tick;
  plan.world = evaluation_world({}, {{}}, shape.tick, mixtures_by_budget());
  plan.outages = {what.what};
  plan.sources.push_back(whole_world(noisy_stream(shape, seed_of({seed, 1}), plan.start)));
  plan.waves = {{plan.start + age, {{0, 0}}}};
  plan.seed = seed_of({seed, 2});
  return run(std::move(plan)).trials.front();
}

std::string share_text(double share) {
  return fmt::format("{:.3f}", share);
}

void add_rows(const cold_case& what, const age_class& age, const std::vector<trial>& trials, table& out) {
  for (std::size_t d = 0; d < budgets().size(); ++d) {
    delays found;
    std::size_t open_before = 0;
    for (const auto& one : trials) {
      const auto& finding = one.by_detector[d];
      if (finding.open_before)
        ++open_before;
      else if (finding.opened)
        found.add(static_cast<double>(*finding.opened - one.onset) / static_cast<double>(second_ms));
      else
        found.add_not_found();
    }
    std::vector<std::string> shares;
    std::vector<std::pair<std::string, double>> numbers;
    for (const auto limit : what.within) {
      const auto share = found.share_within(static_cast<double>(limit) / static_cast<double>(second_ms));
      shares.push_back(fmt::format("{} in {}", share_text(share), format_duration(limit)));
      numbers.emplace_back(format_duration(limit), share);
    }
    const auto bounds = share_interval(
        static_cast<std::uint64_t>(std::lround(numbers.front().second * static_cast<double>(found.trials()))),
        found.trials());
    out.rows.push_back(
        {what.name, age.name, budgets()[d].name, count_cell(found.trials()), count_cell(open_before),
         cell(fmt::format("{}", fmt::join(shares, ", ")), numbers),
         cell(fmt::format("{:.3f}-{:.3f}", bounds.low, bounds.high), {{"low", bounds.low}, {"high", bounds.high}}),
         number_cell(found.quantile(0.5), 0), number_cell(found.quantile(0.9), 0)});
  }
}

} // namespace

std::vector<std::string> cold_start_scenarios() {
  std::vector<std::string> names;
  names.reserve(std::size(ages));
  for (const auto& one : ages)
    names.emplace_back(one.name);
  return names;
}

void run_cold_start(const suite_options& options, report& out) {
  if (!is_available(mixtures_by_budget().front())) {
    out.skipped.emplace_back("cold_start: detector sr_mixture is not in this build");
    return;
  }
  table made;
  made.title = "cold start: power with a short history";
  made.note =
      "Each trial is a stream of its own, begun at a random hour of the week with a random phase of its season, "
      "that breaks when it is so old. Delays in seconds over all trials, to the end of the deciding tick; the "
      "interval (95 %) is that of the first share.";
  made.columns = {"traffic and outage", "age", "budget", "trials", "open before", "found", "95 %", "median s", "p90 s"};
  for (std::size_t c = 0; c < cases().size(); ++c)
    for (std::size_t a = 0; a < ages.size(); ++a) {
      const auto& what = cases()[c];
      const auto& age = ages[a];
      if (!options.wants(age.name) || std::find(what.ages.begin(), what.ages.end(), age.age) == what.ages.end())
        continue;
      std::vector<trial> trials(options.size_of(what.streams));
      for_each_index(options.jobs, trials.size(), [&](std::size_t s) {
        trials[s] = break_once(what, age.age, seed_of({cold_start, options.seed, c, a, s}));
      });
      add_rows(what, age, trials, made);
      options.progress(fmt::format("cold_start: {} at {}", what.name, age.name));
    }
  if (!made.rows.empty())
    out.tables.push_back(std::move(made));
}

} // namespace tocsin::evaluation
