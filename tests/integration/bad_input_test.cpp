#include "tests/integration/support.hpp"

#include <doctest/doctest.h>

#include <csignal>
#include <filesystem>
#include <random>
#include <sstream>

using namespace tocsin::test;

namespace {

using nlohmann::json;

constexpr std::int64_t first_time = 1'704'067'200'000;
constexpr std::size_t good_events = 5000;

json good_record(std::size_t i) {
  json record = {{"ts", first_time + static_cast<std::int64_t>(i) * 100},
                 {"viewer_id", i},
                 {"property", "p1"},
                 {"cdn", "fastly"},
                 {"country", "DE"},
                 {"title", "t1"},
                 {"severity", nullptr},
                 {"error_code", nullptr}};
  if (i >= 2000 && i < 3000 && i % 2 == 1) {
    record["severity"] = "fatal";
    record["error_code"] = "X";
  }
  return record;
}

std::string changed(std::size_t i, const char* field, const json& value) {
  auto record = good_record(i);
  record[field] = value;
  return record.dump();
}

std::string without(std::size_t i, const char* field) {
  auto record = good_record(i);
  record.erase(field);
  return record.dump();
}

/// Bad lines by the number of the good record that they follow.
std::map<std::size_t, std::vector<std::string>> bad_lines() {
  return {
      {500, {good_record(500).dump().substr(0, 40)}},
      {600, {std::string("\0\xff\xfe garbage \x01", 13), "GET / HTTP/1.1", "[1,2]", "\"text\"", "42", "{}}"}},
      {700, {changed(700, "ts", "soon"), changed(700, "ts", true), changed(700, "ts", -5), changed(700, "ts", 1e300)}},
      {800, {without(800, "ts"), "{}"}},
      {900, {changed(900, "title", json::object({{"a", 1}})), changed(900, "cdn", json::array({1}))}},
      {1000, {changed(1000, "ts", first_time * 2), changed(1000, "ts", first_time + 7'200'000)}},
      {1100, {changed(1100, "padding", std::string(3'000'000, 'x')), std::string(2'000'000, '{')}},
      {4900, {changed(4900, "ts", first_time - 36'000'000)}},
  };
}

const std::map<std::string, std::size_t> expected_reasons = {
    {"malformed", 7},     {"bad_time", 4}, {"missing_time", 2}, {"bad_type", 2},
    {"too_far_ahead", 2}, {"too_long", 2}, {"too_late", 1}};

/// A million bytes are a long record, and a good one.
std::string good_line(std::size_t i) {
  return i == 1200 ? changed(i, "padding", std::string(1'000'000, 'x')) : good_record(i).dump();
}

std::string clean_stream() {
  std::string text;
  for (std::size_t i = 0; i < good_events; ++i)
    text += good_line(i) + "\n";
  return text;
}

/// The same events, with byte order mark, both line ends, empty lines, bad lines and a torn last one.
std::string bad_stream() {
  const auto bad = bad_lines();
  std::string text = "\xEF\xBB\xBF";
  for (std::size_t i = 0; i < good_events; ++i) {
    text += good_line(i) + (i % 3 == 0 ? "\r\n" : "\n") + (i % 1000 == 0 ? "\n\r\n" : "");
    if (const auto found = bad.find(i); found != bad.end())
      for (const auto& line : found->second)
        text += line + "\n";
  }
  return text;
}

/// Bad lines move offsets, and nothing else.
std::vector<json> without_offsets(const std::string& log) {
  std::vector<json> records;
  std::istringstream lines(log);
  std::string line;
  while (std::getline(lines, line)) {
    records.push_back(json::parse(line));
    records.back().erase("source_offsets");
  }
  return records;
}

void check_summary(const std::string& err) {
  const auto summary = summary_of(err);
  CHECK(number_in(summary, "events") == good_events);
  for (const auto& [reason, count] : expected_reasons) {
    CAPTURE(reason);
    CHECK(number_in(summary, "rejected " + reason) == count);
  }
}

} // namespace

TEST_CASE("bad input: everything bad is counted by reason, kept as dead letters, and changes no verdict") {
  const temp_dir directory;
  const auto path = written_config(directory, "config.json", views_config(directory));
  const auto clean = replayed(path, {directory.write("clean.ndjson", clean_stream())});
  REQUIRE(check_records(clean) > 0);
  CHECK(directory.read("rejected.ndjson").empty());
  directory.write("views.ndjson", bad_stream());

  SUBCASE("replay") {
    std::string first;
    for (const auto* block : {"4096", "65536", "4194304"}) {
      std::filesystem::remove(directory.file("rejected.ndjson"));
      const auto finished =
          succeed({"replay", "--config", path, "--block-bytes", block, directory.file("views.ndjson")});
      check_summary(finished.err);
      CHECK(reasons_in(directory.read("rejected.ndjson")) == expected_reasons);
      check_records(finished.out);
      const bool same_verdicts = without_offsets(finished.out) == without_offsets(clean);
      CHECK(same_verdicts);
      first = first.empty() ? finished.out : first;
      CHECK(difference(finished.out, first) == "");
    }
  }
  SUBCASE("run --until-end") {
    check_summary(succeed({"run", "--config", path, "--until-end"}).err);
    CHECK(reasons_in(directory.read("rejected.ndjson")) == expected_reasons);
    const bool same_verdicts = without_offsets(directory.read("alerts.ndjson")) == without_offsets(clean);
    CHECK(same_verdicts);
  }
  SUBCASE("run, following, until SIGTERM") {
    process daemon(tocsin_command({"run", "--config", path}));
    REQUIRE(eventually([&] { return show_state(path).alerts > 0 && is_listening(daemon); }));
    REQUIRE(eventually([&] {
      return reasons_in(
                 directory.read("rejected.ndjson").substr(0, directory.read("rejected.ndjson").rfind('\n') + 1)) ==
             expected_reasons;
    }));
    daemon.signal(SIGTERM);
    const auto code = daemon.wait(20s);
    REQUIRE(code);
    CHECK(*code == 0);
    succeed({"run", "--config", path, "--until-end", "--quiet"});
    CHECK(reasons_in(directory.read("rejected.ndjson")) == expected_reasons);
  }
}

