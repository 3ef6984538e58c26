#include "detectors/engine/world.hpp"
#include "tests/support/event_stream.hpp"
#include "tests/support/random_world.hpp"

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
       << ' ' << a.measured_value << ' ' << a.baseline_value << ' ' << a.expected_events << ' ' << a.interval_low << ' '
       << a.interval_high << ' ' << a.onset << ' ' << a.affected_viewers.value_or(-1) << " of "
       << a.parent_id.value_or("nobody") << ' ' << a.children_count << ' ' << a.reopen_count << ' '
       << name_of(a.status);
  for (const auto& child : a.children)
    line << ' ' << child;
  for (const auto& cause : a.contributors) {
    line << " |";
    for (const auto& value : cause.set)
      line << ' ' << value.dimension << '=' << value.value.value_or("(none)");
    line << ' ' << cause.excess << ' ' << cause.share << ' ' << cause.rate_without << ' ' << cause.score;
  }
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
  std::map<std::pair<partition_id, stream_offset>, journal_entry> journal; ///< the highest at an offset, as on disk
  std::vector<operator_action> actions;
  world_snapshot last;
  std::size_t alerts = 0;
  std::mt19937 random{7};

  void commit(world& engine, std::size_t alerts_so_far) {
    last = engine.take_commit();
    for (auto& record : last.state)
      if (record.bytes.empty())
        state.erase(record.key);
      else
        state[record.key] = record.bytes;
    for (const auto& entry : last.journal) {
      auto& held = journal.try_emplace({entry.partition, entry.offset}, entry).first->second;
      if (entry.watermark > held.watermark)
        held = entry;
    }
    actions.insert(actions.end(), last.actions.begin(), last.actions.end());
    alerts = alerts_so_far;
  }

  std::vector<journal_entry> journal_entries() const {
    std::vector<journal_entry> all;
    for (const auto& [place, entry] : journal)
      all.push_back(entry);
    return all;
  }

  std::unique_ptr<world> restart(const std::shared_ptr<const world_spec>& spec, std::size_t partitions) {
    auto from = last;
    from.rewinds.resize(partitions);
    from.journal = journal_entries();
    from.actions = actions;
    from.state.clear();
    for (const auto& [key, bytes] : state)
      from.state.push_back({key, bytes});
    std::shuffle(from.state.begin(), from.state.end(), random);
    std::shuffle(from.journal.begin(), from.journal.end(), random);
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

/// A daemon in short: reads inputs that grow while it is down, lets partitions go that are silent, treats their present
/// end as the end, commits and crashes, all at moments that the seed chooses.
class daemon {
public:
  daemon(std::shared_ptr<const world_spec> spec, const streams& partitions, std::uint32_t seed)
      : spec_(std::move(spec)), partitions_(partitions), dice_(seed), max_block_(seed % 3 == 0 ? 20 : 150),
        operator_(seed), commit_one_in_(seed % 5 == 0 ? 1 : 4), crash_one_in_(seed % 5 == 0 ? 2 : 9),
        visible_(partitions.size()), next_(partitions.size(), 0), furthest_(partitions.size(), 0),
        ended_(partitions.size(), false), engine_(std::make_unique<world>(spec_, partitions.size())) {
    grow();
  }

  /// The log of the whole run; the store keeps the journal.
  std::vector<std::string> run() {
    while (!finished())
      if (std::count(ended_.begin(), ended_.end(), false) == 0) {
        durable.commit(*engine_, log_.size());
        restart();
      } else {
        step(static_cast<partition_id>(dice_() % partitions_.size()));
      }
    durable.commit(*engine_, log_.size());
    return log_;
  }

  store durable;
  int restarts = 0;

private:
  bool finished() const {
    for (std::size_t p = 0; p < partitions_.size(); ++p)
      if (!ended_[p] || visible_[p] < partitions_[p].size())
        return false;
    return true;
  }

  void grow() {
    for (std::size_t p = 0; p < partitions_.size(); ++p)
      visible_[p] = std::min(partitions_[p].size(), visible_[p] + partitions_[p].size() / 8 + dice_() % 200);
  }

  void step(partition_id p) {
    const auto& events = partitions_[p];
    if (ended_[p])
      return;
    if (next_[p] == visible_[p]) {
      engine_->finish(p);
      ended_[p] = true;
    } else if (next_[p] > 0 && next_[p] == furthest_[p] && dice_() % 6 == 0) {
      const auto length = static_cast<std::uint32_t>(dice_() % 10 == 0 ? 90 * minute_ms : 2 * minute_ms);
      engine_->advance(p, newest(p) + static_cast<time_ms>(dice_() % length), journal_kind::idle);
    } else {
      const auto end = std::min(visible_[p], next_[p] + 1 + dice_() % max_block_);
      engine_->count(make_batch(*spec_, p, events, next_[p], end));
      next_[p] = end;
      furthest_[p] = std::max(furthest_[p], end);
    }
    append_lines(log_, engine_->take_alerts());
    if (operator_() % 8 == 0)
      operate();
    if (dice_() % commit_one_in_ == 0)
      durable.commit(*engine_, log_.size());
    if (restarts < 300 && dice_() % crash_one_in_ == 0)
      restart();
  }

  /// An operator excludes a range around the present, or accepts an open incident by its id or its key.
  void operate() {
    std::vector<std::pair<key_view, std::string>> open;
    std::vector<key_view> keys;
    for (const auto& shard : engine_->shards())
      shard.for_each_key([&](const key_view& view) {
        keys.push_back(view);
        for (const auto& [detector, id] : view.open)
          open.emplace_back(view, id);
      });
    if (keys.empty() || engine_->judged_through() <= beginning_of_time)
      return;
    operator_action action;
    action.kind = operator_() % 2 == 0 && !open.empty() ? action_kind::accept : action_kind::exclude;
    const auto& [of_open, id] = action.kind == action_kind::accept
                                    ? open[operator_() % open.size()]
                                    : std::pair(keys[operator_() % keys.size()], std::string());
    action.monitor = of_open.monitor;
    const bool by_id = action.kind == action_kind::accept && operator_() % 2 == 0;
    if (by_id)
      action.incident = id;
    else if (action.kind == action_kind::accept || operator_() % 3 > 0)
      for (const auto& d : of_open.key)
        action.key.emplace_back(d.dimension, d.value.value_or("(none)"));
    action.from = engine_->judged_through() - static_cast<time_ms>(operator_() % (20 * minute_ms));
    action.to = action.from + 1 + static_cast<time_ms>(operator_() % (30 * minute_ms));
    if (operator_() % 4 == 0)
      action.in_force = action.to; // announced
    engine_->obey(action);
  }

  /// Time of the last ordinary record that was read: what a wall clock would be near.
  time_ms newest(partition_id p) const {
    const auto& events = partitions_[p];
    auto times = std::vector<time_ms>();
    for (auto i = next_[p] < 9 ? 0 : next_[p] - 9; i < next_[p]; ++i)
      times.push_back(events[i].time);
    std::nth_element(times.begin(), times.begin() + static_cast<std::ptrdiff_t>(times.size() / 2), times.end());
    return times[times.size() / 2];
  }

  void restart() {
    ++restarts;
    log_.resize(durable.alerts);
    engine_ = durable.restart(spec_, partitions_.size());
    for (std::size_t p = 0; p < partitions_.size(); ++p)
      next_[p] = p < durable.last.rewinds.size() ? static_cast<std::size_t>(durable.last.rewinds[p].offset) / 10 : 0;
    ended_.assign(partitions_.size(), false);
    grow();
  }

  std::shared_ptr<const world_spec> spec_;
  const streams& partitions_;
  std::mt19937 dice_;
  std::size_t max_block_;
  std::mt19937 operator_;
  std::uint32_t commit_one_in_;
  std::uint32_t crash_one_in_;
  std::vector<std::size_t> visible_; ///< so much of each partition is written
  std::vector<std::size_t> next_;
  std::vector<std::size_t> furthest_; ///< nobody is let go before what was read once is read again
  std::vector<bool> ended_;
  std::unique_ptr<world> engine_;
  std::vector<std::string> log_;
};

/// The log of records and journal, without a crash.
std::vector<std::string> replay(const std::shared_ptr<const world_spec>& spec, const streams& partitions,
                                const std::vector<journal_entry>& journal, std::uint32_t seed,
                                const std::vector<operator_action>& actions = {}) {
  world_snapshot from;
  from.rewinds.resize(partitions.size());
  from.journal = journal;
  from.actions = actions;
  bool begun = false;
  return run(spec, partitions, seed, 300, [&](auto& engine, auto&, auto&, auto&) {
    if (!std::exchange(begun, true))
      engine = std::make_unique<world>(spec, partitions.size(), from);
  });
}

/// One to three partitions, up to five minutes apart, of a sparse, a dense or a many-keyed kind.
streams random_streams(std::uint32_t seed) {
  streams partitions;
  for (std::uint32_t p = 0; p <= seed % 3; ++p) {
    stream_options options;
    options.seed = seed * 10 + p;
    options.events = 600;
    options.dimensions = 3;
    options.values = seed % 2 == 0 ? 4 : 30;
    options.mean_gap = seed % 7 == 0 ? 20'000 : 1500;
    options.start += p * 100 * second_ms;
    partitions.push_back(random_stream(options));
  }
  return partitions;
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
  for (std::uint32_t seed = 1; seed <= 12; ++seed) {
    auto world = two_monitor_world(2);
    world.settle = seed % 3 == 0 ? 10 * minute_ms : 0;
    const auto spec = shared(std::move(world));
    stream_options a, b;
    a.seed = seed;
    b.seed = seed + 100;
    a.events = b.events = 2500;
    if (seed % 4 == 0) // days, so that volume_drop has something to say
      a.mean_gap = b.mean_gap = 2 * minute_ms;
    const streams partitions{random_stream(a), random_stream(b)};
    const auto reference = run_straight(spec, partitions, seed, 50);
    int crashes = 0;
    const auto log = run_with_crashes(spec, partitions, seed, 200, crashes);
    CHECK(first_difference(log, reference) == "");
    CHECK(crashes > 1);
    CHECK(!reference.empty());
    const auto of_volume = std::count_if(reference.begin(), reference.end(), [](const std::string& line) {
      return line.find(" volume_drop ") != std::string::npos;
    });
    CHECK((seed % 4 != 0 || of_volume > 5));
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

TEST_CASE("any world, however its day went, logs what its records and its journal say") {
  std::size_t alerts = 0, entries = 0, actions = 0, without_actions = 0;
  int restarts = 0;
  for (std::uint32_t seed = 1; seed <= 120; ++seed) {
    CAPTURE(seed);
    const auto spec = shared(random_world(seed));
    const auto partitions = random_streams(seed);
    daemon live(spec, partitions, seed);
    const auto log = live.run();
    const auto journal = live.durable.journal_entries();
    CHECK(first_difference(log, replay(spec, partitions, journal, seed, live.durable.actions)) == "");
    without_actions += log != replay(spec, partitions, journal, seed);
    actions += live.durable.actions.size();
    alerts += log.size();
    entries += journal.size();
    restarts += live.restarts;
  }
  CHECK(alerts > 1000);
  CHECK(entries > 400);
  CHECK(restarts > 1000);
  CHECK(actions > 1000);
  CHECK(without_actions > 10); // they do have an effect
  MESSAGE(alerts << " alerts, " << entries << " journal entries, " << actions << " operators' actions, " << restarts
                 << " restarts; without the actions " << without_actions << " logs would differ");
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
