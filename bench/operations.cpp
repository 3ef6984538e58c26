// Single operations of the hot path, with Google Benchmark: hash and count one event; sum, step and test one (key,
// tick).
#include "detectors/counting/leaf_table.hpp"
#include "detectors/values/key.hpp"
#include "models/likelihood_ratio.hpp"
#include "models/mixture.hpp"
#include "models/sliding_window.hpp"
#include "models/zeta.hpp"

#include <benchmark/benchmark.h>

#include <cstdint>
#include <string>
#include <vector>

namespace tocsin {

namespace {

struct keyed_views {
  std::vector<observation> seen;
  std::vector<std::string> keys;
};

/// Views of `count` leaf keys, in random order.
keyed_views views_of(std::int64_t count) {
  keyed_views views;
  std::uint64_t random = 1;
  for (std::int64_t i = 0; i < count; ++i) {
    random = random * 6364136223846793005 + 1442695040888963407;
    std::string key;
    append_text(key, "p" + std::to_string(i % 100));
    const auto scope = key.size();
    append_text(key, "DE");
    append_text(key, "t" + std::to_string((random >> 20) % static_cast<std::uint64_t>(count)));
    observation one;
    one.leaf = hash_key(key);
    one.key_size = static_cast<std::uint16_t>(key.size());
    one.scope_size = static_cast<std::uint16_t>(scope);
    one.total = 1;
    views.seen.push_back(one);
    views.keys.push_back(std::move(key));
  }
  return views;
}

monitor_spec monitor_of(std::int64_t keys) {
  monitor_spec monitor;
  monitor.dimensions = {"property", "country", "title"};
  monitor.scope_size = 1;
  monitor.levels = {{{0}}, {{0, 1}}, {{0, 2}}};
  monitor.capacity.max_leaf_cells = 4 * static_cast<std::uint64_t>(keys);
  return monitor;
}

void hash_leaf_key(benchmark::State& state) {
  const auto views = views_of(1'000);
  std::size_t i = 0;
  for (auto _ : state) {
    benchmark::DoNotOptimize(hash_key(views.keys[i]));
    i = (i + 1) % views.keys.size();
  }
}
BENCHMARK(hash_leaf_key);

/// Into a table that has the keys already, fetched ahead as the counter does.
void count_into_leaf_cells(benchmark::State& state) {
  const auto monitor = monitor_of(state.range(0));
  const auto views = views_of(state.range(0));
  leaf_table table(monitor);
  const auto size = views.seen.size();
  for (std::size_t i = 0; i < size; ++i)
    table.add(views.seen[i], views.keys[i]);
  std::size_t i = 0;
  for (auto _ : state) {
    table.prefetch(views.seen[(i + 16) % size].leaf);
    table.prefetch_cell(views.seen[(i + 8) % size].leaf);
    benchmark::DoNotOptimize(table.add(views.seen[i], views.keys[i]));
    i = (i + 1) % size;
  }
}
BENCHMARK(count_into_leaf_cells)->Arg(1'000)->Arg(10'000)->Arg(100'000)->Arg(1'000'000);

/// One (key, tick) of a window of six buckets.
void add_to_window(benchmark::State& state) {
  const auto keys = static_cast<std::uint32_t>(state.range(0));
  sliding_window window(1, 6);
  window.resize(keys);
  std::int64_t tick = 0;
  std::uint32_t slot = keys;
  for (auto _ : state) {
    if (slot == keys) {
      window.advance(++tick);
      slot = 0;
    }
    window.add(slot++, {10, 1, 1});
  }
}
BENCHMARK(add_to_window)->Arg(1'000)->Arg(1'000'000);

/// Log likelihood ratios of one tick, of `events` with a few failures, at a rate that makes the form what it is.
void likelihood_ratios(benchmark::State& state, std::int64_t events, double rate, double dispersion) {
  std::int64_t i = 0;
  for (auto _ : state) {
    benchmark::DoNotOptimize(tocsin::likelihood_ratios(events + (i & 7), i & 3, rate, dispersion));
    ++i;
  }
}
BENCHMARK_CAPTURE(likelihood_ratios, bernoulli, 10, 0.01, 0.0);
BENCHMARK_CAPTURE(likelihood_ratios, negative_binomial, 1'000, 0.01, 0.02);
BENCHMARK_CAPTURE(likelihood_ratios, beta_binomial, 100, 0.2, 0.02);

/// The weights of a tick, the start of its share of the budget, its ratios taken in, and the sum compared.
void start_and_observe(benchmark::State& state) {
  shiryaev_roberts_mixture mixture;
  const auto ratios = tocsin::likelihood_ratios(100, 1, 0.01, 0.0);
  std::int64_t i = 0;
  for (auto _ : state) {
    mixture.start(1e-6, start_weights(static_cast<double>(++i & 7), 0.01));
    mixture.observe(ratios);
    benchmark::DoNotOptimize(mixture.sum());
  }
}
BENCHMARK(start_and_observe);

} // namespace

} // namespace tocsin

BENCHMARK_MAIN();
