#include "tests/integration/support.hpp"

#include <doctest/doctest.h>

#include <filesystem>

using namespace tocsin::test;

namespace {

/// A configuration and a state that was written with it.
struct written_state {
  temp_dir directory;
  nlohmann::json config = views_config(directory);
  std::string path = written_config(directory, "config.json", config);

  written_state() {
    generated(directory, "views.ndjson", {"--rate", "50", "--events", "20000"});
    succeed({"run", "--quiet", "--until-end", "--config", path});
  }
  finished_process run_again() { return run_tocsin({"run", "--quiet", "--until-end", "--config", path}); }
};

void check_refused(const finished_process& finished, const std::string& text) {
  CAPTURE(finished.err);
  CHECK(finished.code == 6);
  CHECK(is_one_error_line(finished.err));
  CHECK(finished.err.find(text) != std::string::npos);
}

} // namespace

TEST_CASE("state: a restart after the end changes nothing") {
  written_state state;
  const auto log = state.directory.read("alerts.ndjson");
  CHECK(check_records(log) > 0);
  CHECK(state.run_again().code == 0);
  CHECK(difference(state.directory.read("alerts.ndjson"), log) == "");
}

TEST_CASE("state: of another configuration, another input, another program, or damaged is exit code 6") {
  written_state state;
  const auto log = state.directory.read("alerts.ndjson");
  SUBCASE("another configuration") {
    state.config["monitors"][0]["detectors"][0]["rate"] = 0.2;
    written_config(state.directory, "config.json", state.config);
    check_refused(state.run_again(), "configuration changed");
  }
  SUBCASE("another input") {
    state.config["input"]["file"]["paths"] = {state.directory.write("other.ndjson", "")};
    written_config(state.directory, "config.json", state.config);
    check_refused(state.run_again(), "inputs changed");
  }
  SUBCASE("no database") {
    state.directory.write("state.db", "This is a letter to my bank.\n");
    check_refused(state.run_again(), "no SQLite database");
  }
  SUBCASE("damaged") {
    auto bytes = state.directory.read("state.db");
    for (std::size_t at = 4096; at < bytes.size(); at += 37)
      bytes[at] = static_cast<char>(bytes[at] ^ 0x55);
    state.directory.write("state.db", bytes);
    check_refused(state.run_again(), "state.db");
  }
  SUBCASE("cut off") {
    const auto bytes = state.directory.read("state.db");
    state.directory.write("state.db", bytes.substr(0, bytes.size() / 2));
    check_refused(state.run_again(), "state.db");
  }
  SUBCASE("in use") {
    state.config["input"]["file"]["paths"] = {state.directory.file("views.ndjson")};
    const process other(tocsin_command({"run", "--quiet", "--config", state.path}));
    REQUIRE(eventually([&] { return is_listening(other); }));
    REQUIRE(eventually([&] { return state.run_again().code == 6; }));
    check_refused(state.run_again(), "in use by process");
  }
  CHECK(difference(state.directory.read("alerts.ndjson"), log) == "");
}

TEST_CASE("state: a foreign alert log is exit code 5 and stays as it is") {
  written_state state;
  state.directory.write("alerts.ndjson", "my diary\n");
  const auto finished = state.run_again();
  CAPTURE(finished.err);
  CHECK(finished.code == 5);
  CHECK(is_one_error_line(finished.err));
  CHECK(state.directory.read("alerts.ndjson") == "my diary\n");
}

TEST_CASE("state: a deleted or cut alert log is written again") {
  written_state state;
  const auto log = state.directory.read("alerts.ndjson");
  std::filesystem::remove(state.directory.file("alerts.ndjson"));
  CHECK(state.run_again().code == 0);
  CHECK(difference(state.directory.read("alerts.ndjson"), log) == "");
  state.directory.write("alerts.ndjson", log.substr(0, log.size() / 2));
  CHECK(state.run_again().code == 0);
  CHECK(difference(state.directory.read("alerts.ndjson"), log) == "");
}
