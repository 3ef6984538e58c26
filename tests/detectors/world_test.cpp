#include "detectors/engine/world.hpp"
#include "tests/support/event_stream.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <map>
#include <numeric>
#include <random>
#include <sstream>

using namespace tocsin;
using namespace tocsin::test;

namespace {

/// An alert as one comparable line: everything that the log shows.
std::string line_of(const alert& a) {
  std::ostringstream line;
  line.precision(17);
  line << a.tick << ' ' << a.monitor << ' ' << a.detector << ' ' << a.id << ' ' << a.revision << ' ' << name_of(a.kind)
       << ' ' << name_of(a.level_of_harm) << ' ' << a.sample_size << ' ' << a.failures << ' ' << a.expected_failures
       << ' ' << a.interval_low << ' ' << a.interval_high << ' ' << a.onset << ' ' << a.affected_viewers.value_or(-1);
  for (const auto& d : a.key)
    line << ' ' << d.dimension << '=' << d.value.value_or("null");
  for (const auto& [name, value] : a.model)
    line << ' ' << name << '=' << value;
  for (const auto& [partition, offset] : a.source_offsets)
    line << ' ' << partition << '@' << offset;
  return line.str();
}

void append_lines(std::vector<std::string>& log, const std::vector<alert>& alerts) {
  for (const auto& a : alerts)
    log.push_back(line_of(a));
}

/// Empty if the logs are equal.
std::string first_difference(const std::vector<std::string>& log, const std::vector<std::string>& reference) {
  for (std::size_t i = 0; i < std::max(log.size(), reference.size()); ++i) {
    const auto& left = i < log.size() ? log[i] : "(end)";
    const auto& right = i < reference.size() ? reference[i] : "(end)";
    if (left != right)
      return "line " + std::to_string(i) + ": " + left + "\ninstead of " + right;
  }
  return {};
}

using streams = std::vector<std::vector<test_event>>;

/// Feeds the partitions in turns of a random size; the schedule depends on the seed alone.
template <class BeforeBlock>
std::vector<std::string> run(const std::shared_ptr<const world_spec>& spec, const streams& partitions,
                             std::uint32_t seed, std::size_t max_block, BeforeBlock&& before_block) {
  std::mt19937 random(seed);
  auto engine = std::make_unique<world>(spec, partitions.size());
  std::vector<std::size_t> next(partitions.size(), 0);
  std::vector<bool> ended(partitions.size(), false);
  std::vector<std::string> log;
  while (std::count(ended.begin(), ended.end(), false) > 0) {
    before_block(engine, next, ended, log);
    const auto p = random() % partitions.size();
    if (ended[p])
      continue;
    if (next[p] == partitions[p].size()) {
      engine->finish(static_cast<partition_id>(p));
      ended[p] = true;
    } else {
      const auto end = std::min(partitions[p].size(), next[p] + 1 + random() % max_block);
      engine->count(make_batch(*spec, static_cast<partition_id>(p), partitions[p], next[p], end));
      next[p] = end;
    }
    append_lines(log, engine->take_alerts());
  }
  return log;
}

std::vector<std::string> run_straight(const std::shared_ptr<const world_spec>& spec, const streams& partitions,
                                      std::uint32_t seed, std::size_t max_block) {
  return run(spec, partitions, seed, max_block, [](auto&, auto&, auto&, auto&) {});
}

/// A durable store in a test's hands: applies commits, restarts worlds, in shuffled order.
struct store {
  std::map<std::string, std::string> state;
  world_snapshot last;
  std::size_t alerts = 0;
  std::mt19937 random{7};

  void commit(world& engine, std::size_t alerts_so_far) {
    auto next = engine.take_commit();
    for (auto& record : next.state)
      if (record.bytes.empty())
        state.erase(record.key);
      else
        state[record.key] = record.bytes;
    auto journal = std::move(last.journal);
    journal.insert(journal.end(), next.journal.begin(), next.journal.end());
    last = std::move(next);
    last.journal = std::move(journal);
    alerts = alerts_so_far;
  }

