#include "io/file/reject_log.hpp"
#include "tests/support/temp_dir.hpp"

#include <doctest/doctest.h>
#include <nlohmann/json.hpp>

#include <sstream>

using namespace tocsin;
using namespace tocsin::io;
using namespace tocsin::test;

TEST_CASE("rejects become lines of valid JSON, whatever the record held") {
  const temp_dir dir;
  {
    auto log = open_reject_log(dir.file("dead.ndjson"), {"views", "other"});
    REQUIRE(log.ok());
    REQUIRE(
        (*log)->write({{0, 12, reject_reason::bad_time, "a \"quoted\"\nword", std::string("\xff\x00\n{", 4)}}).ok());
    REQUIRE((*log)->write({}).ok());
    REQUIRE(
        (*log)->write({{1, 3, reject_reason::malformed, "", "\xc3"}, {7, 4, reject_reason::too_long, "", ""}}).ok());
    std::istringstream text(dir.read("dead.ndjson"));
    std::vector<nlohmann::json> lines;
    for (std::string line; std::getline(text, line);)
      lines.push_back(nlohmann::json::parse(line));
    REQUIRE(lines.size() == 3);
    CHECK(lines[0]["partition"] == "views");
    CHECK(lines[0]["offset"] == 12);
    CHECK(lines[0]["reason"] == "bad_time");
    CHECK(lines[0]["detail"] == "a \"quoted\"\nword");
    CHECK(lines[0]["excerpt"] == std::string("\xef\xbf\xbd\0\n{", 6));
    CHECK(lines[1]["excerpt"] == "\xef\xbf\xbd");
    CHECK(lines[2]["partition"] == "7");
  }
}

TEST_CASE("the reject log is appended to behind its last whole line") {
  const temp_dir dir;
  for (const std::size_t torn : {std::size_t{0}, std::size_t{9}, std::size_t{9000}}) {
    dir.write("dead", "{}\n" + std::string(torn, 'x'));
    auto log = open_reject_log(dir.file("dead"), {});
    REQUIRE(log.ok());
    REQUIRE((*log)->write({{0, 1, reject_reason::too_late, "d", "e"}}).ok());
    CHECK(dir.read("dead") == "{}\n{\"partition\":\"0\",\"offset\":1,\"reason\":\"too_late\",\"detail\":\"d\","
                              "\"excerpt\":\"e\"}\n");
  }
  dir.write("dead", "torn");
  REQUIRE(open_reject_log(dir.file("dead"), {}).ok());
  CHECK(dir.read("dead").empty());
}

TEST_CASE("a full disk is a retriable error with the path") {
  auto log = open_reject_log("/dev/full", {});
  REQUIRE(log.ok());
  const auto written = (*log)->write({{0, 1, reject_reason::malformed, "d", "e"}});
  REQUIRE_FALSE(written.ok());
  CHECK(written.failure().code == error_code::sink);
  CHECK(written.failure().retriable);
  CHECK(written.failure().message == "/dev/full: cannot be written: No space left on device");
  CHECK_FALSE(open_reject_log("/nowhere/dead", {}).ok());
}
