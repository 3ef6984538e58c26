#include "detectors/incidents/leaf_history.hpp"
#include "detectors/judging/keyed_state.hpp"

#include <doctest/doctest.h>

#include <chrono>
#include <map>
#include <memory>
#include <optional>
#include <random>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

using namespace tocsin;

namespace {

constexpr tick_index ticks_an_hour = 360;
constexpr tick_index start = 1000 * ticks_an_hour; ///< the begin of an hour

struct counts {
  std::vector<std::string> values;
  std::int64_t total = 0;
  std::int64_t failed = 0;
};

std::string encoded(const std::string& value) {
  std::string out;
  append_text(out, value);
  return out;
}

value_set set_of(const std::vector<std::pair<std::uint32_t, std::string>>& values) {
  value_set out;
  for (const auto& [dimension, value] : values)
    out.values.emplace_back(dimension, encoded(value));
  return out;
}

/// A history of monitor dimensions (cdn, country), without scope unless told.
class past {
public:
  explicit past(std::uint64_t max_leaves = 1000, std::uint32_t scope_size = 0) {
    monitor.dimensions = {"cdn", "country"};
    monitor.scope_size = scope_size;
    monitor.capacity.max_leaves = scope_size == 0 ? max_leaves : max_leaves * shard_count;
    shard = scope_size == 0 ? shard_of("") : shard_of(encoded("a"));
    history = std::make_unique<leaf_history>(monitor, shard);
  }

  void tick(tick_index at, const std::vector<counts>& cells) {
    tick_slice slice;
    slice.tick = at;
    for (const auto& cell : cells) {
      leaf_cell one;
      one.key_begin = static_cast<std::uint32_t>(slice.key_bytes.size());
      for (std::size_t d = 0; d < cell.values.size(); ++d) {
        slice.key_bytes += encoded(cell.values[d]);
        if (d + 1 == monitor.scope_size)
          one.scope_size = static_cast<std::uint16_t>(slice.key_bytes.size() - one.key_begin);
      }
      one.key_size = static_cast<std::uint16_t>(slice.key_bytes.size() - one.key_begin);
      one.leaf = hash_key(std::string_view(slice.key_bytes).substr(one.key_begin));
      one.total = cell.total;
      one.failed = cell.failed;
      one.shard = shard;
      slice.cells.push_back(one);
    }
    for (std::size_t s = shard + 1; s <= shard_count; ++s)
      slice.shard_begin[s] = static_cast<std::uint32_t>(cells.size());
    history->begin(at, [this](std::string_view) { return is_open; });
    history->add(slice);
    history->finish();
  }

  /// What a restart would begin with.
  void commit() {
    history->save_changes([this](char kind, std::string_view rest, std::string bytes) {
      ++written;
      if (bytes.empty())
        stored.erase({kind, std::string(rest)});
      else
        stored[{kind, std::string(rest)}] = std::move(bytes);
    });
  }
  void restart(tick_index last) {
    history = std::make_unique<leaf_history>(monitor, shard);
    for (const auto& [key, bytes] : stored)
      REQUIRE(history->load(key.first, key.second, bytes).value_or("") == "");
    REQUIRE(history->finish_restore(last).value_or("") == "");
  }

  leaf_sums sums(tick_index onset, const value_set& of = {}) const { return history->sums(root, of, {}, onset); }

  monitor_spec monitor;
  std::uint32_t shard = 0;
  std::string root = std::string(1, '\0');
  bool is_open = false;
  std::unique_ptr<leaf_history> history;
  std::map<std::pair<char, std::string>, std::string> stored;
  std::size_t written = 0;
};

} // namespace

TEST_CASE("sums since an onset: to the tick in the last minutes, then to the minute, then to the hour") {
  past all;
  const auto last = start + 3 * ticks_an_hour;
  for (auto at = start; at <= last; ++at)
    all.tick(at, {{{"a", "DE"}, 10, 1}, {{"b", "DE"}, 1, 0}});
  const auto events = [&](tick_index onset) { return all.sums(onset, set_of({{0, "a"}})).total / 10; };
  CHECK(events(last) == 1);
  CHECK(events(last - 30) == 31);
  CHECK(events(last - 40) == 43);                         // begins within a minute, which counts as a whole
  CHECK(events(last - ticks_an_hour + 5) == 361);         // the same
  CHECK(events(start + 10) == last - start + 1);          // the same with an hour
  CHECK(all.sums(last, set_of({{1, "DE"}})).total == 11); // both leaves
  CHECK(all.sums(last, set_of({{1, "FR"}})).total == 0);
  CHECK(all.history->sums(all.root, set_of({{0, "a"}}), set_of({{0, "b"}}), last).total == 0);
  CHECK(all.history->sums(std::string("\0other", 6), {}, {}, last).total == 0);
}

