#include "io/file/alert_log.hpp"
#include "io/memory/memory_state_store.hpp"
#include "tests/support/full_disk.hpp"
#include "tests/support/scratch_directory.hpp"
#include "tests/support/stored_world.hpp"

#include <doctest/doctest.h>

#include <fcntl.h>
#include <filesystem>
#include <unistd.h>

using namespace tocsin;
using namespace tocsin::io;
using namespace tocsin::test;

namespace {

/// A store that holds these records.
memory_state_store store_of(const std::vector<std::string>& alerts) {
  memory_state_store store;
  REQUIRE(store.open(example_identity()).ok());
  commit_batch batch;
  batch.alerts = alerts;
  REQUIRE(store.commit(batch).ok());
  return store;
}

void add(state_store& store, const std::vector<std::string>& alerts) {
  commit_batch batch;
  batch.alerts = alerts;
  REQUIRE(store.commit(batch).ok());
}

const std::vector<std::string> records = {R"({"id":"a","n":1})", R"({"id":"bb","n":22})", R"({"id":"ccc","n":333})"};

bool has(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

/// Standard output goes to a pipe while it lives.
class captured_output {
public:
  captured_output() : before_(::dup(STDOUT_FILENO)) {
    REQUIRE(::pipe(pipe_) == 0);
    ::dup2(pipe_[1], STDOUT_FILENO);
    ::fcntl(pipe_[0], F_SETFL, O_NONBLOCK);
  }
  captured_output(const captured_output&) = delete;
  captured_output& operator=(const captured_output&) = delete;
  ~captured_output() {
    ::dup2(before_, STDOUT_FILENO);
    for (const int descriptor : {before_, pipe_[0], pipe_[1]})
      ::close(descriptor);
  }
  /// What has arrived by now.
  std::string read() {
    char bytes[4096];
    const auto size = ::read(pipe_[0], bytes, sizeof bytes);
    return {bytes, size > 0 ? static_cast<std::size_t>(size) : 0};
  }

private:
  int before_;
  int pipe_[2] = {-1, -1};
};

} // namespace

TEST_CASE("the log holds the committed records, a line each") {
  scratch_directory directory;
  const auto path = directory / "alerts.ndjson";
  auto store = store_of({records[0]});
  alert_log log(path);
  REQUIRE(log.complete(store).ok());
  CHECK(read_bytes(path) == lines_of({records[0]}));
  add(store, {records[1], records[2]});
  REQUIRE(log.append({records[1], records[2]}).ok());
  REQUIRE(log.append({}).ok());
  CHECK(read_bytes(path) == lines_of(records));
  REQUIRE(log.complete(store).ok()); // a restarted world
  CHECK(read_bytes(path) == lines_of(records));
}

TEST_CASE("a log torn at any byte is completed") {
  scratch_directory directory;
  const auto path = directory / "alerts.ndjson";
  auto store = store_of(records);
  const auto whole = lines_of(records);
  for (std::size_t size = 0; size <= whole.size(); ++size) {
    for (const auto zeros :
         {std::size_t{0}, std::size_t{1}, std::size_t{5000}}) { // zeros: what a power failure may leave at the end
      write_bytes(path, whole.substr(0, size) + std::string(zeros, '\0'));
      alert_log log(path);
      auto completed = log.complete(store);
      REQUIRE_MESSAGE(completed, completed.failure().message);
      CHECK(read_bytes(path) == whole);
      REQUIRE(log.append({"next"}).ok());
      CHECK(read_bytes(path) == whole + "next\n");
    }
  }
}

TEST_CASE("a log of many megabytes is compared and completed") {
  scratch_directory directory;
  const auto path = directory / "alerts.ndjson";
  std::vector<std::string> many;
  for (int i = 0; i < 5000; ++i)
    many.push_back(std::to_string(i) + std::string(700, 'x'));
  auto store = store_of(many);
  const auto whole = lines_of(many);
  for (const auto size : {std::size_t{0}, std::size_t{1} << 20, (std::size_t{1} << 20) + 1, whole.size() - 1}) {
    write_bytes(path, whole.substr(0, size));
    alert_log log(path);
    REQUIRE(log.complete(store).ok());
    CHECK((read_bytes(path) == whole));
  }
}

TEST_CASE("a log that is not ours is refused and left as it is") {
  scratch_directory directory;
  const auto path = directory / "alerts.ndjson";
  auto store = store_of(records);
  const auto refused = [&](const std::string& bytes, const std::string& line) {
    write_bytes(path, bytes);
    alert_log log(path);
    auto completed = log.complete(store);
    REQUIRE(!completed);
    CHECK(completed.failure().code == error_code::sink);
    CHECK(completed.failure().fatal);
    CHECK(has(completed.failure().message, path));
    CHECK_MESSAGE(has(completed.failure().message, line), completed.failure().message);
    CHECK(has(completed.failure().message, "move the file away"));
    CHECK(!log.append({"x"}));
    CHECK(read_bytes(path) == bytes);
  };
  refused("a file of somebody else", "line 1 ");
  refused(std::string(10, '\0') + "x", "line 1 ");
  refused(lines_of({records[0], records[2]}), "line 2 ");
  refused(lines_of(records) + "{", "line 4 ");
  refused(lines_of({records[0]}) + "\n", "line 2 ");
  // A change of any single byte shows.
  const auto whole = lines_of(records);
  for (std::size_t at = 0; at < whole.size(); ++at) {
    auto changed = whole;
    changed[at] = static_cast<char>(changed[at] ^ 1);
    refused(changed, "(byte " + std::to_string(at) + ")");
  }
}

TEST_CASE("a log that was deleted is written again") {
  scratch_directory directory;
  const auto path = directory / "alerts.ndjson";
  auto store = store_of(records);
  alert_log log(path);
  REQUIRE(log.complete(store).ok());
  SUBCASE("deleted") {
    std::filesystem::remove(path);
  }
  SUBCASE("rotated") {
    std::filesystem::rename(path, path + ".1");
  }
  SUBCASE("emptied") {
    write_bytes(path, "");
  }
  SUBCASE("replaced") {
    std::filesystem::remove(path);
    write_bytes(path, lines_of(records));
  }
  // While we write it, too: the append would make a log with a hole.
  auto appended = log.append({"next"});
  REQUIRE(!appended);
  CHECK(!appended.failure().fatal);
  CHECK(!appended.failure().retriable);
  CHECK(has(appended.failure().message, path));
  REQUIRE(log.complete(store).ok());
  CHECK(read_bytes(path) == lines_of(records));
  CHECK(log.append({"next"}).ok());
}

TEST_CASE("a fresh log begins empty, once") {
  scratch_directory directory;
  const auto path = directory / "alerts.ndjson";
  write_bytes(path, "an older replay\n");
  auto store = store_of({});
  alert_log log(path, alert_log::start::fresh);
  REQUIRE(log.complete(store).ok());
  CHECK(read_bytes(path).empty());
  add(store, {records[0]});
  REQUIRE(log.append({records[0]}).ok());
  REQUIRE(log.complete(store).ok());
  CHECK(read_bytes(path) == lines_of({records[0]}));
  // The second time it is a log like any other: emptying it would hide this.
  write_bytes(path, "of somebody else");
  CHECK(!log.complete(store));
}

TEST_CASE("a full disk fails the append; trying again or completing goes on where it stopped") {
  scratch_directory directory;
  const auto path = directory / "alerts.ndjson";
  auto store = store_of({records[0]});
  const auto whole = lines_of(records);
  for (std::size_t room = records[0].size() + 1; room < whole.size(); ++room) {
    std::filesystem::remove(path);
    store = store_of({records[0]});
    alert_log log(path);
    REQUIRE(log.complete(store).ok());
    add(store, {records[1], records[2]});
    {
      full_disk full(room);
      for (int attempt = 0; attempt < 2; ++attempt) {
        auto appended = log.append({records[1], records[2]});
        REQUIRE(!appended);
        CHECK(appended.failure().code == error_code::sink);
        CHECK(appended.failure().retriable);
        CHECK(!appended.failure().fatal);
        CHECK(has(appended.failure().message, path));
      }
    }
    CHECK(read_bytes(path) == whole.substr(0, room));
    if (room % 2 == 0)
      REQUIRE(log.append({records[1], records[2]}).ok());
    else
      REQUIRE(log.complete(store).ok());
    CHECK(read_bytes(path) == whole);
    REQUIRE(log.append({"next"}).ok());
    CHECK(read_bytes(path) == whole + "next\n");
  }
}

TEST_CASE("a full disk fails the completion, which may be tried again") {
  scratch_directory directory;
  const auto path = directory / "alerts.ndjson";
  auto store = store_of(records);
  alert_log log(path);
  {
    full_disk full(20);
    auto completed = log.complete(store);
    REQUIRE(!completed);
    CHECK(completed.failure().retriable);
    CHECK(!log.append({"next"})); // would leave a hole
  }
  REQUIRE(log.complete(store).ok());
  CHECK(read_bytes(path) == lines_of(records));
}

TEST_CASE("a path that cannot be written is a fatal error that names it") {
  scratch_directory directory;
  auto store = store_of({});
  for (const auto& path : {directory / "no/such/folder/alerts.ndjson", directory / ""}) {
    alert_log log(path);
    auto completed = log.complete(store);
    REQUIRE(!completed);
    CHECK(completed.failure().fatal);
    CHECK(has(completed.failure().message, path));
  }
}

TEST_CASE("a device is a stream: nothing is read back, a full one is an error") {
  auto store = store_of(records);
  alert_log null("/dev/null");
  CHECK(null.complete(store).ok());
  CHECK(null.append({"x"}).ok());
  CHECK(null.complete(store).ok());
  alert_log full("/dev/full");
  auto completed = full.complete(store);
  REQUIRE(!completed);
  CHECK(completed.failure().retriable);
}

TEST_CASE("standard output gets each record once") {
  for (const char* path : {"", "-"}) {
    auto store = store_of({records[0]});
    std::string first;
    std::string second;
    std::string third;
    {
      captured_output output;
      alert_log log(path);
      const bool completed = log.complete(store).ok();
      first = output.read();
      add(store, {records[1]});
      const bool appended = log.append({records[1]}).ok();
      add(store, {records[2]}); // committed, but the world restarts before it is appended
      second = output.read();
      const bool again = log.complete(store).ok();
      third = output.read();
      CHECK((completed && appended && again));
    }
    CHECK(first == lines_of({records[0]}));
    CHECK(second == lines_of({records[1]}));
    CHECK(third == lines_of({records[2]}));
  }
}

TEST_CASE("a pipe that is full for a while loses nothing") {
  const std::string large(100'000, 'x');
  auto store = store_of({});
  std::string received;
  bool failed_once = false;
  bool went_on = false;
  {
    captured_output output;
    ::fcntl(STDOUT_FILENO, F_SETFL, O_NONBLOCK);
    alert_log log("-");
    CHECK(log.complete(store).ok());
    auto appended = log.append({large, "second"}); // more than a pipe holds
    failed_once = !appended && appended.failure().retriable;
    for (auto part = output.read(); !part.empty(); part = output.read())
      received += part;
    went_on = log.append({large, "second"}).ok();
    for (auto part = output.read(); !part.empty(); part = output.read())
      received += part;
  }
  CHECK(failed_once);
  CHECK(went_on);
  CHECK((received == lines_of({large, "second"})));
}
