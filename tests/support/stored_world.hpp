#pragma once

#include "io/state_store.hpp"

#include <doctest/doctest.h>

#include <map>
#include <string>
#include <vector>

namespace tocsin::test {

/// All that a store gives back, for comparisons.
struct stored_world {
  io::restored_world world;
  std::map<std::string, std::string> state;
  std::vector<std::string> alerts;

  friend bool operator==(const stored_world& a, const stored_world& b) {
    const auto same_point = [](const io::partition_point& p, const io::partition_point& q) {
      return p.partition == q.partition && p.rewind == q.rewind && p.position == q.position;
    };
    return a.world.fresh == b.world.fresh && a.world.judged_through == b.world.judged_through &&
           a.world.partitions.size() == b.world.partitions.size() &&
           std::equal(a.world.partitions.begin(), a.world.partitions.end(), b.world.partitions.begin(), same_point) &&
           a.world.journal == b.world.journal && a.world.actions == b.world.actions &&
           a.world.alerts == b.world.alerts && a.state == b.state && a.alerts == b.alerts;
  }
};

/// Adds the keyed state and the alert records to `out`.
inline io::result<void> read_rows(io::state_store& store, stored_world& out) {
  auto loaded = store.load([&](const state_record& record) -> io::result<void> {
    out.state[record.key] = record.bytes;
    return {};
  });
  if (!loaded)
    return loaded;
  return store.alerts(0, [&](const std::string& record) -> io::result<void> {
    out.alerts.push_back(record);
    return {};
  });
}

inline stored_world read_all(io::state_store& store, const io::state_identity& identity) {
  stored_world out;
  auto opened = store.open(identity);
  REQUIRE_MESSAGE(opened, opened.failure().message);
  out.world = *opened;
  auto rows = read_rows(store, out);
  REQUIRE_MESSAGE(rows, rows.failure().message);
  return out;
}

inline io::state_identity example_identity() {
  return {"c0ffee", {"playback-failures", "logins"}, {"a.ndjson", "b.ndjson"}};
}

inline operator_action example_action(const std::string& comment) {
  operator_action action;
  action.monitor = "logins";
  action.key = {{"cdn", "fastly"}, {"country", "(none)"}};
  action.from = 1'000'000;
  action.to = 2'000'500;
  action.author = "ada \"\n";
  action.comment = comment;
  action.in_force = 990'000;
  return action;
}

inline io::commit_batch example_batch() {
  io::commit_batch batch;
  batch.judged_through = 1000;
  batch.alerts = {R"({"n":0})", R"({"n":1})"};
  batch.journal = {{1, 70, 500, journal_kind::idle}, {0, 40, 900, journal_kind::idle}};
  batch.actions = {{7, example_action("first")}};
  batch.state = {{"a", "learned"}, {std::string("b\0b", 3), std::string("\0\xff", 2)}, {"gone", "x"}};
  batch.partitions = {{0, {40, 800}, "file 1"}, {1, {-5, beginning_of_time}, std::string("\0\1", 2)}};
  return batch;
}

/// The lines of a log that holds these records.
inline std::string lines_of(const std::vector<std::string>& alerts) {
  std::string lines;
  for (const auto& record : alerts)
    lines += record + "\n";
  return lines;
}

} // namespace tocsin::test