  std::unique_ptr<world> restart(const std::shared_ptr<const world_spec>& spec, std::size_t partitions) {
    auto from = last;
    from.rewinds.resize(partitions);
    from.state.clear();
    for (const auto& [key, bytes] : state)
      from.state.push_back({key, bytes});
    std::shuffle(from.state.begin(), from.state.end(), random);
    auto engine = std::make_unique<world>(spec, partitions, from);
    REQUIRE_MESSAGE(!engine->error(), *engine->error());
    return engine;
  }
};

/// Commits and crashes at random moments; after a crash the records are read again from the rewind points.
std::vector<std::string> run_with_crashes(const std::shared_ptr<const world_spec>& spec, const streams& partitions,
                                          std::uint32_t seed, std::size_t max_block, int& crashes) {
  store durable;
  std::mt19937 dice(seed + 1000);
  return run(spec, partitions, seed, max_block, [&](auto& engine, auto& next, auto& ended, auto& log) {
    if (dice() % 5 == 0)
      durable.commit(*engine, log.size());
    if (dice() % 9 != 0)
      return;
    ++crashes;
    log.resize(durable.alerts);
    engine = durable.restart(spec, partitions.size());
    for (std::size_t p = 0; p < partitions.size(); ++p) {
      next[p] = p < durable.last.rewinds.size() ? static_cast<std::size_t>(durable.last.rewinds[p].offset) / 10 : 0;
      ended[p] = false;
    }
  });
}

std::shared_ptr<const world_spec> shared(world_spec spec) {
  return std::make_shared<const world_spec>(std::move(spec));
}

} // namespace

TEST_CASE("the alert log does not depend on block sizes nor on the order in which partitions are read") {
  const auto spec = shared(two_monitor_world(3));
  stream_options a, b;
  a.dimensions = b.dimensions = 3;
  b.seed = 2;
  b.start += 3 * minute_ms;
  const streams partitions{random_stream(a), random_stream(b)};
  const auto reference = run_straight(spec, partitions, 1, 1);
  CHECK(reference.size() > 20);
  for (const std::uint32_t seed : {2u, 3u, 4u})
    for (const std::size_t block : {1u, 17u, 400u, 100000u})
      CHECK(run_straight(spec, partitions, seed, block) == reference);
}

TEST_CASE("a world that crashes anywhere and restarts from its last commit gives the same log") {
  const auto spec = shared(two_monitor_world(2));
  for (std::uint32_t seed = 1; seed <= 12; ++seed) {
    stream_options a, b;
    a.seed = seed;
    b.seed = seed + 100;
    a.events = b.events = 2500;
    const streams partitions{random_stream(a), random_stream(b)};
    const auto reference = run_straight(spec, partitions, seed, 50);
    int crashes = 0;
    const auto log = run_with_crashes(spec, partitions, seed, 200, crashes);
    CHECK(first_difference(log, reference) == "");
    CHECK(crashes > 1);
    CHECK(!reference.empty());
  }
}

TEST_CASE("the log survives crashes at ten times the capacity, too") {
  auto spec = two_monitor_world(3);
  for (auto& monitor : spec.monitors) {
    monitor.capacity.max_keys = monitor.scope_size == 0 ? 24 : 24 * shard_count;
    monitor.capacity.max_scopes = monitor.scope_size == 0 ? 1 : 4 * shard_count;
    monitor.capacity.max_leaf_cells = 60;
  }
  const auto small = shared(spec);
  for (std::uint32_t seed = 1; seed <= 6; ++seed) {
    stream_options options;
    options.seed = seed;
    options.events = 3000;
    options.dimensions = 3;
    options.values = 120;
    options.mean_gap = 100;
    const streams partitions{random_stream(options)};
    const auto reference = run_straight(small, partitions, seed, 50);
    int crashes = 0;
    CHECK(first_difference(run_with_crashes(small, partitions, seed, 60, crashes), reference) == "");
    CHECK(crashes > 1);
    world engine(small, 1);
    engine.count(make_batch(*small, 0, partitions[0], 0, partitions[0].size()));
    engine.finish(0);
    CHECK(engine.state_stats().keys_evicted > 500);
    CHECK(engine.stats().pooled > 0);
  }
}

