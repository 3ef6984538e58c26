#include "tests/integration/support.hpp"

#include <doctest/doctest.h>

#include <algorithm>

using namespace tocsin::test;

TEST_CASE("a detector in shadow: its records are in the log and counted apart, and the others are as without it") {
  const std::string folder = TOCSIN_SOURCE_DIR "/tests/golden/z_score_beside_a_shadow/";
  temp_dir directory;
  auto config = nlohmann::json::parse(read_bytes(folder + "config.json"));
  const auto replay = [&](const std::string& name) {
    const auto path = written_config(directory, name + ".json", config);
    return run_process(
        tocsin_command({"replay", "--config", path, "--alerts", directory.file(name), folder + "input.ndjson"}));
  };
  const auto both = replay("both");
  REQUIRE(both.code == 0);
  CHECK(both.err.find("alert records         8 (4 in shadow)") != std::string::npos);
  CHECK(both.err.find("open incidents        0\n") != std::string::npos);

  config["monitors"][0]["detectors"].erase(1);
  const auto alone = replay("alone");
  REQUIRE(alone.code == 0);
  CHECK(alone.err.find("in shadow") == std::string::npos);
  const auto heard = [&](const std::string& name) {
    const auto shown = run_process(tocsin_command({"alerts", "--file", directory.file(name)}));
    CHECK(shown.code == 0);
    return shown.out;
  };
  const auto beside_it = heard("both");
  CHECK(std::count(beside_it.begin(), beside_it.end(), '\n') == 5); // a head and four records
  CHECK(beside_it == heard("alone"));
}