TEST_CASE("what was before the onset is expected, from the first minutes on") {
  past all;
  for (auto at = start; at < start + 60; ++at)
    all.tick(at, {{{"a", "DE"}, 1000, 50}, {{"b", "DE"}, 1000, 10}});
  all.tick(start + 60, {{{"a", "DE"}, 1000, 400}, {{"b", "DE"}, 1000, 10}});
  const auto now = all.sums(start + 60, set_of({{0, "a"}}));
  CHECK(now.failed == 400);
  CHECK(now.expected == doctest::Approx(50).epsilon(0.01));
  const auto causes = all.history->causes(all.root, {}, start + 60);
  REQUIRE(causes.size() == 1);
  CHECK(causes[0].set == set_of({{0, "a"}}));
  CHECK(causes[0].excess == doctest::Approx(350).epsilon(0.01));
  CHECK(causes[0].share == doctest::Approx(1).epsilon(0.01));
  CHECK(causes[0].rate_without == doctest::Approx(0.01));
}

TEST_CASE("the baseline is taught an hour later, halves in a day, and never from an incident") {
  past all;
  const auto feed = [&](tick_index from, tick_index to, std::int64_t failed) {
    for (auto at = from; at < to; at += 6)
      all.tick(at, {{{"a", "DE"}, 1000, failed}, {{"b", "DE"}, 1000, 10}});
  };
  const auto hour = [](tick_index n) { return start + n * ticks_an_hour; };
  const auto expected = [&](tick_index onset) {
    const auto sums = all.sums(onset, set_of({{0, "a"}}));
    return sums.expected / static_cast<double>(sums.total);
  };
  feed(hour(0), hour(2), 10);
  // An incident in hours 2 to 4: nothing of it is ever expected afterwards.
  all.is_open = true;
  feed(hour(2), hour(4), 500);
  CHECK(expected(hour(2)) == doctest::Approx(0.01).epsilon(0.01));
  all.is_open = false;
  all.history->ended("", hour(4) - 6);
  feed(hour(4), hour(9), 20);
  // Hours 0 and 1 were in quarantine or not yet taught when it opened; hours 4 to 8 are known.
  CHECK(expected(hour(9) - 6) == doctest::Approx(0.02).epsilon(0.01));
  feed(hour(9), hour(33), 40);
  // 5 hours at 2 % that are a day old and 24 hours at 4 %.
  CHECK(expected(hour(33) - 6) > 0.036);
  CHECK(expected(hour(33) - 6) < 0.04);
}

TEST_CASE("an excluded range is not the past of the leaves it covers, be it taught already or not") {
  const auto expected_of = [](std::vector<std::pair<std::string, std::string>> key, tick_index begins,
                              tick_index asked) {
    past all;
    keyed_state keys(all.monitor);
    exclusions left_out(all.monitor, keys);
    all.monitor.name = "m";
    operator_action load_test;
    load_test.monitor = "m";
    load_test.key = std::move(key);
    load_test.from = begins * all.monitor.tick;
    load_test.to = load_test.from + 30 * minute_ms;
    left_out.add(load_test);
    left_out.advance(begins);
    all.history->heed(left_out);
    for (auto at = start; at <= asked; at += 6)
      all.tick(at, {{{"a", "DE"}, 1000, at >= begins && at < begins + 180 ? 500 : 10}, {{"b", "DE"}, 1000, 10}});
    const auto sums = all.sums(asked, set_of({{0, "a"}}));
    return sums.expected / static_cast<double>(sums.total);
  };
  const auto hour = [](tick_index n) { return start + n * ticks_an_hour; };
  // In minutes, not taught yet; and hours later.
  for (const auto asked : {hour(2) + 180, hour(6)}) {
    CHECK(expected_of({{"cdn", "a"}}, hour(2), asked) == doctest::Approx(0.01).epsilon(0.01));
    CHECK(expected_of({}, hour(2), asked) == doctest::Approx(0.01).epsilon(0.01));
    CHECK(expected_of({{"cdn", "b"}}, hour(2), asked) > 0.04);
  }
}

TEST_CASE("beyond the capacity the lightest leaves go on in the leaf (other) of their scope") {
  past all(64);
  std::vector<counts> cells;
  for (int i = 0; i < 64; ++i)
    cells.push_back({{"cdn" + std::to_string(i), "DE"}, 100 + i, i < 60 ? 0 : 5});
  all.tick(start, cells);
  CHECK(all.history->size() == 64);
  all.tick(start + 1, {{{"new", "DE"}, 1, 0}});
  CHECK(all.history->size() == 56); // an eighth is free again
  // The heaviest by failures, then by events, have stayed; the sums of all have not changed.
  CHECK(all.sums(start, set_of({{0, "cdn60"}})).failed == 5);
  CHECK(all.sums(start, set_of({{0, "cdn59"}})).total == 159);
  CHECK(all.sums(start, set_of({{0, "cdn0"}})).total == 0);
  CHECK(all.sums(start, set_of({{0, "new"}})).total == 0);
  CHECK(all.sums(start).total == 64 * 100 + 63 * 64 / 2 + 1);
  value_set other;
  other.values.emplace_back(0, std::string(1, static_cast<char>(value_tag::pooled)));
  CHECK(all.sums(start, other).total > 0);
}

