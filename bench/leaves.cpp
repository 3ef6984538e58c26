// What the past of leaf cells costs when every leaf is active all the time and every bucket of the ring is full: bytes
// a leaf (as counted by the engine, and resident), and commits of it to SQLite. Usage: bench_leaves LEAVES DIRECTORY.
#include "bench/support/cpu.hpp"
#include "bench/support/process.hpp"
#include "bench/support/views.hpp"
#include "detectors/incidents/leaf_history.hpp"
#include "detectors/judging/keyed_state.hpp"
#include "io/sqlite/sqlite_state_store.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace tocsin::bench {

namespace {

constexpr tick_index ticks_an_hour = 360, ticks_a_minute = 6;
constexpr tick_index start = 1'000 * ticks_an_hour;

/// Titles in cdns: every leaf has 20 events a tick, one in a hundred of which fails.
tick_slice all_leaves(std::size_t leaves, const std::string& name) {
  tick_slice slice;
  const auto shard = shard_of("");
  for (std::size_t i = 0; i < leaves; ++i) {
    leaf_cell cell;
    cell.key_begin = static_cast<std::uint32_t>(slice.key_bytes.size());
    append_text(slice.key_bytes, name + std::to_string(i));
    append_text(slice.key_bytes, "cdn" + std::to_string(i % 3));
    cell.key_size = static_cast<std::uint16_t>(slice.key_bytes.size() - cell.key_begin);
    cell.leaf = hash_key(std::string_view(slice.key_bytes).substr(cell.key_begin));
    cell.total = 20;
    cell.failed = i % 5 == 0 ? 1 : 0;
    cell.shard = shard;
    slice.cells.push_back(cell);
  }
  for (auto s = shard + 1; s <= shard_count; ++s)
    slice.shard_begin[s] = static_cast<std::uint32_t>(leaves);
  return slice;
}

class filled_ring {
public:
  explicit filled_ring(std::size_t leaves) : slice_(all_leaves(leaves, "title")), others_(all_leaves(leaves, "new")) {
    monitor_.dimensions = {"title", "cdn"};
    monitor_.capacity.max_leaves = leaves;
    before_ = resident_bytes();
    history_ = std::make_unique<leaf_history>(monitor_, shard_of(""));
  }
  void tick(tick_index at) {
    history_->begin(at, [](std::string_view) { return false; });
    history_->add(slice_);
    history_->finish();
    ++ticks_;
  }
  /// A tick in which as many other leaves are active.
  void flood(tick_index at) {
    std::swap(slice_, others_);
    tick(at);
    std::swap(slice_, others_);
  }
  /// Two days. A tick is enough to fill a bucket, so hours and minutes that will be merged get one.
  void fill() {
    const auto end = start + 49 * ticks_an_hour;
    for (auto at = start; at < end - 2 * ticks_an_hour; at += ticks_an_hour)
      tick(at);
    for (auto at = end - 2 * ticks_an_hour; at < end - ticks_a_minute * 6; at += ticks_a_minute)
      tick(at);
    for (auto at = end - ticks_a_minute * 6; at < end; ++at)
      tick(at);
    now_ = end;
  }
  tick_index now() const { return now_; }
  int ticks() const { return ticks_; }
  const leaf_history& history() const { return *history_; }
  double resident() const { return resident_bytes() - before_; }
  io::commit_batch commit() {
    io::commit_batch out;
    history_->save_changes([&](char kind, std::string_view rest, std::string bytes) {
      out.state.push_back({std::string(1, kind) + std::string(rest), std::move(bytes)});
    });
    return out;
  }

private:
  monitor_spec monitor_;
  tick_slice slice_, others_;
  double before_ = 0;
  std::unique_ptr<leaf_history> history_;
  tick_index now_ = 0;
  int ticks_ = 0;
};

void commit(const char* what, filled_ring& ring, io::sqlite_state_store& store) {
  const stopwatch encoding;
  const auto batch = ring.commit();
  const auto encode = encoding.cpu_ns() / 1e6;
  double bytes = 0;
  for (const auto& record : batch.state)
    bytes += static_cast<double>(record.key.size() + record.bytes.size());
  const auto disk = written_bytes();
  const stopwatch writing;
  if (const auto done = store.commit(batch); !done)
    give_up(done.failure().message);
  fmt::print("{:>32}{:>10}{:>12.2f}{:>12.2f}{:>12.1f}{:>12.1f}{:>12.1f}\n", what, batch.state.size(), bytes / 1e6,
             (written_bytes() - disk) / 1e6, encode, writing.cpu_ns() / 1e6, writing.wall() / 1e6);
}

void run(std::size_t leaves, const std::string& directory) {
  filled_ring ring(leaves);
  const stopwatch filling;
  ring.fill();
  const auto n = static_cast<double>(leaves);
  fmt::print("{} leaves, ring full: {:.0f} bytes a leaf counted, {:.0f} resident; {:.0f} ns a leaf and tick\n", leaves,
             static_cast<double>(ring.history().memory_bytes()) / n, ring.resident() / n,
             filling.cpu_ns() / n / ring.ticks());

  const auto path = std::filesystem::path(directory) / ("leaves_" + std::to_string(leaves) + ".db");
  for (const char* suffix : {"", "-wal", "-shm", ".lock"})
    std::filesystem::remove(path.string() + suffix);
  io::sqlite_state_store store(path);
  value_or_exit(store.open({"bench", {"m"}, {"bench"}}));
  fmt::print("{:>32}{:>10}{:>12}{:>12}{:>12}{:>12}{:>12}\n", "commit", "records", "state MB", "disk MB", "encode ms",
             "SQLite ms", "wall ms");
  commit("everything", ring, store);
  auto at = ring.now();
  ring.tick(at);
  commit("the first tick of an hour", ring, store);
  ring.tick(++at);
  commit("a tick", ring, store);
  while (++at % ticks_a_minute != 0)
    ring.tick(at);
  commit("the ticks until a minute ends", ring, store);
  ring.tick(at);
  commit("the first tick of a minute", ring, store);
  ring.flood(++at);
  fmt::print("after a tick of as many new leaves: {} leaves, {:.0f} bytes a leaf counted, {:.0f} resident\n",
             ring.history().size(), static_cast<double>(ring.history().memory_bytes()) / n, ring.resident() / n);
}

} // namespace

} // namespace tocsin::bench

int main(int argc, char** argv) {
  if (argc < 3)
    tocsin::bench::give_up("usage: bench_leaves LEAVES DIRECTORY");
  tocsin::bench::run(static_cast<std::size_t>(std::max(1, std::atoi(argv[1]))), argv[2]);
}
