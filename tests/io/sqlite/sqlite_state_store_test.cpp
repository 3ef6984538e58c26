#include "io/sqlite/schema.hpp"
#include "io/sqlite/sqlite_state_store.hpp"
#include "tests/support/full_disk.hpp"
#include "tests/support/scratch_directory.hpp"
#include "tests/support/stored_world.hpp"

#include <doctest/doctest.h>
#include <sqlite3.h>

#include <csignal>
#include <filesystem>
#include <memory>
#include <sys/wait.h>
#include <unistd.h>

using namespace tocsin;
using namespace tocsin::io;
using namespace tocsin::test;

namespace {

/// Runs SQL on a database from outside, as a person or another program would.
void run_sql(const std::string& path, const std::string& sql) {
  sqlite3* raw = nullptr;
  REQUIRE(sqlite3_open(path.c_str(), &raw) == SQLITE_OK);
  const std::unique_ptr<sqlite3, int (*)(sqlite3*)> handle(raw, sqlite3_close);
  const auto code = sqlite3_exec(raw, sql.c_str(), nullptr, nullptr, nullptr);
  REQUIRE_MESSAGE(code == SQLITE_OK, sqlite3_errmsg(raw));
}

void make_store(const std::string& path, const std::vector<commit_batch>& batches = {example_batch()}) {
  sqlite_state_store store(path);
  REQUIRE(store.open(example_identity()).ok());
  for (const auto& batch : batches)
    REQUIRE(store.commit(batch).ok());
}

/// Opens and checks that it is refused for good; gives the message.
std::string refusal(const std::string& path) {
  sqlite_state_store store(path);
  auto opened = store.open(example_identity());
  REQUIRE(!opened);
  CHECK(opened.failure().code == error_code::state);
  CHECK(opened.failure().fatal);
  CHECK(opened.failure().message.find(path) != std::string::npos);
  CHECK(opened.failure().message.find('\n') == std::string::npos);
  // What was refused is not open.
  CHECK(!store.load([](const auto&) { return result<void>{}; }));
  CHECK(!store.commit(example_batch()));
  return opened.failure().message;
}

bool has(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

} // namespace

TEST_CASE("a store is written by one process at a time; kill -9 frees it") {
  scratch_directory directory;
  const auto path = directory / "state.db";
  int ready[2];
  REQUIRE(::pipe(ready) == 0);
  const auto child = ::fork();
  if (child == 0) {
    sqlite_state_store store(path);
    const bool opened = store.open(example_identity()).ok() && store.commit(example_batch()).ok();
    const char answer = opened ? 'y' : 'n';
    if (::write(ready[1], &answer, 1) == 1)
      ::pause();
    ::_exit(1);
  }
  char answer = 0;
  REQUIRE(::read(ready[0], &answer, 1) == 1);
  REQUIRE(answer == 'y');

  CHECK(has(refusal(path), "in use by process " + std::to_string(child)));
  std::filesystem::create_symlink(path, directory / "other-name.db");
  CHECK(has(refusal(directory / "other-name.db"), "in use by process"));

  ::kill(child, SIGKILL);
  REQUIRE(::waitpid(child, nullptr, 0) == child);
  for (const int end : ready)
    ::close(end);
  sqlite_state_store store(path);
  CHECK(read_all(store, example_identity()).alerts == example_batch().alerts);
  sqlite_state_store second(path);
  CHECK(!second.open(example_identity()));
}

TEST_CASE("a reader sees one commit beside a running writer") {
  scratch_directory directory;
  const auto path = directory / "state.db";
  sqlite_state_store writer(path);
  REQUIRE(writer.open(example_identity()).ok());
  {
    auto early = sqlite_state_store::open_read_only(path);
    REQUIRE(early.ok()); // the tables are there, nothing is in them
    CHECK((*early)->summary()->world.fresh);
  }
  REQUIRE(writer.commit(example_batch()).ok());

  auto reader = sqlite_state_store::open_read_only(path);
  REQUIRE_MESSAGE(reader, reader.failure().message);
  commit_batch next;
  next.judged_through = 2000;
  next.alerts = {"third"};
  next.state = {{"z", "1"}};
  REQUIRE(writer.commit(next).ok());

  const auto look = [](sqlite_state_store& store) {
    stored_world rows;
    REQUIRE(read_rows(store, rows).ok());
    auto summary = store.summary();
    REQUIRE(summary.ok());
    CHECK(summary->identity.fingerprint == "c0ffee");
    CHECK(summary->identity.monitors == example_identity().monitors);
    CHECK(summary->identity.partitions == example_identity().partitions);
    CHECK(summary->world.alerts == rows.alerts.size());
    CHECK(summary->keys == rows.state.size());
    CHECK(summary->log_bytes == lines_of(rows.alerts).size());
    return summary->world.judged_through;
  };
  CHECK(look(**reader) == 1000);
  auto later = sqlite_state_store::open_read_only(path);
  REQUIRE(later.ok());
  CHECK(look(**later) == 2000);

  CHECK(has((*reader)->commit(next).failure().message, "reading only"));
  CHECK(!sqlite_state_store::open_read_only(directory / "absent.db"));
  CHECK(has(sqlite_state_store::open_read_only(directory / "absent.db").failure().message, "absent.db"));
}

TEST_CASE("operators ask beside a running process; a commit that takes a request over removes it") {
  scratch_directory directory;
  const auto path = directory / "state.db";
  CHECK(has(sqlite_state_store::ask(path, example_action("x")).failure().message, "state.db"));
  sqlite_state_store store(path);
  REQUIRE(store.open(example_identity()).ok());
  for (const auto* comment : {"one", "two", "three"})
    REQUIRE(sqlite_state_store::ask(path, example_action(comment)).ok());
  auto waiting = store.requests();
  REQUIRE(waiting.ok());
  REQUIRE(waiting->size() == 3);
  CHECK(waiting->at(1).what == example_action("two"));
  CHECK(waiting->at(0).number < waiting->at(1).number);

  auto batch = example_batch();
  batch.actions = {waiting->at(1)};
  batch.actions[0].what.in_force = 1'000'000;
  REQUIRE(store.commit(batch).ok());
  REQUIRE(store.requests()->size() == 2);
  CHECK(store.requests()->at(1).what.comment == "three");
  // A number is never given twice.
  batch.actions = {store.requests()->at(1)};
  batch.alerts.clear();
  REQUIRE(store.commit(batch).ok());
  REQUIRE(sqlite_state_store::ask(path, example_action("four")).ok());
  CHECK(store.requests()->at(1).number > waiting->at(2).number);

  auto reader = sqlite_state_store::open_read_only(path);
  REQUIRE(reader.ok());
  CHECK((*reader)->requests()->size() == 2);
  const auto summary = (*reader)->summary();
  REQUIRE(summary.ok());
  REQUIRE(summary->world.actions.size() == 2);
  CHECK(summary->world.actions[0].comment == "two");
  CHECK(summary->world.actions[0].in_force == 1'000'000);

  run_sql(path, "UPDATE requests SET body = replace(body, 'four', 'five')");
  CHECK(has(store.requests().failure().message, "table requests, row 4"));
}

TEST_CASE("a state of version 1 is read, and gets the newer tables when a run opens it") {
  scratch_directory directory;
  const auto path = directory / "state.db";
  auto batch = example_batch();
  batch.actions.clear();
  make_store(path, {batch});
  run_sql(path, "DROP TABLE actions; DROP TABLE requests; PRAGMA user_version = 1");
  {
    auto reader = sqlite_state_store::open_read_only(path);
    REQUIRE(reader.ok());
    CHECK((*reader)->requests()->empty());
    CHECK((*reader)->summary()->world.alerts == 2);
  }
  CHECK(has(sqlite_state_store::ask(path, example_action("x")).failure().message, "older version"));
  sqlite_state_store store(path);
  const auto before = read_all(store, example_identity());
  CHECK(before.world.alerts == 2);
  REQUIRE(sqlite_state_store::ask(path, example_action("x")).ok());
  CHECK(store.requests()->size() == 1);
}

TEST_CASE("what is not ours is refused and left as it is") {
  scratch_directory directory;
  const auto path = directory / "state.db";
  SUBCASE("another program's database") {
    run_sql(path, "CREATE TABLE t (a); INSERT INTO t VALUES (1)");
    const auto before = read_bytes(path);
    CHECK(has(refusal(path), "application_id found 0, expected 1414480723"));
    CHECK(read_bytes(path) == before);
  }
  SUBCASE("no database") {
    const auto text = std::string("{\"monitors\": []}\n") + std::string(2000, ' ');
    write_bytes(path, text);
    CHECK(has(refusal(path), "no SQLite database"));
    CHECK(read_bytes(path) == text);
  }
  SUBCASE("a newer version") {
    make_store(path);
    run_sql(path, "PRAGMA user_version = 7");
    CHECK(has(refusal(path), "newer Tocsin (state version found 7, this build knows 2)"));
  }
  SUBCASE("a directory") {
    std::filesystem::create_directory(path);
    CHECK(has(refusal(path), "cannot open"));
  }
  SUBCASE("a path into nowhere") {
    CHECK(has(refusal(directory / "no/such/folder/state.db"), "the folder must exist"));
  }
  SUBCASE("no path") {
    sqlite_state_store store("");
    CHECK(has(store.open(example_identity()).failure().message, "name of the state file is empty"));
  }
}

TEST_CASE("a start that died before its first commit is no obstacle") {
  scratch_directory directory;
  const auto path = directory / "state.db";
  SUBCASE("empty file") {
    write_bytes(path, "");
  }
  SUBCASE("journal mode set, no tables") {
    run_sql(path, "PRAGMA journal_mode=WAL");
  }
  sqlite_state_store store(path);
  CHECK(read_all(store, example_identity()) == stored_world{});
}

TEST_CASE("damaged tables are refused") {
  scratch_directory directory;
  const auto path = directory / "state.db";
  make_store(path);
  const auto refused_after = [&](const std::string& sql, const std::string& reason) {
    run_sql(path, sql);
    const auto message = refusal(path);
    CHECK_MESSAGE(has(message, "damaged"), message);
    CHECK_MESSAGE(has(message, reason), message);
  };
  SUBCASE("fewer alerts") {
    refused_after("DELETE FROM alerts WHERE seq = 1", "meta counts 2");
  }
  SUBCASE("more alerts") {
    refused_after("INSERT INTO alerts VALUES (2, 99, '', 0)", "meta counts 2");
  }
  SUBCASE("changed meta") {
    refused_after("UPDATE meta SET judged_through = 0", "table meta");
  }
  SUBCASE("no meta") {
    refused_after("DELETE FROM meta; DELETE FROM alerts", "table meta");
  }
  SUBCASE("changed rewind point") {
    refused_after("UPDATE partitions SET rewind_offset = 41", "table partitions");
  }
  SUBCASE("changed journal") {
    refused_after("UPDATE journal SET watermark = 1", "table journal");
  }
  SUBCASE("changed action") {
    refused_after("UPDATE actions SET body = replace(body, 'first', 'other')", "table actions, row 0");
  }
  SUBCASE("changed monitor") {
    refused_after("UPDATE monitors SET name = 'x' WHERE id = 1", "table monitors");
  }
  SUBCASE("missing table") {
    refused_after("DROP TABLE state", "table state is missing");
  }
  SUBCASE("other table") {
    refused_after("ALTER TABLE state ADD COLUMN x", "table state is defined otherwise");
  }
}

TEST_CASE("damaged rows are refused when they are read") {
  scratch_directory directory;
  const auto path = directory / "state.db";
  make_store(path);
  run_sql(path, "UPDATE state SET bytes = x'00' WHERE key = x'61'; UPDATE alerts SET body = 'x' WHERE seq = 1");
  sqlite_state_store store(path);
  REQUIRE(store.open(example_identity()).ok());
  const auto take = [](const auto&) { return result<void>{}; };
  CHECK(has(store.load(take).failure().message, "table state, row 0"));
  CHECK(store.load(take).failure().fatal);
  CHECK(has(store.alerts(0, take).failure().message, "table alerts, record 1"));
  CHECK(store.alerts(0, take).failure().fatal);
}

TEST_CASE("a gap in the alert records is refused when they are read") {
  scratch_directory directory;
  const auto path = directory / "state.db";
  make_store(path);
  run_sql(path, "DELETE FROM alerts WHERE seq = 0");
  sqlite_state_store store(path);
  REQUIRE(store.open(example_identity()).ok());
  CHECK(has(store.alerts(0, [](const auto&) { return result<void>{}; }).failure().message, "table alerts, record 0"));
}

TEST_CASE("any flipped bit of the file is refused or does no harm") {
  scratch_directory directory;
  const auto path = directory / "state.db";
  auto batch = example_batch();
  for (int i = 0; i < 60; ++i) {
    batch.state.push_back({"key " + std::to_string(i), std::string(100, static_cast<char>('a' + i % 26))});
    batch.alerts.push_back("record " + std::to_string(i) + std::string(100, 'x'));
    batch.journal.push_back({0, 1000 + i, 2000 + i, journal_kind::idle});
  }
  make_store(path, {batch});
  const auto whole = read_bytes(path);
  stored_world expected;
  {
    sqlite_state_store store(path);
    expected = read_all(store, example_identity());
  }

  int refused = 0;
  int harmless = 0;
  for (std::size_t at = 0; at < whole.size(); at += at < 200 ? 1 : 29) {
    auto damaged = whole;
    damaged[at] = static_cast<char>(damaged[at] ^ (1 << (at % 8)));
    const auto copy = directory / "damaged.db";
    write_bytes(copy, damaged);
    // Read-only: the same checks as for writing, without the time that journal files take.
    auto store = sqlite_state_store::open_read_only(copy);
    stored_world found;
    auto rows = store ? read_rows(**store, found) : result<void>(store.failure());
    if (!rows) {
      ++refused;
      CHECK_MESSAGE(rows.failure().code == error_code::state, at);
      CHECK_MESSAGE(has(rows.failure().message, copy), at);
      CHECK_MESSAGE(!has(rows.failure().message, "\n"), at);
      CHECK_MESSAGE(rows.failure().fatal, at << ": " << rows.failure().message);
    } else {
      ++harmless;
      found.world = (*store)->summary()->world;
      CHECK_MESSAGE(found == expected, at);
    }
    store = error{}; // closes it before its files go
    for (const char* suffix : {"", "-wal", "-shm"})
      ::unlink((copy + suffix).c_str());
  }
  CHECK(refused > 300);
  CHECK(harmless > 0); // unused space
}

TEST_CASE("a full disk fails the commit, keeps the last one, and a later try succeeds") {
  scratch_directory directory;
  const auto path = directory / "state.db";
  sqlite_state_store store(path);
  REQUIRE(store.open(example_identity()).ok());
  REQUIRE(store.commit(example_batch()).ok());
  const auto before = read_all(store, example_identity());

  commit_batch large;
  large.judged_through = 5000;
  large.alerts = {"third"};
  for (int i = 0; i < 2000; ++i)
    large.state.push_back({"large " + std::to_string(i), std::string(1000, 'x')});
  {
    full_disk full(256 * 1024);
    for (int attempt = 0; attempt < 3; ++attempt) {
      auto committed = store.commit(large);
      REQUIRE(!committed);
      CHECK(committed.failure().code == error_code::state);
      CHECK(committed.failure().retriable);
      CHECK(!committed.failure().fatal);
      CHECK(has(committed.failure().message, path));
    }
  }
  {
    auto reader = sqlite_state_store::open_read_only(path);
    REQUIRE(reader.ok());
    stored_world rows;
    REQUIRE(read_rows(**reader, rows).ok());
    CHECK(rows.state == before.state);
    CHECK(rows.alerts == before.alerts);
  }
  auto committed = store.commit(large);
  REQUIRE_MESSAGE(committed, committed.failure().message);
  const auto after = read_all(store, example_identity());
  CHECK(after.alerts.size() == 3);
  CHECK(after.state.size() == before.state.size() + 2000);
  CHECK(after.world.judged_through == 5000);
}

TEST_CASE("the tables tell a person what they hold") {
  for (const auto& table : schema::tables)
    CHECK_MESSAGE(has(table.sql, "--"), table.name);
}
