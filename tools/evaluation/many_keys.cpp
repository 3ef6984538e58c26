#include "tools/evaluation/budgets.hpp"
#include "tools/evaluation/calibration.hpp"
#include "tools/evaluation/engine_feed.hpp"
#include "tools/evaluation/parallel.hpp"

#include <fmt/format.h>

#include <array>
#include <cmath>

namespace tocsin::evaluation {

namespace {

constexpr std::size_t full_worlds = 20;
constexpr std::size_t keys = 100;
constexpr time_ms tick = 2 * minute_ms;
constexpr time_ms birth = 14 * day_ms; ///< of every second key
constexpr time_ms run_length = 35 * day_ms;

struct period {
  const char* name;
  time_ms begin;
};
constexpr std::array<period, 4> periods = {{{"first week, 50 keys", 0},
                                            {"days 7 to 14", 7 * day_ms},
                                            {"days 14 to 21, 50 more keys", birth},
                                            {"days 28 to 35", 28 * day_ms}}};

std::vector<key_source> make_sources(std::uint64_t seed) {
  std::vector<key_source> sources;
  for (std::size_t k = 0; k < keys; ++k) {
    generator::random_source random(seed_of({seed, k, 0}));
    stream_shape shape;
    shape.tick = tick;
    shape.phase = 0.6 * random.normal();
    shape.failure_rate *= std::exp(0.5 * random.normal());
    shape.events_per_second = 50 * std::exp(random.uniform() * std::log(1000.0)) / 86400;
    const auto start = evaluation_start + (k % 2 == 0 ? 0 : birth);
    sources.push_back(leaf_source({"k" + std::to_string(k)}, noisy_stream(shape, seed_of({seed, k, 1}), start)));
  }
  return sources;
}

/// Openings of one world, by period and detector.
std::array<std::vector<std::uint64_t>, periods.size()> count_openings_of(std::uint64_t seed,
                                                                         const std::vector<detector_spec>& detectors) {
  engine_feed feed(evaluation_world({"key"}, {{}, {{0}}}, tick, detectors));
  auto sources = make_sources(seed);
  for (auto now = evaluation_start; now < evaluation_start + run_length; now += tick)
    for (std::size_t k = 0; k < keys; ++k) {
      if (k % 2 != 0 && now < evaluation_start + birth)
        continue;
      auto& stream = sources[k].stream;
      const auto one = stream.next();
      const auto failed = stream.failures(one, one.rate);
      if (one.total > 0)
        feed.add(sources[k].leaf, one.start, one.total, failed);
    }
  feed.close(evaluation_start + run_length);
  const auto records = feed.take_records();
  std::array<std::vector<std::uint64_t>, periods.size()> found;
  for (std::size_t p = 0; p < periods.size(); ++p)
    for (std::uint32_t d = 0; d < detectors.size(); ++d) {
      const auto begin = evaluation_start + periods[p].begin;
      found[p].push_back(count_openings(records, d, begin, begin + 7 * day_ms));
    }
  return found;
}

} // namespace

void run_many_keys(const suite_options& options, report& out) {
  const auto detectors = mixtures_by_budget();
  std::vector<std::array<std::vector<std::uint64_t>, periods.size()>> worlds(options.size_of(full_worlds));
  for_each_index(options.jobs, worlds.size(), [&](std::size_t w) {
    worlds[w] = count_openings_of(seed_of({calibration, options.seed, 1000, w}), detectors);
    options.progress(fmt::format("calibration many_keys: world {} of {}", w + 1, worlds.size()));
  });
  table made;
  made.title = "calibration, many_keys: one budget for all keys of a scope";
  made.note =
      fmt::format("{} worlds of a root and {} keys of 50 to 50,000 events a day, base 1 % with a spread of 0.5 in "
                  "the logarithm; every second key is born on day 14. Opens of any key over the budget of the "
                  "scope, with the exact 95 % Poisson interval.",
                  worlds.size(), keys);
  made.columns = {"budget of the scope"};
  for (const auto& one : periods)
    made.columns.emplace_back(one.name);
  for (std::size_t d = 0; d < detectors.size(); ++d) {
    std::vector<cell> row{budgets()[d].name};
    for (std::size_t p = 0; p < periods.size(); ++p) {
      std::uint64_t alarms = 0;
      for (const auto& world : worlds)
        alarms += world[p][d];
      row.push_back(ratio_cell(alarms, 7 * budgets()[d].a_day * static_cast<double>(worlds.size())));
    }
    made.rows.push_back(std::move(row));
  }
  out.tables.push_back(std::move(made));
}

} // namespace tocsin::evaluation
