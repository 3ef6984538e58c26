// What every state store promises, checked with each of them.
#include "io/memory/memory_state_store.hpp"
#include "io/sqlite/sqlite_state_store.hpp"
#include "tests/support/scratch_directory.hpp"
#include "tests/support/stored_world.hpp"

#include <doctest/doctest.h>

using namespace tocsin;
using namespace tocsin::io;
using namespace tocsin::test;

namespace {

struct in_memory {
  memory_state_store store;
};

struct in_sqlite {
  scratch_directory directory;
  sqlite_state_store store{directory / "state.db"};
};

void commit(state_store& store, const commit_batch& batch) {
  auto committed = store.commit(batch);
  REQUIRE_MESSAGE(committed, committed.failure().message);
}

} // namespace

TEST_CASE_TEMPLATE("a store gives back what was committed", T, in_memory, in_sqlite) {
  T holder;
  auto& store = holder.store;
  auto empty = read_all(store, example_identity());
  CHECK(empty == stored_world{});

  commit(store, example_batch());
  stored_world expected;
  expected.world.fresh = false;
  expected.world.judged_through = 1000;
  expected.world.partitions = example_batch().partitions;
  expected.world.journal = {{0, 40, 900, journal_kind::idle}, {1, 70, 500, journal_kind::idle}};
  expected.world.actions = {example_action("first")};
  expected.world.alerts = 2;
  expected.state = {{"a", "learned"}, {std::string("b\0b", 3), std::string("\0\xff", 2)}, {"gone", "x"}};
  expected.alerts = example_batch().alerts;
  CHECK(read_all(store, example_identity()) == expected);

  // A second commit: erases, overwrites, moves one partition, raises the journal but never lowers it.
  commit_batch next;
  next.judged_through = 2000;
  next.alerts = {"third"};
  next.journal = {{0, 40, 899, journal_kind::end}, {1, 70, 501, journal_kind::end}, {1, 70, 400, journal_kind::idle}};
  next.actions = {{8, example_action("second")}, {9, example_action("third")}};
  next.state = {{"gone", ""}, {"never", ""}, {"a", "more"}, {"a", "most"}};
  next.partitions = {{1, {99, 1900}, ""}};
  commit(store, next);
  expected.world.judged_through = 2000;
  expected.world.partitions[1] = {1, {99, 1900}, ""};
  expected.world.journal[1] = {1, 70, 501, journal_kind::end};
  expected.world.alerts = 3;
  expected.world.actions.push_back(example_action("second"));
  expected.world.actions.push_back(example_action("third"));
  expected.state.erase("gone");
  expected.state["a"] = "most";
  expected.alerts.push_back("third");
  CHECK(read_all(store, example_identity()) == expected);
}

TEST_CASE_TEMPLATE("a key erased and written again in one commit keeps the last value", T, in_memory, in_sqlite) {
  T holder;
  read_all(holder.store, example_identity());
  commit_batch batch;
  batch.state = {{"k", "1"}, {"k", ""}, {"k", "2"}, {"l", "1"}, {"l", ""}};
  commit(holder.store, batch);
  CHECK(read_all(holder.store, example_identity()).state == std::map<std::string, std::string>{{"k", "2"}});
}

TEST_CASE_TEMPLATE("alert records are given from any number on", T, in_memory, in_sqlite) {
  T holder;
  read_all(holder.store, example_identity());
  commit(holder.store, example_batch());
  for (std::uint64_t from = 0; from <= 3; ++from) {
    std::vector<std::string> given;
    auto all = holder.store.alerts(from, [&](const std::string& record) -> result<void> {
      given.push_back(record);
      return {};
    });
    CHECK(all.ok());
    CHECK(given.size() == (from < 2 ? 2 - from : 0));
  }
}

TEST_CASE_TEMPLATE("an error of the taker ends the reading and is handed on", T, in_memory, in_sqlite) {
  T holder;
  read_all(holder.store, example_identity());
  commit(holder.store, example_batch());
  int calls = 0;
  const auto refuse = [&](const auto&) -> result<void> {
    ++calls;
    return error{error_code::state, "no more", false, false};
  };
  CHECK(holder.store.load(refuse).failure().message == "no more");
  CHECK(holder.store.alerts(0, refuse).failure().message == "no more");
  CHECK(calls == 2);
}

TEST_CASE_TEMPLATE("another identity is refused and told", T, in_memory, in_sqlite) {
  T holder;
  // Nothing is committed yet: the identity may still change.
  auto early = example_identity();
  early.fingerprint = "early";
  REQUIRE(holder.store.open(early).ok());
  REQUIRE(holder.store.open(example_identity()).ok());
  commit(holder.store, example_batch());

  const auto refused = [&](const state_identity& other, const char* found, const char* expected) {
    auto opened = holder.store.open(other);
    REQUIRE(!opened);
    CHECK(opened.failure().code == error_code::state);
    CHECK(opened.failure().fatal);
    CHECK(!opened.failure().retriable);
    CHECK(opened.failure().message.find(found) != std::string::npos);
    CHECK(opened.failure().message.find(expected) != std::string::npos);
    CHECK(opened.failure().message.find("delete this one to start cold") != std::string::npos);
  };
  auto other = example_identity();
  other.fingerprint = "beef";
  refused(other, "found fingerprint c0ffee", "expected fingerprint beef");
  other = example_identity();
  other.monitors = {"logins"};
  refused(other, "found [playback-failures, logins]", "expected [logins]");
  other = example_identity();
  std::swap(other.partitions[0], other.partitions[1]);
  refused(other, "found [a.ndjson, b.ndjson]", "expected [b.ndjson, a.ndjson]");

  // The refusal has changed nothing.
  CHECK(read_all(holder.store, example_identity()).alerts == example_batch().alerts);
}

TEST_CASE_TEMPLATE("a batch with an unknown partition changes nothing", T, in_memory, in_sqlite) {
  T holder;
  read_all(holder.store, example_identity());
  commit_batch batch;
  batch.alerts = {"refused"};
  batch.state = {{"refused", "x"}};
  batch.partitions = {{2, {}, ""}};
  auto committed = holder.store.commit(batch);
  REQUIRE(!committed);
  CHECK(committed.failure().fatal);
  commit(holder.store, example_batch()); // at once: nothing of the refused batch is pending
  const auto found = read_all(holder.store, example_identity());
  CHECK(found.alerts == example_batch().alerts);
  CHECK(found.state.count("refused") == 0);
}

TEST_CASE("a memory store that drops alert records counts them and says so") {
  memory_state_store store(memory_state_store::alert_memory::drop);
  REQUIRE(store.open(example_identity()).ok());
  commit(store, example_batch());
  CHECK(store.open(example_identity())->alerts == 2);
  const auto take = [](const std::string&) { return result<void>{}; };
  CHECK(store.alerts(2, take).ok());
  CHECK(store.alerts(1, take).failure().message.find("were not kept") != std::string::npos);
}
