#include "tools/evaluation/calibration.hpp"

#include "tools/evaluation/budgets.hpp"
#include "tools/evaluation/engine_feed.hpp"
#include "tools/evaluation/parallel.hpp"
#include "tools/evaluation/statistics.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <cmath>

namespace tocsin::evaluation {

namespace {

constexpr time_ms week = 7 * day_ms;
constexpr time_ms warm_from = 28 * day_ms;
constexpr time_ms run_length = 35 * day_ms;

const std::vector<traffic_class> classes = {{"20 a day", 20.0 / 86400, 2 * minute_ms, 240},
                                            {"1,000 a day", 1000.0 / 86400, 30 * second_ms, 200},
                                            {"86,400 a day", 1, 10 * second_ms, 100},
                                            {"864,000 a day", 10, 10 * second_ms, 80}};
const std::vector<double> base_rates = {1e-4, 1e-3, 1e-2, 0.05, 0.2};
noise_family family(std::string name, std::string about, void (*change)(stream_shape&)) {
  noise_family made;
  made.name = std::move(name);
  made.about = std::move(about);
  change(made.shape);
  return made;
}

/// Sparse keys are held back by the gates (three failures too many), not by the evidence: this shows the evidence
/// alone.
noise_family without_gates() {
  auto made = family("no_gates", "As standard, and the monitor's gates let everything through", [](stream_shape&) {});
  made.gates = {0, -1, -1e18};
  return made;
}

/// What a stream of a family has of its own: where in the week and in the day's season it begins, when it is deployed.
noisy_stream make_stream(const noise_family& noise, const traffic_class& traffic, double base_rate,
                         std::uint64_t seed) {
  generator::random_source random(seed_of({seed, 0}));
  auto shape = noise.shape;
  shape.tick = traffic.tick;
  shape.events_per_second = traffic.events_per_second;
  shape.failure_rate = base_rate;
  shape.phase = 2 * 3.14159265358979 * random.uniform();
  const auto ticks_a_week = week / shape.tick;
  const auto start =
      evaluation_start + static_cast<time_ms>(random.uniform() * static_cast<double>(ticks_a_week)) * shape.tick;
  if (shape.deploy_shift != 1) {
    if (random.uniform() < 0.5)
      shape.deploy_shift = 2 - shape.deploy_shift;
    shape.deploy_at = start + static_cast<time_ms>(random.uniform() * static_cast<double>(run_length));
  }
  return {shape, seed_of({seed, 1}), start};
}

/// Alarms of all streams of one cell, by detector: in the first week and when warm.
struct cell_counts {
  std::vector<std::uint64_t> first_week;
  std::vector<std::uint64_t> warm;
};

/// Every cell of one family, streams in parallel.
std::vector<std::vector<cell_counts>> measure_family(const noise_family& noise, std::size_t number,
                                                     const suite_options& options,
                                                     const std::vector<detector_spec>& detectors) {
  struct unit {
    std::size_t traffic, base, stream;
  };
  std::vector<unit> units;
  for (std::size_t c = 0; c < classes.size(); ++c)
    for (std::size_t b = 0; b < base_rates.size(); ++b)
      for (std::size_t s = 0; s < options.size_of(classes[c].streams); ++s)
        units.push_back({c, b, s});
  std::vector<stream_alarms> alarms(units.size());
  std::atomic<std::size_t> done{0};
  for_each_index(options.jobs, units.size(), [&](std::size_t i) {
    const auto [c, b, s] = units[i];
    const auto seed = seed_of({calibration, options.seed, number, c, b, s});
    alarms[i] = count_false_alarms(make_stream(noise, classes[c], base_rates[b], seed), detectors, noise.gates);
    if (++done % std::max<std::size_t>(1, units.size() / 20) == 0)
      options.progress(fmt::format("calibration {}: {} of {} streams", noise.name, done.load(), units.size()));
  });
  std::vector<std::vector<cell_counts>> cells(classes.size(), std::vector<cell_counts>(base_rates.size()));
  for (std::size_t i = 0; i < units.size(); ++i) {
    auto& sum = cells[units[i].traffic][units[i].base];
    sum.first_week.resize(detectors.size());
    sum.warm.resize(detectors.size());
    for (std::size_t d = 0; d < detectors.size(); ++d) {
      sum.first_week[d] += alarms[i].first_week[d];
      sum.warm[d] += alarms[i].warm[d];
    }
  }
  return cells;
}

table make_table(const noise_family& noise, const char* when, const suite_options& options,
                 const std::vector<std::vector<cell_counts>>& cells, std::vector<std::uint64_t> cell_counts::*which) {
  table made;
  made.title = fmt::format("calibration, {}: {}", noise.name, when);
  made.note =
      fmt::format("{}. Realised over promised false alarms of `sr_mixture`, untuned, with the exact 95 % Poisson "
                  "interval, and alarms of promised ones. Streams a cell: {}, {}, {}, {}.",
                  noise.about, options.size_of(classes[0].streams), options.size_of(classes[1].streams),
                  options.size_of(classes[2].streams), options.size_of(classes[3].streams));
  made.columns = {"events", "budget"};
  for (const auto rate : base_rates)
    made.columns.push_back(fmt::format("{:g} %", 100 * rate));
  for (std::size_t c = 0; c < classes.size(); ++c)
    for (std::size_t d = 0; d < budgets().size(); ++d) {
      const double nominal = budgets()[d].a_day * 7 * static_cast<double>(options.size_of(classes[c].streams));
      std::vector<cell> row{classes[c].name, budgets()[d].name};
      for (const auto& counts : cells[c])
        row.push_back(ratio_cell((counts.*which)[d], nominal));
      made.rows.push_back(std::move(row));
    }
  return made;
}

} // namespace

cell ratio_cell(std::uint64_t alarms, double promised) {
  const auto bounds = poisson_interval(alarms);
  const auto ratio = static_cast<double>(alarms) / promised;
  return {fmt::format("{:.2f} ({:.2f}-{:.2f}; {} of {:.3g})", ratio, bounds.low / promised, bounds.high / promised,
                      alarms, promised),
          {{"ratio", ratio},
           {"low", bounds.low / promised},
           {"high", bounds.high / promised},
           {"alarms", static_cast<double>(alarms)},
           {"promised", promised}}};
}

const std::vector<noise_family>& noise_families() {
  static const std::vector<noise_family> families = {
      family("standard", "Slow noise of 8 % with a memory of 1 h, gamma noise a tick with variance 0.05",
             [](stream_shape&) {}),
      family("long_memory", "As standard, slow noise with a memory of 6 h",
             [](stream_shape& shape) { shape.slow_memory = 6 * hour_ms; }),
      family("short_memory", "As standard, slow noise with a memory of 10 min",
             [](stream_shape& shape) { shape.slow_memory = 10 * minute_ms; }),
      family("heavy_tails", "As standard, but one tick in 50 has gamma noise with variance 0.5",
             [](stream_shape& shape) { shape.burst_share = 0.02; }),
      family("deploy_step", "As standard, and at a random moment the rate rises or falls by 20 % for good",
             [](stream_shape& shape) { shape.deploy_shift = 1.2; }),
      family("weekly_shape", "As standard, and instead of weekends a sine of one week with 30 % in the logarithm",
             [](stream_shape& shape) {
               shape.rate_weekend = 0;
               shape.rate_weekly = 0.3;
             }),
      without_gates()};
  return families;
}

std::vector<std::string> calibration_scenarios() {
  std::vector<std::string> names;
  for (const auto& noise : noise_families())
    names.push_back(noise.name);
  names.emplace_back("many_keys");
  return names;
}

stream_alarms count_false_alarms(noisy_stream stream, const std::vector<detector_spec>& detectors,
                                 const gate_spec& gates) {
  const auto world = evaluation_world({}, {{}}, stream.shape().tick, detectors);
  world->monitors.front().gates = gates;
  engine_feed feed(world);
  const auto leaf = make_leaf({});
  auto tick = stream.next();
  const auto start = tick.start;
  for (; tick.start < start + run_length; tick = stream.next()) {
    const auto failed = stream.failures(tick, tick.rate);
    if (tick.total > 0)
      feed.add(leaf, tick.start, tick.total, failed);
  }
  feed.close(start + run_length);
  stream_alarms alarms;
  const auto records = feed.take_records();
  for (std::uint32_t d = 0; d < detectors.size(); ++d) {
    alarms.first_week.push_back(count_openings(records, d, start, start + week));
    alarms.warm.push_back(count_openings(records, d, start + warm_from, start + run_length));
  }
  return alarms;
}

void run_calibration(const suite_options& options, report& out) {
  const auto detectors = mixtures_by_budget();
  if (!is_available(detectors.front())) {
    out.skipped.emplace_back("calibration: detector sr_mixture is not in this build");
    return;
  }
  const auto& families = noise_families();
  for (std::size_t f = 0; f < families.size(); ++f) {
    if (!options.wants(families[f].name))
      continue;
    const auto cells = measure_family(families[f], f, options, detectors);
    out.tables.push_back(make_table(families[f], "first week from nothing", options, cells, &cell_counts::first_week));
    out.tables.push_back(make_table(families[f], "days 28 to 35", options, cells, &cell_counts::warm));
  }
  if (options.wants("many_keys"))
    run_many_keys(options, out);
}

} // namespace tocsin::evaluation
