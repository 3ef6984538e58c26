#include "tests/tools/tocsin.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <filesystem>

using namespace tocsin::test;

TEST_CASE("check sums up a right configuration") {
  const std::string examples = TOCSIN_SOURCE_DIR "/configs/examples";
  std::size_t checked = 0;
  for (const auto& entry : std::filesystem::directory_iterator(examples)) {
    if (entry.path().extension() != ".json")
      continue;
    const auto file = entry.path().string();
    CAPTURE(file);
    const auto finished = run_tocsin({"check", file});
    CHECK(finished.code == 0);
    CHECK(finished.out.find(": ok\n") != std::string::npos);
    ++checked;
  }
  CHECK(checked > 0);
  const auto views = run_tocsin({"check", examples + "/video_views.json"}).out;
  for (const auto* line : {"monitor playback-failures\n", "scope      [property]\n", "tick       10s\n",
                           "[cdn, country]", "threshold, count_bucket\n", "memory "}) {
    CAPTURE(line);
    CHECK(views.find(line) != std::string::npos);
  }
}

TEST_CASE("check tells every mistake on a line of its own and exits with 3") {
  const scratch_directory directory;
  const auto file = written(directory, "views.json", R"({
    "input": {"format": "ndjson", "time": {"field": "ts", "unit": "xs"}},
    "monitors": [{"nam": "m", "name": "m", "error_when": "a ="}]
  })");
  const auto finished = run_tocsin({"check", file});
  CHECK(finished.code == 3);
  CHECK(finished.out.empty());
  CHECK(std::count(finished.err.begin(), finished.err.end(), '\n') >= 3);
  for (const auto* place :
       {": /input/time/unit: found", ": /monitors/0/nam: found", ": /monitors/0/error_when: found"}) {
    CAPTURE(place);
    CHECK(finished.err.find(file + place) != std::string::npos);
  }
}

TEST_CASE("check shows settle, seasons and shadows, and warns of the latency") {
  const scratch_directory directory;
  const auto file = written(directory, "views.json", R"({
    "input": {"format": "ndjson", "time": {"field": "ts"}, "settle": "10m"},
    "monitors": [{"name": "m", "error_when": "a = 1", "season": {"zone": "Europe/Berlin"},
                  "capacity": {"max_leaf_cells": 10000},
                  "detectors": [{"type": "z_score", "shadow": true}, {"type": "burn_rate", "name": "slo"}]}]
  })");
  const auto finished = run_tocsin({"check", file});
  CHECK(finished.code == 0);
  for (const auto* line : {"settle       10m\n", "tick       1m\n", "season     Europe/Berlin\n",
                           "detectors  z_score in shadow, slo (burn_rate)\n"}) {
    CAPTURE(line);
    CHECK(finished.out.find(line) != std::string::npos);
  }
  CHECK(finished.err.find("warning: /input/settle: 10m: every alert comes so much later") != std::string::npos);
}

TEST_CASE("a configuration that is not there is exit code 3") {
  const auto finished = run_tocsin({"check", "/nowhere/views.json"});
  CHECK(finished.code == 3);
  CHECK(is_one_error_line(finished.err));
}
