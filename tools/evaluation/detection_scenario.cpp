#include "tools/evaluation/detection_scenario.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <utility>

namespace tocsin::evaluation {

namespace {

outage step(std::string name, double times, time_ms length, time_ms horizon) {
  outage made;
  made.name = std::move(name);
  made.size = times;
  made.length = length;
  made.horizon = horizon;
  return made;
}

outage rate(std::string name, double value, time_ms length, time_ms horizon) {
  auto made = step(std::move(name), value, length, horizon);
  made.shape = outage::kind::absolute;
  return made;
}

detection_scenario high() {
  detection_scenario made;
  made.name = "high";
  made.about = "10 events a second, base 1 %, ticks of 10 s";
  made.outages = {step("x1.5 for 1 h", 1.5, hour_ms, hour_ms), step("x2 for 1 h", 2, hour_ms, hour_ms),
                  step("x3 for 1 h", 3, hour_ms, hour_ms), step("x5 for 2 min", 5, 2 * minute_ms, 3 * minute_ms),
                  step("x10 for 2 min", 10, 2 * minute_ms, 3 * minute_ms)};
  made.gap = 10 * hour_ms + 19 * minute_ms;
  return made;
}

detection_scenario mid() {
  detection_scenario made;
  made.name = "mid";
  made.about = "1 event a second, base 1 %, ticks of 10 s";
  made.shape.events_per_second = 1;
  outage ramp = step("ramp to x4 over 6 h, 6 h more", 4, 12 * hour_ms, 12 * hour_ms);
  ramp.shape = outage::kind::ramp;
  ramp.rise = 6 * hour_ms;
  made.outages = {step("x2 for 6 h", 2, 6 * hour_ms, 6 * hour_ms), step("x4 for 1 h", 4, hour_ms, hour_ms), ramp,
                  rate("20 % for 2 min", 0.2, 2 * minute_ms, 3 * minute_ms)};
  return made;
}

detection_scenario low() {
  detection_scenario made;
  made.name = "low";
  made.about = "20 events a day, base 2 %, no noise but chance, ticks of 10 min";
  made.shape.tick = 10 * minute_ms;
  made.shape.events_per_second = 20.0 / 86400;
  made.shape.failure_rate = 0.02;
  made.shape.dispersion = made.shape.slow_noise = 0;
  made.shape.rate_daily = 0.15;
  made.outages = {rate("30 % for 21 days", 0.3, 21 * day_ms, 21 * day_ms),
                  rate("10 % for 21 days", 0.1, 21 * day_ms, 21 * day_ms)};
  made.streams = 150;
  made.measured = 180 * day_ms;
  made.gap = 30 * day_ms;
  made.rate_spread = 0;
  made.windows = {day_ms, 28, 100, 28 * day_ms, 100, 3};
  return made;
}

/// The gates ask for four failures, whatever the evidence says.
detection_scenario low_no_gates() {
  auto made = low();
  made.name = "low_no_gates";
  made.about = "as low, and the monitor's gates let everything through: the evidence alone";
  made.gates = {0, -1, -1e18};
  return made;
}

detection_scenario lowmid() {
  detection_scenario made;
  made.name = "lowmid";
  made.about = "500 events a day, base 1 %, ticks of 1 min";
  made.shape.tick = minute_ms;
  made.shape.events_per_second = 500.0 / 86400;
  made.outages = {rate("10 % for 3 days", 0.1, 3 * day_ms, 3 * day_ms),
                  rate("4 % for 7 days", 0.04, 7 * day_ms, 7 * day_ms)};
  made.measured = 90 * day_ms;
  made.gap = 5 * day_ms;
  made.rate_spread = 0;
  made.windows = {hour_ms, 168, 100, 7 * day_ms, 1000, 10};
  return made;
}

detection_scenario iid() {
  auto made = high();
  made.name = "iid";
  made.about = "as high, without noise of the rate: binomial failures around the season";
  made.shape.dispersion = made.shape.slow_noise = 0;
  return made;
}

detection_scenario fleet() {
  detection_scenario made;
  made.name = "fleet";
  made.about = "800 properties of 50 to 100,000 events a day in one world, ticks of 1 min";
  made.shape.tick = minute_ms;
  const auto x4 = [](const char* name) { return step(name, 4, 3 * day_ms, 3 * day_ms); };
  made.outages = {x4("x4 for 3 days, 50-300 a day"), x4("x4 for 3 days, 300-2,000 a day"),
                  x4("x4 for 3 days, 2,000-15,000 a day"), x4("x4 for 3 days, 15,000-100,000 a day")};
  made.streams = 800;
  made.measured = 30 * day_ms;
  made.rate_spread = 0.5;
  made.target = 1e-3;
  made.fleet = true;
  made.windows = {hour_ms, 168, 1000, 7 * day_ms, 1000, 5};
  return made;
}

std::size_t class_of(double events_a_day) {
  return events_a_day < 300 ? 0 : events_a_day < 2000 ? 1 : events_a_day < 15000 ? 2 : 3;
}

void add_stream(const detection_scenario& scenario, std::uint64_t seed, scenario_world& made) {
  generator::random_source random(seed);
  auto shape = scenario.shape;
  shape.phase = scenario.phase_spread * random.normal();
  shape.failure_rate *= std::exp(scenario.rate_spread * random.normal());
  made.base_rate = shape.failure_rate;
  made.plan.sources.push_back(whole_world(noisy_stream(shape, seed_of({seed, 1}), evaluation_start)));
}

void add_fleet(const detection_scenario& scenario, std::uint64_t seed, std::size_t keys, scenario_world& made) {
  made.base_rate = scenario.shape.failure_rate;
  for (std::size_t k = 0; k < keys; ++k) {
    generator::random_source random(seed_of({seed, 2, k}));
    auto shape = scenario.shape;
    shape.phase = scenario.phase_spread * random.normal();
    shape.failure_rate *= std::exp(scenario.rate_spread * random.normal());
    shape.events_per_second = 50 * std::exp(random.uniform() * std::log(2000.0)) / 86400;
    made.plan.sources.push_back(
        leaf_source({"p" + std::to_string(k)}, noisy_stream(shape, seed_of({seed, 3, k}), evaluation_start)));
  }
}

/// Trials of a stream: its outages in turn, the first by the stream's number, at random distances around the gap.
void plan_stream_waves(const detection_scenario& scenario, std::uint64_t seed, std::size_t number, run_plan& plan) {
  generator::random_source random(seed_of({seed, 4}));
  auto next = number % scenario.outages.size();
  for (auto onset = plan.measured_from + day_ms / 2;;) {
    if (onset + scenario.outages[next].horizon >= plan.end)
      return;
    plan.waves.push_back({onset, {{0, next}}});
    next = (next + 1) % scenario.outages.size();
    const auto distance = static_cast<double>(scenario.gap) * (0.7 + 0.6 * random.uniform());
    onset += std::max<time_ms>(1, static_cast<time_ms>(distance) / scenario.shape.tick) * scenario.shape.tick;
  }
}

/// Trials of a fleet: every day four forks, in each a fiftieth of the keys fails; so few that the whole stays normal.
void plan_fleet_waves(const detection_scenario& scenario, std::uint64_t seed, run_plan& plan) {
  const auto keys = plan.sources.size();
  const auto together = std::max<std::size_t>(1, keys / 50);
  std::vector<std::size_t> order(keys);
  std::iota(order.begin(), order.end(), std::size_t{0});
  generator::random_source random(seed_of({seed, 5}));
  time_ms horizon = 0;
  for (const auto& what : plan.outages)
    horizon = std::max(horizon, what.horizon);
  for (auto onset = plan.measured_from + day_ms / 2; onset + horizon < plan.end; onset += scenario.gap) {
    for (std::size_t i = keys; i > 1; --i)
      std::swap(order[i - 1], order[random.below(static_cast<std::uint32_t>(i))]);
    for (std::size_t w = 0; w < 4 && (w + 1) * together <= keys; ++w) {
      wave planned{onset, {}};
      for (std::size_t i = w * together; i < (w + 1) * together; ++i)
        planned.plantings.push_back({order[i], class_of(events_a_day(plan.sources[order[i]].stream))});
      plan.waves.push_back(std::move(planned));
    }
  }
}

} // namespace

double events_a_day(const noisy_stream& stream) {
  return stream.shape().events_per_second * 86400;
}

const std::vector<detection_scenario>& detection_scenario_list() {
  static const std::vector<detection_scenario> list = {high(), mid(), low(), low_no_gates(), lowmid(), iid(), fleet()};
  return list;
}

scenario_world make_world(const detection_scenario& scenario, std::uint64_t seed, std::size_t number,
                          std::size_t keys) {
  const auto own_seed = seed_of({detection, seed, number});
  scenario_world made;
  made.keys = keys;
  auto& plan = made.plan;
  plan.outages = scenario.outages;
  plan.measured_from = plan.start + scenario.warm_up;
  plan.end = plan.measured_from + scenario.measured;
  plan.seed = seed_of({own_seed, 6});
  if (scenario.fleet) {
    const auto world = evaluation_world({"property"}, {{}, {{0}}}, scenario.shape.tick, {});
    world->monitors.front().gates = scenario.gates;
    plan.world = world;
    add_fleet(scenario, own_seed, keys, made);
    plan_fleet_waves(scenario, own_seed, plan);
  } else {
    const auto world = evaluation_world({}, {{}}, scenario.shape.tick, {});
    world->monitors.front().gates = scenario.gates;
    plan.world = world;
    add_stream(scenario, own_seed, made);
    plan_stream_waves(scenario, own_seed, number, plan);
  }
  return made;
}

} // namespace tocsin::evaluation
