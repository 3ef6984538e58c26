// What a commit to SQLite costs with 1e4 and 1e6 active keys: bytes of state, bytes written to the disk, time.
// Usage: bench_commit CONFIG DIRECTORY [ROUNDS]. Each key had one event since the last commit.
#include "bench/support/cpu.hpp"
#include "bench/support/process.hpp"
#include "bench/support/staged_engine.hpp"
#include "bench/support/views.hpp"
#include "io/decoder.hpp"
#include "io/sqlite/sqlite_state_store.hpp"

#include <fmt/format.h>

#include <cstdlib>
#include <filesystem>
#include <memory>
#include <vector>

namespace tocsin::bench {

namespace {

struct commit_cost {
  std::vector<double> keys, encode, state, disk, cpu, wall;
};

void measure(const std::string& config_file, const std::string& directory, std::uint64_t keys, int rounds) {
  const auto config = load_or_exit(config_file, 2 * keys);
  staged_engine engine(std::make_shared<const world_spec>(config.world));
  const auto decoder = io::make_decoder(config.decode);
  view_maker views(keys);
  const auto path = std::filesystem::path(directory) / ("commit_" + std::to_string(keys) + ".db");
  for (const char* suffix : {"", "-wal", "-shm", ".lock"})
    std::filesystem::remove(path.string() + suffix);
  io::sqlite_state_store store(path);
  value_or_exit(store.open({config.world.fingerprint, {config.world.monitors.front().name}, {"bench"}}));
  commit_cost cost;
  io::raw_block block;
  event_batch batch;
  for (int round = 0; round <= rounds; ++round) {
    views.make(170'000'000 + 2 * round, keys, false, block);
    decoder->decode(block, batch);
    engine.count(batch);
    // An event of the next tick closes this one.
    views.make(170'000'001 + 2 * round, 1, true, block);
    decoder->decode(block, batch);
    for (auto& one : batch.events)
      one.time += 8 * second_ms;
    engine.count(batch);
    const auto encoded = engine.times().commit;
    const auto commit = engine.commit();
    const auto disk = written_bytes();
    const stopwatch watch;
    if (const auto done = store.commit(commit); !done)
      give_up(done.failure().message);
    if (round == 0) // all keys are new, the file grows
      continue;
    cost.cpu.push_back(watch.cpu_ns());
    cost.wall.push_back(watch.wall());
    cost.disk.push_back(written_bytes() - disk);
    cost.encode.push_back(engine.times().commit - encoded);
    double bytes = 0;
    for (const auto& record : commit.state)
      bytes += static_cast<double>(record.key.size() + record.bytes.size());
    cost.state.push_back(bytes);
    cost.keys.push_back(static_cast<double>(commit.state.size()));
  }
  const auto records = median(cost.keys);
  fmt::print("{:>10}{:>10.0f}{:>12.2f}{:>12.0f}{:>12.2f}{:>12.0f}{:>14.0f}{:>14.0f}{:>10.0f}\n", keys, records,
             median(cost.state) / 1e6, median(cost.state) / records, median(cost.disk) / 1e6,
             median(cost.disk) / records, median(cost.encode) / records, median(cost.cpu) / records,
             median(cost.wall) / 1e6);
}

} // namespace

} // namespace tocsin::bench

int main(int argc, char** argv) {
  if (argc < 3)
    tocsin::bench::give_up("usage: bench_commit CONFIG DIRECTORY [ROUNDS]");
  const int rounds = argc > 3 ? std::atoi(argv[3]) : 5;
  fmt::print("{} commits, medians\n", rounds);
  fmt::print("{:>10}{:>10}{:>12}{:>12}{:>12}{:>12}{:>14}{:>14}{:>10}\n", "leaf keys", "records", "state MB", "B/record",
             "disk MB", "B/record", "encode ns/rec", "SQLite ns/rec", "wall ms");
  for (const std::uint64_t keys : std::vector<std::uint64_t>{10'000, 1'000'000})
    tocsin::bench::measure(argv[1], argv[2], keys, rounds);
}
