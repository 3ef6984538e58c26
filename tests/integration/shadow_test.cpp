#include "tests/integration/support.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <sstream>
#include <string>

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
  // Told are the records of pages: neither what is on trial, nor what a page explains.
  auto told = 0;
  auto explained = 0;
  std::istringstream lines(read_bytes(directory.file("both")));
  for (std::string line; std::getline(lines, line);) {
    const auto record = nlohmann::json::parse(line);
    if (!record.at("shadow").get<bool>())
      ++(record.at("parent_id").is_null() ? told : explained);
  }
  CHECK(told > 0);
  CHECK(told + explained == 4);
  const auto beside_it = heard("both");
  CHECK(std::count(beside_it.begin(), beside_it.end(), '\n') == 1 + told); // a head, and a line each
  CHECK(beside_it == heard("alone"));
}
