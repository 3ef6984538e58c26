#include "tests/tools/tocsin.hpp"

#include <doctest/doctest.h>

using namespace tocsin::test;

TEST_CASE("help and version succeed and say something") {
  const auto help = run_tocsin({"--help"});
  CHECK(help.code == 0);
  CHECK(help.err.empty());
  CHECK(help.out.find("generate") != std::string::npos);
  CHECK(help.out.find("Exit codes") != std::string::npos);
  CHECK(run_tocsin({"--version"}).out.rfind("tocsin 0.", 0) == 0);
  for (const auto* command : {"check", "generate", "alerts"}) {
    CAPTURE(command);
    const auto of_command = run_tocsin({command, "--help"});
    CHECK(of_command.code == 0);
    CHECK(of_command.out.find("Usage: tocsin " + std::string(command)) != std::string::npos);
    CHECK(of_command.out.find("Example") != std::string::npos);
  }
}

TEST_CASE("a mistake on the command line is one line and exit code 2") {
  const std::vector<std::vector<std::string>> mistakes = {
      {},
      {"genrate"},
      {"generate", "--evnts", "3"},
      {"generate", "--events", "many"},
      {"generate", "--events", "-1"},
      {"generate", "--scenario", "vidio"},
      {"generate", "--duration", "7"},
      {"generate", "--start", "yesterday"},
      {"generate", "--rate", "0"},
      {"generate", "--late-fraction", "1.5"},
      {"generate", "--partitions", "2"},
      {"generate", "--partitions", "0", "--out", "x"},
      {"generate", "--events", "1", "--aggregate", "10s", "--disorder", "1s"},
      {"generate", "--incident", "start=2h"},
      {"generate", "--incident", "for=2h,rate=0.5,times=2"},
      {"generate", "--incident", "for=2h,rate=0.5,where=cdn:nobody"},
      {"generate", "--incident", "for=2h,rate=0.5,where=cdn:fastly;cdn:akamai"},
      {"generate", "--incident", "for=2h,rate=0.5,where=city:Bonn"},
      {"generate", "--incident", "for=2h,rate=0.5,colour=red"},
      {"alerts", "--kind", "opened"},
      {"alerts", "--severity", "major,bad"},
      {"alerts", "--key", "cdn"},
      {"alerts", "--since", "noon"},
      {"alerts", "--open", "--follow"},
      {"check"},
  };
  for (const auto& arguments : mistakes) {
    std::string line;
    for (const auto& argument : arguments)
      line += argument + " ";
    CAPTURE(line);
    const auto finished = run_tocsin(arguments);
    CHECK(finished.code == 2);
    CHECK(finished.out.empty());
    CAPTURE(finished.err);
    CHECK(is_one_error_line(finished.err));
  }
}

TEST_CASE("output that cannot be written is exit code 5") {
  const auto full = run_tocsin({"generate", "--events", "10", "--out", "/dev/full"});
  CHECK(full.code == 5);
  CHECK(is_one_error_line(full.err));
  CHECK(full.err.find("/dev/full") != std::string::npos);
  CHECK(full.err.find("No space left") != std::string::npos);
  CHECK(run_tocsin({"generate", "--events", "10", "--quiet", "--out", "/nowhere/x"}).code == 5);
  CHECK(run_tocsin({"generate", "--events", "10", "--quiet", "--out", "/dev/null", "--truth", "/dev/full"}).code == 5);
}

TEST_CASE("a reader that goes away is an end, not an error") {
  const scratch_directory directory;
  const auto shell = [](const std::string& command) { return run_process({"/bin/bash", "-c", command}); };
  const std::string executable = TOCSIN_EXECUTABLE;
  const auto generated = shell("set -o pipefail; '" + executable + "' generate --events 100000 | head -n 1 >/dev/null");
  CHECK(generated.code == 0);
  CHECK(generated.err.empty());

  std::string log;
  for (int i = 0; i < 20'000; ++i)
    log += R"({"id":"a","kind":"open","tick":"2024-01-01T00:00:00.000Z","monitor":"a monitor with a long name"})"
           "\n";
  const auto file = written(directory, "alerts.ndjson", log);
  const auto listed =
      shell("set -o pipefail; '" + executable + "' alerts --file '" + file + "' | head -n 1 >/dev/null");
  CHECK(listed.code == 0);
  CHECK(listed.err.empty());
  CHECK(shell("set -o pipefail; '" + executable + "' --help | true").code == 0);

  // Every command that prints much: a replay to standard output, and what is printed of its state.
  const auto config = written(directory, "config.json",
                              R"({
    "input": {"format": "ndjson", "time": {"field": "ts", "unit": "ms"}, "file": {"paths": [")" +
                                  (directory / "views.ndjson") + R"("]}},
    "monitors": [{"name": "m", "error_when": "error_code IS NOT NULL", "levels": [[], ["title"], ["title", "country"]],
                  "detectors": [{"type": "threshold", "rate": 0.1, "window": "1m", "min_events": 20}]}],
    "alerts": {"file": ")" + (directory / "log.ndjson") +
                                  R"("}, "state": {"sqlite": ")" + (directory / "state.db") + R"("}})");
  REQUIRE(run_tocsin({"generate", "--events", "30000", "--quiet", "--out", directory / "views.ndjson"}).code == 0);
  REQUIRE(run_tocsin({"run", "--config", config, "--until-end", "--quiet"}).code == 0);
  for (const auto* command : {"state keys --config", "state export --config", "replay --quiet --config"}) {
    CAPTURE(command);
    auto line = "set -o pipefail; '" + executable + "' " + command + " '" + config + "'";
    if (std::string(command).rfind("replay", 0) == 0)
      line += " '" + (directory / "views.ndjson") + "'";
    const auto finished = shell(line + " | head -n 1 >/dev/null");
    CHECK(finished.code == 0);
    CHECK(finished.err.empty());
  }
  const auto full = shell("'" + executable + "' state show --config '" + config + "' > /dev/full");
  CHECK(full.code == 5);
  CHECK(is_one_error_line(full.err));
}

TEST_CASE("a profile with a mistake is exit code 3 and names its place") {
  const scratch_directory directory;
  const std::vector<std::pair<std::string, std::string>> mistakes = {
      {"[1]", "found [1], expected an object"},
      {"{\"rate\": \"high\"}", "/rate: found \"high\", expected a number"},
      {"{\"lenght\": \"7d\"}", "/lenght: found this key, expected one of"},
      {"{\"length\": 7}", "/length: found 7, expected a duration"},
      {"{\"values\": {\"cdn\": {\"names\": [1]}}}", "/values/cdn/names/0: found 1, expected text"},
      {"{\"incidents\": [{\"for\": \"1h\"}]}", "expected either rate or times"},
      {"{\"rate\": ", "not JSON"},
      {"{\"error_codes\": []}", "error_codes: found 0"},
      {"{\"values\": {\"title\": {\"count\": 0}}}", "title: found 0 values"},
  };
  for (const auto& [text, expected] : mistakes) {
    CAPTURE(text);
    const auto finished = run_tocsin({"generate", "--profile", written(directory, "p.json", text), "--events", "1"});
    CHECK(finished.code == 3);
    CAPTURE(finished.err);
    CHECK(is_one_error_line(finished.err));
    CHECK(finished.err.find(expected) != std::string::npos);
  }
  CHECK(run_tocsin({"generate", "--profile", directory / "none.json"}).code == 3);
}