TEST_CASE("bad input: a last line that was torn is a dead letter, whatever came before it") {
  const temp_dir directory;
  const auto path = written_config(directory, "config.json", views_config(directory));
  const auto torn = directory.write("torn.ndjson", good_record(1).dump() + "\n" + R"({"ts":17040)");
  const auto finished = succeed({"replay", "--config", path, torn});
  CHECK(number_in(summary_of(finished.err), "rejected malformed") == 1);
  CHECK(number_in(summary_of(finished.err), "events") == 1);
}

TEST_CASE("bad input: nothing but garbage, or nothing at all, ends well") {
  const temp_dir directory;
  const auto path = written_config(directory, "config.json", views_config(directory));
  std::string garbage;
  std::minstd_rand random(7);
  for (int i = 0; i < 300'000; ++i)
    garbage += static_cast<char>(random() >> 8);
  for (const auto& text : {std::string(), std::string("\n"), std::string("\r\n\r\n"), std::string("\xEF\xBB\xBF"),
                           std::string(5000, '\0'), garbage}) {
    const auto finished = succeed({"replay", "--config", path, directory.write("input", text)});
    CHECK(finished.out.empty());
    CHECK(number_in(summary_of(finished.err), "events") == 0);
  }
  directory.write("views.ndjson", "");
  succeed({"run", "--quiet", "--config", path, "--until-end"});
  succeed({"run", "--quiet", "--config", path, "--until-end"});
}

TEST_CASE("bad input: CSV with a byte order mark, both line ends and bad rows") {
  const temp_dir directory;
  const auto path = written_config(
      directory, "config.json",
      json::parse(R"({"input": {"format": "csv", "time": {"field": "ts", "unit": "ms"}, "total": "n", "failed": "bad"},
                      "monitors": [{"name": "counts", "levels": [["cdn"]]}]})"));
  const auto rows = directory.write("rows.csv", "\xEF\xBB\xBFts,n,bad,cdn\r\n"
                                                "1704067200000,10,1,a\r\n"
                                                "1704067201000,10,1,\"a,b\"\n"
                                                "1704067202000,1.5,1,a\n"
                                                "1704067202000,10,11,a\n"
                                                "1704067202000,-1,0,a\n"
                                                "1704067202000,ten,1,a\n"
                                                "1704067202000,,1,a\n"
                                                "never,10,1,a\n"
                                                ",10,1,a\n"
                                                "\n"
                                                "1704067203000,10,1,a");
  const auto summary = summary_of(succeed({"replay", "--config", path, rows}).err);
  CHECK(number_in(summary, "events") == 3);
  CHECK(number_in(summary, "rejected bad_count") == 4);
  CHECK(number_in(summary, "rejected missing_outcome") == 1);
  CHECK(number_in(summary, "rejected bad_time") == 1);
  CHECK(number_in(summary, "rejected missing_time") == 1);
  succeed({"replay", "--config", path, directory.write("header.csv", "ts,n,bad,cdn")});
  succeed({"replay", "--config", path, directory.write("empty.csv", "")});
}

TEST_CASE("bad input: what is missing, a folder, or damaged is exit code 4 and one line") {
  const temp_dir directory;
  auto config = views_config(directory);
  config.erase("state");
  const auto path = written_config(directory, "config.json", config);
  const auto packed = [&](const std::string& name, const std::string& magic) {
    return directory.write(name, magic + "this is no compressed data");
  };
  for (const auto& input : {directory.file("none"), directory.path(), packed("bad.gz", "\x1f\x8b\x08"),
                            packed("bad.zst", "\x28\xb5\x2f\xfd")}) {
    CAPTURE(input);
    const auto finished = run_tocsin({"replay", "--quiet", "--config", path, input});
    CHECK(finished.code == 4);
    CAPTURE(finished.err);
    CHECK(is_one_error_line(finished.err));
    CHECK(finished.err.find(input.substr(0, input.find_last_not_of('/') + 1)) != std::string::npos);
  }
  CHECK(run_tocsin({"run", "--quiet", "--config", path, "--until-end"}).code == 4);
}
