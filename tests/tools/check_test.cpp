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

TEST_CASE("a configuration that is not there is exit code 3") {
  const auto finished = run_tocsin({"check", "/nowhere/views.json"});
  CHECK(finished.code == 3);
  CHECK(is_one_error_line(finished.err));
}