TEST_CASE("a flood of scopes is bounded too") {
  past all(50, 1);
  for (int i = 0, fed = 0; fed < 2000; ++i) {
    const auto scope = "s" + std::to_string(i);
    if (shard_of(encoded(scope)) != all.shard)
      continue;
    all.tick(start + fed, {{{scope, "DE"}, 10, 1}, {{scope, "FR"}, 10, 0}});
    ++fed;
    CHECK(all.history->size() <= 50);
  }
}

TEST_CASE("whatever happened, a restart goes on exactly, and a commit writes what changed") {
  for (const std::uint64_t max_leaves : {std::uint64_t{12}, std::uint64_t{1000}}) {
    std::mt19937 random(7);
    past straight(max_leaves), restarted(max_leaves);
    auto at = start;
    for (int i = 0; i < 1500; ++i) {
      at += 1 + static_cast<tick_index>(random() % 30) * (random() % 5 == 0 ? 20 : 1);
      std::vector<counts> cells;
      for (int c = 0; c < 4; ++c)
        cells.push_back({{"cdn" + std::to_string(random() % 9), "c" + std::to_string(random() % 5)},
                         1 + static_cast<std::int64_t>(random() % 100),
                         static_cast<std::int64_t>(random() % 3)});
      const bool ends = random() % 40 == 0;
      for (auto* one : {&straight, &restarted}) {
        one->is_open = i % 200 > 180;
        one->tick(at, cells);
        if (ends)
          one->history->ended("", at);
      }
      if (i % 7 == 0) {
        restarted.commit();
        if (i % 3 == 0)
          restarted.restart(at);
      }
      if (i % 50 != 0)
        continue;
      for (const auto onset : {at, at - 20, at - 400, at - 5000}) {
        const auto a = straight.sums(onset), b = restarted.sums(onset);
        CHECK(std::tie(a.total, a.failed, a.expected) == std::tie(b.total, b.failed, b.expected));
        const auto x = straight.history->ranking(straight.root, {}, onset);
        const auto y = restarted.history->ranking(restarted.root, {}, onset);
        REQUIRE(x.size() == y.size());
        for (std::size_t r = 0; r < x.size(); ++r)
          CHECK((x[r].set == y[r].set && x[r].score == y[r].score && x[r].excess == y[r].excess));
      }
    }
    // A tick that names one leaf again writes the bucket of that tick alone.
    at = start + (at / 6 - start / 6 + 600) * 6;
    restarted.tick(at, {{{"cdn1", "c1"}, 1, 0}});
    restarted.commit();
    restarted.written = 0;
    restarted.tick(at + 1, {{{"cdn1", "c1"}, 1, 0}});
    restarted.commit();
    CHECK(restarted.written == 1);
  }
}

TEST_CASE("damaged state of leaves is refused") {
  past all;
  for (auto at = start; at < start + 2000; at += 5)
    all.tick(at, {{{"a", "DE"}, 10, 1}, {{"b", "DE"}, 10, 1}});
  all.commit();
  const auto error_of = [&](const auto& change) {
    leaf_history again(all.monitor, all.shard);
    auto stored = all.stored;
    change(stored);
    for (const auto& [key, bytes] : stored)
      if (const auto error = again.load(key.first, key.second, bytes))
        return *error;
    return again.finish_restore(start + 2000).value_or("");
  };
  CHECK(error_of([](auto&) {}) == "");
  CHECK(error_of([](auto& s) {
          s.erase(s.find({'l', encoded("a") + encoded("DE")}));
        }) == "incomplete state: a bucket without its leaves");
  CHECK(error_of([](auto& s) { s[{'l', encoded("a")}] = s.begin()->second; }) != "");
  for (const auto& [key, bytes] : all.stored)
    CHECK(error_of([&, name = key, size = bytes.size()](auto& s) { s[name][size / 2] ^= 1; }) != "");
}

TEST_CASE("a million leaf keys: what they cost") {
  constexpr int leaves = 1'000'000, a_tick = 50'000;
  past all(leaves);
  std::vector<counts> cells(a_tick);
  double nanoseconds = 0;
  for (int i = 0; i < leaves; i += a_tick) {
    for (int c = 0; c < a_tick; ++c)
      cells[static_cast<std::size_t>(c)] = {{"title" + std::to_string(i + c), "DE"}, 5, c % 50 == 0 ? 1 : 0};
    const auto begin = std::chrono::steady_clock::now();
    all.tick(start + i / a_tick, cells);
    nanoseconds += std::chrono::duration<double, std::nano>(std::chrono::steady_clock::now() - begin).count();
  }
  CHECK(all.history->size() == leaves);
  const auto bytes = static_cast<double>(all.history->memory_bytes()) / leaves;
  CHECK(bytes < 320); // key text of 16 bytes, one bucket entry
  MESSAGE(bytes << " bytes and " << nanoseconds / leaves << " ns a new leaf, with one bucket entry");
}