TEST_CASE("without the rewind, or without the state, a crash shows in the log") {
  // The test above has teeth: each of these faults changes some log.
  const auto spec = shared(two_monitor_world(2));
  int without_rewind = 0, without_state = 0;
  for (std::uint32_t seed = 1; seed <= 6; ++seed) {
    stream_options options;
    options.seed = seed;
    options.events = 2500;
    const streams partitions{random_stream(options)};
    const auto reference = run_straight(spec, partitions, seed, 50);
    for (const bool forget_state : {false, true}) {
      store durable;
      std::size_t blocks = 0;
      const auto log = run(spec, partitions, seed, 200, [&](auto& engine, auto& next, auto& ended, auto& log_so_far) {
        if (++blocks != 9)
          return;
        durable.commit(*engine, log_so_far.size());
        if (forget_state)
          durable.state.clear();
        engine = durable.restart(spec, 1);
        if (forget_state)
          next[0] = static_cast<std::size_t>(durable.last.rewinds[0].offset) / 10;
        ended[0] = false;
      });
      (forget_state ? without_state : without_rewind) += log != reference;
    }
  }
  CHECK(without_rewind > 0);
  CHECK(without_state > 0);
}

TEST_CASE("a committed journal and the records give the log of the run that wrote it") {
  const auto spec = shared(two_monitor_world(2));
  stream_options options;
  options.weird = false;
  options.events = 2000;
  const auto events = random_stream(options);

  world live(spec, 1);
  std::vector<std::string> log;
  world_snapshot all;
  for (std::size_t i = 0; i < events.size(); i += 250) {
    live.count(make_batch(*spec, 0, events, i, i + 250));
    live.advance(0, events[i + 249].time + 40 * second_ms, journal_kind::idle);
    append_lines(log, live.take_alerts());
    const auto commit = live.take_commit();
    all.journal.insert(all.journal.end(), commit.journal.begin(), commit.journal.end());
  }
  live.finish(0);
  append_lines(log, live.take_alerts());
  CHECK(all.journal.size() == 8);

  world_snapshot from;
  from.rewinds.resize(1);
  const auto replay = [&](std::size_t block) {
    world again(spec, 1, from);
    for (std::size_t i = 0; i < events.size(); i += block)
      again.count(make_batch(*spec, 0, events, i, std::min(events.size(), i + block)));
    again.finish(0);
    std::vector<std::string> replayed;
    append_lines(replayed, again.take_alerts());
    return replayed;
  };
  CHECK(replay(333) != log);
  from.journal = all.journal;
  CHECK(replay(333) == log);
  CHECK(replay(1) == log);
}

TEST_CASE("damaged, foreign and newer state is refused") {
  const auto spec = shared(two_monitor_world(2));
  stream_options options;
  options.events = 1500;
  const auto events = random_stream(options);
  world engine(spec, 1);
  engine.count(make_batch(*spec, 0, events, 0, events.size()));
  const auto good = engine.take_commit();
  REQUIRE(good.state.size() > 10);
  const auto error_of = [&](const world_snapshot& from) { return world(spec, 1, from).error(); };
  CHECK_FALSE(error_of(good));
  for (std::size_t i = 0; i < good.state.size(); i += 7) {
    auto bad = good;
    auto& bytes = bad.state[i].bytes;
    bytes[bytes.size() / 2] = static_cast<char>(bytes[bytes.size() / 2] ^ 1);
    CHECK(error_of(bad));
    bad = good;
    bad.state[i].key.resize(2);
    CHECK(error_of(bad));
    bad = good;
    bad.state[i].key[2] = 9;
    CHECK(error_of(bad));
    bad = good;
    bad.state.push_back(bad.state[i]);
    if (bad.state[i].key[0] == 'k')
      CHECK(error_of(bad));
  }
}
