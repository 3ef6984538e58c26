// How much of the speed of decoding alone the whole engine keeps, what each stage costs, and what a second core brings.
// Usage: bench_throughput CONFIG FILE [ROUNDS]. Rounds are interleaved; CPU time is that of the whole process.
#include "actors/pipeline.hpp"
#include "bench/support/cpu.hpp"
#include "bench/support/staged_engine.hpp"
#include "bench/support/views.hpp"
#include "io/decoder.hpp"
#include "io/file/file_source.hpp"
#include "io/memory/memory_state_store.hpp"

#include <fmt/format.h>

#include <cstdlib>
#include <string>
#include <vector>

namespace tocsin::bench {

namespace {

/// Takes alerts and keeps none.
class silent_sink final : public io::alert_sink {
public:
  io::result<void> complete(io::state_store&) override { return {}; }
  io::result<void> append(const std::vector<std::string>&) override { return {}; }
};

/// One pass over the file.
struct pass {
  double events = 0;
  double cpu = 0;  ///< ns
  double wall = 0; ///< ns
  double foreign = 0;
  double read = 0, decode = 0; ///< ns
  stage_times stages;
  double judged = 0; ///< (key, tick) pairs

  double cpu_per_event() const { return cpu / events; }
  double wall_per_event() const { return wall / events; }
};

class throughput {
public:
  throughput(const std::string& config, std::string path) : config_(load_or_exit(config)), path_(std::move(path)) {}

  /// Source, framing and decoding; nothing else.
  pass decode_only() const {
    pass out;
    const stopwatch watch;
    each_block(out, [&](const event_batch&) {});
    close(out, watch);
    return out;
  }

  /// The engine in the same thread, with a commit into memory for each second of CPU time.
  pass without_actors() const {
    pass out;
    const stopwatch watch;
    staged_engine engine(std::make_shared<const world_spec>(config_.world));
    auto next_commit = thread_cpu_ns() + 1'000'000'000;
    each_block(out, [&](const event_batch& batch) {
      engine.count(batch);
      if (thread_cpu_ns() < next_commit)
        return;
      next_commit += 1'000'000'000;
      engine.commit();
    });
    engine.finish();
    engine.commit();
    close(out, watch);
    out.stages = engine.times();
    out.judged = static_cast<double>(engine.judged());
    return out;
  }

  pass with_actors(std::size_t workers) const {
    actors::pipeline_options options;
    options.spec = std::make_shared<const world_spec>(config_.world);
    options.identity = {config_.world.fingerprint, {config_.world.monitors.front().name}, {path_}};
    options.workers = workers;
    options.block_bytes = config_.block_bytes;
    options.commit_interval = config_.commit_interval;
    actors::pipeline_parts parts;
    parts.source = open();
    parts.make_decoder = [plan = config_.decode] { return io::make_decoder(plan); };
    parts.store = std::make_unique<io::memory_state_store>();
    parts.alerts = std::make_unique<silent_sink>();
    pass out;
    const stopwatch watch;
    actors::pipeline_outcome outcome;
    {
      actors::pipeline pipeline(std::move(options), std::move(parts));
      outcome = pipeline.wait();
      close(out, watch);
    }
    if (outcome.failure)
      give_up(outcome.failure->message);
    out.events = static_cast<double>(outcome.final.counting.events);
    return out;
  }

private:
  std::unique_ptr<io::source> open() const {
    io::file_source_options options;
    options.paths = {path_};
    return value_or_exit(io::open_file_source(std::move(options)));
  }

  template <class Take>
  void each_block(pass& out, Take take) const {
    const auto source = open();
    const auto decoder = io::make_decoder(config_.decode);
    io::raw_block block;
    event_batch batch;
    for (;;) {
      const auto start = thread_cpu_ns();
      if (value_or_exit(source->read(0, config_.block_bytes, block)) != io::read_outcome::block)
        return;
      const auto framed = thread_cpu_ns();
      decoder->decode(block, batch);
      out.decode += static_cast<double>(thread_cpu_ns() - framed);
      out.read += static_cast<double>(framed - start);
      out.events += static_cast<double>(batch.events.size());
      take(batch);
    }
  }

  static void close(pass& out, const stopwatch& watch) {
    out.cpu = watch.cpu_ns();
    out.wall = watch.wall();
    out.foreign = watch.foreign_cores();
  }

