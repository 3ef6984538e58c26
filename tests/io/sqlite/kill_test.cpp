// kill -9 at random moments: what the store and the completed log hold is always a whole number of commits.
#include "io/file/alert_log.hpp"
#include "io/sqlite/sqlite_state_store.hpp"
#include "tests/support/scratch_directory.hpp"
#include "tests/support/stored_world.hpp"

#include <doctest/doctest.h>

#include <csignal>
#include <random>
#include <sys/wait.h>
#include <unistd.h>

using namespace tocsin;
using namespace tocsin::io;
using namespace tocsin::test;

namespace {

/// Commit number n writes n % 4 records, raises the journal, rewrites some keys and erases one.
commit_batch numbered_batch(std::int64_t n) {
  commit_batch batch;
  batch.judged_through = n;
  for (std::int64_t i = 0; i < n % 4; ++i)
    batch.alerts.push_back("commit " + std::to_string(n) + " record " + std::to_string(i) + std::string(300, '.'));
  batch.journal = {{0, n / 3, n, journal_kind::idle}};
  for (std::int64_t i = 0; i < 30; ++i)
    batch.state.push_back({"key " + std::to_string((n * 7 + i) % 100), std::to_string(n) + std::string(100, '.')});
  batch.state.push_back({"key " + std::to_string((n * 7 + 29) % 100), ""});
  batch.partitions = {{0, {n * 10, n}, std::to_string(n)}, {1, {n * 20, n}, ""}};
  return batch;
}

/// What a store holds after commits 1 to n: computed by the simplest means.
stored_world after_commits(std::int64_t n) {
  stored_world out;
  std::map<stream_offset, journal_entry> journal;
  for (std::int64_t i = 1; i <= n; ++i) {
    const auto batch = numbered_batch(i);
    out.alerts.insert(out.alerts.end(), batch.alerts.begin(), batch.alerts.end());
    for (const auto& record : batch.state) {
      if (record.bytes.empty())
        out.state.erase(record.key);
      else
        out.state[record.key] = record.bytes;
    }
    journal[batch.journal[0].offset] = batch.journal[0];
    out.world = {false, batch.judged_through, batch.partitions, {}, out.alerts.size(), {}};
  }
  for (const auto& [offset, entry] : journal)
    out.world.journal.push_back(entry);
  return out;
}

/// Commits and appends for ever; 1: an error.
int work(const std::string& state, const std::string& log_path) {
  sqlite_state_store store(state);
  auto world = store.open(example_identity());
  alert_log log(log_path);
  if (!world || !log.complete(store))
    return 1;
  for (auto n = world->fresh ? 1 : world->judged_through + 1;; ++n) {
    const auto batch = numbered_batch(n);
    if (!store.commit(batch) || !log.append(batch.alerts))
      return 1;
  }
}

} // namespace

TEST_CASE("kill -9 at any moment leaves whole commits, and the completed log is the table") {
  scratch_directory directory;
  const auto state = directory / "state.db";
  const auto log_path = directory / "alerts.ndjson";
  std::mt19937 random(20);
  std::uniform_int_distribution<unsigned> delay_us(0, 60'000);
  std::int64_t commits = 0;
  int log_was_behind = 0;
  for (int round = 0; round < 30; ++round) {
    const auto child = ::fork();
    REQUIRE(child >= 0);
    if (child == 0)
      ::_exit(work(state, log_path));
    ::usleep(delay_us(random));
    ::kill(child, SIGKILL);
    int status = 0;
    REQUIRE(::waitpid(child, &status, 0) == child);
    REQUIRE(WIFSIGNALED(status)); // it met no error before it was killed

    sqlite_state_store store(state);
    const auto found = read_all(store, example_identity());
    const auto reached = found.world.fresh ? 0 : found.world.judged_through;
    CHECK(reached >= commits);
    CHECK((found == after_commits(reached)));
    commits = reached;

    const auto table = lines_of(found.alerts);
    const auto left = read_bytes(log_path);
    CHECK((left == table.substr(0, left.size()))); // the log never runs ahead of the table
    log_was_behind += left.size() < table.size() ? 1 : 0;
    alert_log log(log_path);
    auto completed = log.complete(store);
    REQUIRE_MESSAGE(completed, completed.failure().message);
    CHECK((read_bytes(log_path) == table));
  }
  MESSAGE(commits << " commits, log behind the table after " << log_was_behind << " of 30 kills");
  CHECK(commits > 30);
}
