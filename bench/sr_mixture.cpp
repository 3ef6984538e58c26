// What sr_mixture costs: CPU ns an active (key, tick) of mature keys, judged through the engine, minus the same engine
// without detectors in the same rounds; and resident bytes a key.
// Usage: bench_sr_mixture [KEYS [TICKS]], or bench_sr_mixture memory KEYS.
#include "bench/support/cpu.hpp"
#include "bench/support/process.hpp"
#include "detectors/engine/world.hpp"

#include <fmt/format.h>

#include <array>
#include <cstdlib>
#include <memory>
#include <random>
#include <string>
#include <vector>

namespace tocsin::bench {

namespace {

constexpr time_ms tick_length = 10 * second_ms;
constexpr time_ms start = 1'462'363'200'000; // 2016-05-04T12:00:00Z
constexpr int events_a_tick = 10;

std::shared_ptr<const world_spec> one_level(bool judged, std::uint64_t keys) {
  monitor_spec monitor;
  monitor.name = "m";
  monitor.dimensions = {"key"};
  monitor.levels = {{{}}, {{0}}};
  monitor.tick = tick_length;
  monitor.capacity = {2 * keys + 10, 2 * keys + 10, 10};
  if (judged)
    monitor.detectors = {{"sr_mixture", "sr", sr_mixture_spec{}}};
  world_spec world;
  world.monitors = {monitor};
  world.allowed_lateness = 0;
  return std::make_shared<const world_spec>(world);
}

/// Ticks in which every key has ten events, at a rate that a gamma variable of dispersion `kappa` multiplies.
class traffic {
public:
  traffic(std::size_t keys, double rate, double kappa) : rate_(rate), kappa_(kappa) {
    for (std::size_t i = 0; i < keys; ++i) {
      std::string bytes;
      append_text(bytes, "key" + std::to_string(i));
      hashes_.push_back(hash_key(bytes));
      keys_.push_back(bytes);
    }
  }
  const event_batch& next() {
    batch_.clear();
    batch_.observations.resize(1);
    for (std::size_t i = 0; i < keys_.size(); ++i) {
      batch_.events.push_back({start + ticks_ * tick_length, offset_++});
      observation seen;
      seen.leaf = hashes_[i];
      seen.key_begin = static_cast<std::uint32_t>(batch_.key_bytes.size());
      seen.key_size = static_cast<std::uint16_t>(keys_[i].size());
      batch_.key_bytes += keys_[i];
      seen.total = events_a_tick;
      const auto rate = kappa_ > 0 ? std::min(0.9, rate_ * noise(random_)) : rate_;
      const auto limit = static_cast<std::uint32_t>(rate * 65'536);
      for (int n = 0; n < events_a_tick; ++n)
        seen.failed += (random_() & 65'535) < limit ? 1 : 0;
      batch_.observations[0].push_back(seen);
    }
    batch_.next_offset = offset_;
    ++ticks_;
    return batch_;
  }

private:
  template <class Random>
  double noise(Random& random) {
    return std::gamma_distribution<double>(1 / kappa_, kappa_)(random);
  }
  double rate_, kappa_;
  std::mt19937 random_{1};
  std::vector<std::string> keys_;
  std::vector<key_hash> hashes_;
  event_batch batch_;
  stream_offset offset_ = 0;
  std::int64_t ticks_ = 0;
};

double count_ns(world& engine, const event_batch& batch) {
  const auto begin = thread_cpu_ns();
  engine.count(batch);
  const auto spent = static_cast<double>(thread_cpu_ns() - begin);
  engine.take_alerts();
  return spent;
}

void measure(std::size_t keys, int ticks, double rate, double kappa) {
  world judged(one_level(true, keys), 1), counted(one_level(false, keys), 1);
  traffic stream(keys, rate, kappa);
  std::vector<double> with, without, difference;
  for (int i = 0; i < ticks; ++i) {
    const auto& batch = stream.next();
    const auto pairs = static_cast<double>(keys + 1);
    const auto a = count_ns(judged, batch) / pairs;
    const auto b = count_ns(counted, batch) / pairs;
    if (i < ticks * 3 / 4)
      continue; // until the keys are mature
    with.push_back(a);
    without.push_back(b);
    difference.push_back(a - b);
  }
  fmt::print("{:>8}{:>8.0f}{:>8.2f}{:>10.0f}{:>10.0f}{:>12.0f}{:>8}\n", keys, 100 * rate, kappa, median(with),
             median(without), median(difference), judged.state_stats().open_incidents);
}

int memory(std::size_t keys) {
  traffic stream(keys, 0.01, 0);
  stream.next();
  const auto before = resident_bytes();
  world judged(one_level(true, keys), 1);
  for (int i = 0; i < 4; ++i)
    judged.count(stream.next());
  const auto stats = judged.state_stats();
  fmt::print("{} keys: resident {:.0f} bytes a key, of which state {:.0f}\n", stats.keys,
             (resident_bytes() - before) / static_cast<double>(stats.keys),
             static_cast<double>(stats.memory_bytes) / static_cast<double>(stats.keys));
  return 0;
}

int run(std::size_t keys, int ticks) {
  fmt::print("{} ticks, medians of the last quarter of CPU ns an active (key, tick)\n", ticks);
  fmt::print("{:>8}{:>8}{:>8}{:>10}{:>10}{:>12}{:>8}\n", "keys", "rate %", "kappa", "engine", "without", "sr_mixture",
             "open");
  measure(keys, ticks, 0.01, 0);
  measure(keys, ticks, 0.05, 0.05);
  return 0;
}

} // namespace

} // namespace tocsin::bench

int main(int argc, char** argv) {
  using namespace tocsin::bench;
  if (argc > 2 && std::string(argv[1]) == "memory")
    return memory(static_cast<std::size_t>(std::atoi(argv[2])));
  return run(argc > 1 ? static_cast<std::size_t>(std::atoi(argv[1])) : 2000, argc > 2 ? std::atoi(argv[2]) : 4000);
}