  io::config config_;
  std::string path_;
};

template <class Value>
double middle(const std::vector<pass>& passes, Value value) {
  std::vector<double> values;
  for (const auto& one : passes)
    values.push_back(value(one));
  return median(std::move(values));
}

/// Median of the rounds' own ratios: what slows a round down slows both of its passes.
template <class Value>
double ratio(const std::vector<pass>& a, const std::vector<pass>& b, Value value) {
  std::vector<double> values;
  for (std::size_t i = 0; i < a.size(); ++i)
    values.push_back(value(a[i]) / value(b[i]));
  return median(std::move(values));
}

void report(const char* name, const std::vector<pass>& passes) {
  fmt::print("{:<34}{:>10.0f}{:>10.0f}{:>12.2f}{:>12.2f}\n", name,
             middle(passes, [](auto& p) { return p.cpu_per_event(); }),
             middle(passes, [](auto& p) { return p.wall_per_event(); }),
             middle(passes, [](auto& p) { return 1e3 / p.wall_per_event(); }),
             middle(passes, [](auto& p) { return p.foreign; }));
}

void report_stage(const char* name, const std::vector<pass>& passes, double pass::*time) {
  fmt::print("  {:<32}{:>10.1f}\n", name, middle(passes, [&](auto& p) { return p.*time / p.events; }));
}

void report_stage(const char* name, const std::vector<pass>& passes, double stage_times::*time) {
  fmt::print("  {:<32}{:>10.1f}\n", name, middle(passes, [&](auto& p) { return p.stages.*time / p.events; }));
}

int run(const std::string& config, const std::string& file, int rounds) {
  const throughput bench(config, file);
  std::vector<pass> decode, engine, one_core, one_worker, two_workers;
  bench.decode_only(); // the file into the page cache
  for (int round = 0; round < rounds; ++round) {
    use_cores(1);
    decode.push_back(bench.decode_only());
    engine.push_back(bench.without_actors());
    one_core.push_back(bench.with_actors(1));
    use_cores(0);
    one_worker.push_back(bench.with_actors(1));
    two_workers.push_back(bench.with_actors(2));
  }
  fmt::print("{:.0f} events, {} rounds, medians\n", decode.front().events, rounds);
  fmt::print("{:<34}{:>10}{:>10}{:>12}{:>12}\n", "", "CPU ns/ev", "wall ns/ev", "M events/s", "busy others");
  report("decode only, one core", decode);
  report("engine without actors, one core", engine);
  report("pipeline, 1 worker, one core", one_core);
  report("pipeline, 1 worker, any core", one_worker);
  report("pipeline, 2 workers, any core", two_workers);
  fmt::print("stages of the engine without actors, CPU ns/event\n");
  report_stage("read and frame", engine, &pass::read);
  report_stage("decode", engine, &pass::decode);
  report_stage("count", engine, &stage_times::count);
  report_stage("roll up and judge", engine, &stage_times::judge);
  report_stage("commit (collect, encode)", engine, &stage_times::commit);
  fmt::print("  {:<32}{:>10.3f}\n", "active (key, tick) an event", engine.front().judged / engine.front().events);
  fmt::print("  {:<32}{:>10.1f}\n", "judge, ns an active (key, tick)",
             middle(engine, [](auto& p) { return p.stages.judge / p.judged; }));
  const auto by_cpu = [](const pass& p) { return p.cpu_per_event(); };
  const auto by_wall = [](const pass& p) { return p.wall_per_event(); };
  fmt::print("share of decode-only throughput on one core: {:.2f} without actors, {:.2f} pipeline\n",
             ratio(decode, engine, by_cpu), ratio(decode, one_core, by_cpu));
  fmt::print("speed-up: 2 workers over 1 worker {:.2f}, two cores over one core {:.2f} (wall)\n",
             ratio(one_worker, two_workers, by_wall), ratio(one_core, two_workers, by_wall));
  return 0;
}

} // namespace

} // namespace tocsin::bench

int main(int argc, char** argv) {
  if (argc < 3)
    tocsin::bench::give_up("usage: bench_throughput CONFIG FILE [ROUNDS]");
  return tocsin::bench::run(argv[1], argv[2], argc > 3 ? std::atoi(argv[3]) : 5);
}
