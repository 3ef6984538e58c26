// What an event costs with 1e3, 1e5 and 1e6 leaf keys: decoded from NDJSON, counted, judged, by stage.
// Usage: bench_keys CONFIG [TICKS]. Ticks of 100,000 random views, the numbers of keys in turn.
#include "bench/support/cpu.hpp"
#include "bench/support/staged_engine.hpp"
#include "bench/support/views.hpp"
#include "io/decoder.hpp"

#include <fmt/format.h>

#include <cstdlib>
#include <memory>
#include <vector>

namespace tocsin::bench {

namespace {

constexpr std::uint64_t events_per_tick = 100'000;

/// A world that has seen each of its keys once.
class warm_world {
public:
  warm_world(const std::string& config_file, std::uint64_t leaf_keys)
      : leaf_keys_(leaf_keys), config_(load_or_exit(config_file, leaf_keys)),
        engine_(std::make_shared<const world_spec>(config_.world)), decoder_(io::make_decoder(config_.decode)),
        views_(leaf_keys) {
    for (std::uint64_t seen = 0; seen < leaf_keys; seen += events_per_tick)
      pass(false);
    engine_.commit();
  }

  void measure() {
    const auto judged = engine_.judged();
    const auto before = engine_.times();
    const auto decode = pass(true);
    const auto events = static_cast<double>(events_per_tick);
    decode_.push_back(decode / events);
    count_.push_back((engine_.times().count - before.count) / events);
    judge_.push_back((engine_.times().judge - before.judge) / events);
    const auto pairs = static_cast<double>(engine_.judged() - judged);
    pairs_.push_back(pairs / events);
    judge_pair_.push_back((engine_.times().judge - before.judge) / pairs);
    engine_.commit();
    commit_.push_back((engine_.times().commit - before.commit) / events);
  }

  void report() const {
    const auto state = engine_.stats();
    const auto engine = median(count_) + median(judge_);
    fmt::print("{:>10}{:>10}{:>10.1f}{:>10.1f}{:>10.1f}{:>12.1f}{:>14.1f}{:>14.2f}{:>14.1f}{:>12.1f}{:>10.0f}\n",
               leaf_keys_, state.keys, median(decode_), median(count_), median(judge_), engine,
               engine + median(decode_), median(pairs_), median(judge_pair_), median(commit_),
               static_cast<double>(state.memory_bytes) / static_cast<double>(state.keys));
  }

private:
  /// One tick through decoder and engine; ns of decoding.
  double pass(bool random) {
    views_.make(first_tick + ticks_++, events_per_tick, random, block_);
    const auto start = thread_cpu_ns();
    decoder_->decode(block_, batch_);
    const auto decoded = static_cast<double>(thread_cpu_ns() - start);
    if (batch_.events.size() != events_per_tick)
      give_up(batch_.rejects.empty() ? "a view was not decoded" : batch_.rejects.front().detail);
    engine_.count(batch_);
    return decoded;
  }

  static constexpr std::int64_t first_tick = 170'000'000;
  std::uint64_t leaf_keys_;
  io::config config_;
  staged_engine engine_;
  std::unique_ptr<io::decoder> decoder_;
  view_maker views_;
  io::raw_block block_;
  event_batch batch_;
  std::int64_t ticks_ = 0;
  std::vector<double> decode_, count_, judge_, pairs_, judge_pair_, commit_;
};

int run(const std::string& config, int ticks) {
  std::vector<std::unique_ptr<warm_world>> worlds;
  for (const std::uint64_t keys : std::vector<std::uint64_t>{1'000, 100'000, 1'000'000})
    worlds.push_back(std::make_unique<warm_world>(config, keys));
  for (int tick = 0; tick < ticks; ++tick)
    for (auto& world : worlds)
      world->measure();
  fmt::print("{} ticks of {} events, medians of CPU ns an event\n", ticks, events_per_tick);
  fmt::print("{:>10}{:>10}{:>10}{:>10}{:>10}{:>12}{:>14}{:>14}{:>14}{:>12}{:>10}\n", "leaf keys", "keys", "decode",
             "count", "judge", "pre-decoded", "from NDJSON", "(key,tick)/ev", "ns/(key,tick)", "commit/ev", "B/key");
  for (const auto& world : worlds)
    world->report();
  return 0;
}

} // namespace

} // namespace tocsin::bench

int main(int argc, char** argv) {
  if (argc < 2)
    tocsin::bench::give_up("usage: bench_keys CONFIG [TICKS]");
  return tocsin::bench::run(argv[1], argc > 2 ? std::atoi(argv[2]) : 15);
}
