// The detector alone, driven tick by tick without the engine: in the steady state a tick allocates nothing.

#include "detectors/judging/sr_mixture/detector.hpp"
#include "tests/support/weighted_world.hpp"

#include <doctest/doctest.h>

#include <atomic>
#include <cstdlib>
#include <new>

namespace {

std::atomic<std::uint64_t> allocations{0};

} // namespace

// Counts for the whole test program; the test below compares. Sanitizers bring an allocator of their own: nothing is
// counted under them.
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
void* operator new(std::size_t size) {
  ++allocations;
  if (auto* memory = std::malloc(size == 0 ? 1 : size))
    return memory;
  throw std::bad_alloc();
}
void operator delete(void* memory) noexcept {
  std::free(memory);
}
void operator delete(void* memory, std::size_t) noexcept {
  std::free(memory);
}
#endif

using namespace tocsin;
using namespace tocsin::test;

namespace {

struct no_judge final : judge {
  bool say(verdict&&) override { return false; }
  void counted(const key_counts&) override {}
  void changed(key_slot) override {}
  void remind(tick_index tick, key_slot slot) override { reminders.emplace_back(tick, slot); }
  bool is_open(key_slot) const override { return false; }
  std::vector<std::pair<tick_index, key_slot>> reminders;
};

} // namespace

TEST_CASE("a thousand ticks of warm keys allocate nothing, through hours and a midnight") {
  auto spec = sr_mixture_world(1, 60 * second_ms);
  const auto& monitor = spec.monitors[0];
  keyed_state keys(monitor);
  sr_mixture::detector detector(monitor, std::get<sr_mixture_spec>(monitor.detectors[0].settings), keys);
  no_judge judge;
  constexpr int children = 200;
  constexpr int warm = 3 * 1440;
  const auto first = tick_of(noon, minute_ms);
  closed_tick tick;
  tick.levels.resize(2);
  std::mt19937_64 random(1);
  std::vector<key_slot> slots;
  std::uint64_t before = 0;
  const std::vector<key_slot> nobody;
  for (int i = 0; i < warm + 1000; ++i) {
    if (i == warm)
      before = allocations;
    tick.tick = first + i;
    tick.created.clear();
    for (int k = 0; i == 0 && k <= children; ++k) {
      bool is_new = false;
      std::string bytes(1, k == 0 ? '\0' : '\1');
      if (k > 0)
        append_text(bytes, "k" + std::to_string(k));
      slots.push_back(keys.touch(hash_key(bytes), bytes, k == 0 ? 0 : 1, k == 0 ? no_slot : slots[0], first, is_new));
      tick.created.push_back(slots.back());
      detector.resize(keys.slots());
    }
    for (auto& level : tick.levels)
      level.clear();
    tick.levels[0].push_back({slots[0], 0, 0, 0, 0, 0});
    for (std::size_t k = 1; k < slots.size(); ++k) {
      const auto failed = static_cast<std::int64_t>(random() % 50 == 0);
      tick.levels[1].push_back({slots[k], 0, 10, failed, failed, 0});
      tick.levels[0][0].total += 10;
      tick.levels[0][0].failed += failed;
      tick.levels[0][0].capped += failed;
    }
    detector.advance(tick);
    std::vector<key_slot> due;
    if (!judge.reminders.empty() && tick.tick >= judge.reminders.front().first) {
      for (const auto& [when, slot] : std::exchange(judge.reminders, {}))
        due.push_back(slot);
    }
    detector.step(tick, due, judge);
  }
  CHECK(allocations - before == 0);
  CHECK(judge.reminders.empty());
  // What a key costs: its sparse state, and beyond that only those that have learned enough.
  CHECK(static_cast<double>(detector.memory_bytes()) / (children + 1) < 192 + 448 + 600);
}

TEST_CASE("the record of a key stays small") {
  const auto spec = std::make_shared<const world_spec>(sr_mixture_world(1, 10 * second_ms));
  world engine(spec, 1);
  std::vector<test_event> events;
  for (int i = 0; i < 20'000; ++i)
    events.push_back({noon + i * second_ms, {"key" + std::to_string(i % 500)}, 1, i % 100 == 0 ? 1 : 0, {}});
  engine.count(make_batch(*spec, 0, events, 0, events.size()));
  engine.finish(0);
  std::size_t bytes = 0, largest = 0, records = 0;
  for (const auto& record : engine.take_commit().state) {
    if (record.key[0] != 'k')
      continue;
    ++records;
    bytes += record.bytes.size();
    largest = std::max(largest, record.bytes.size());
  }
  CHECK(records == 501);
  const auto mean = bytes / records;
  CHECK(mean < 260);
  CHECK(largest < 4096); // the root, with its week
  MESSAGE(mean << " bytes a record, " << largest << " of the root");
}
