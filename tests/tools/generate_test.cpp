// The generate command as a user runs it: what is in its files.
#include "tests/tools/tocsin.hpp"
#include "tools/common/units.hpp"

#include <doctest/doctest.h>
#include <nlohmann/json.hpp>
#include <xxhash.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <set>
#include <sstream>

using namespace tocsin;
using namespace tocsin::test;
using nlohmann::json;

namespace {

std::vector<json> views_of(const std::string& text) {
  std::vector<json> views;
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);)
    views.push_back(json::parse(line));
  return views;
}

time_ms time_of(const json& view) {
  return view.at("ts").get<time_ms>();
}

bool failed(const json& view) {
  return view.at("severity") == "fatal";
}

bool matches(const json& view, const json& incident) {
  const auto begin = tools::parse_rfc3339(incident.at("start").get<std::string>());
  const auto end = tools::parse_rfc3339(incident.at("end").get<std::string>());
  if (time_of(view) < *begin || time_of(view) >= *end)
    return false;
  for (const auto& [dimension, value] : incident.at("where").items())
    if (view.at(dimension) != value)
      return false;
  return true;
}

} // namespace

TEST_CASE("the same seed gives the same bytes, another seed others") {
  const auto once = run_tocsin({"generate", "--events", "20000", "--disorder", "3s", "--seed", "7"});
  REQUIRE(once.code == 0);
  CHECK(std::count(once.out.begin(), once.out.end(), '\n') == 20'000);
  CHECK(run_tocsin({"generate", "--events", "20000", "--disorder", "3s", "--seed", "7"}).out == once.out);
  CHECK(run_tocsin({"generate", "--events", "20000", "--disorder", "3s", "--seed", "8"}).out != once.out);
}

TEST_CASE("the bytes of a seed do not change from version to version") {
  const auto hash = [](const std::string& scenario) {
    const auto made = run_tocsin({"generate", "--scenario", scenario, "--events", "5000", "--seed", "42"});
    return XXH3_64bits(made.out.data(), made.out.size());
  };
  CHECK(hash("video") == 2900603616568982399ULL);
  CHECK(hash("quiet") == 7307924459367960890ULL);
  CHECK(hash("sparse") == 5952052929434047270ULL);
  CHECK(hash("flood") == 16153273945024314065ULL);
  CHECK(hash("fleet") == 7471547444285416578ULL);
}

TEST_CASE("the truth file counts what is in the stream") {
  const scratch_directory directory;
  const auto truth_file = directory / "truth.json";
  const auto made = run_tocsin({"generate", "--scenario", "video", "--duration", "4h", "--rate", "20", "--incident",
                                "start=90m,for=20m,where=cdn:cloudfront;player:ios,times=8", "--disorder", "5s",
                                "--late-fraction", "0.02", "--late-by", "10m", "--truth", truth_file});
  REQUIRE(made.code == 0);
  const auto truth = json::parse(read_bytes(directory / "truth.json"));
  const auto views = views_of(made.out);
  CHECK(truth.at("events") == views.size());
  CHECK(truth.at("failures") == std::count_if(views.begin(), views.end(), failed));
  REQUIRE(truth.at("incidents").size() == 4);
  for (const auto& incident : truth.at("incidents")) {
    CAPTURE(incident.dump());
    std::size_t events = 0;
    std::size_t failures = 0;
    std::set<std::string> viewers;
    for (const auto& view : views) {
      if (!matches(view, incident))
        continue;
      ++events;
      failures += failed(view) ? 1U : 0U;
      if (failed(view))
        viewers.insert(view.at("viewer_id").get<std::string>());
    }
    CHECK(incident.at("events") == events);
    CHECK(incident.at("failures") == failures);
    CHECK(incident.at("failing_viewers") == viewers.size());
    // What was caused is near what was to be expected: four standard deviations of a count that retries inflate.
    const auto excess = incident.at("expected_excess").get<double>();
    CHECK(excess > 10);
    CHECK(std::abs(incident.at("caused_failures").get<double>() - excess) < 4 * std::sqrt(1.5 * excess));
  }
}

TEST_CASE("a number of views ends the stream exactly, and the truth with it") {
  const scratch_directory directory;
  const auto made = run_tocsin({"generate", "--events", "3000", "--truth", directory / "truth.json"});
  const auto views = views_of(made.out);
  CHECK(views.size() == 3000);
  const auto truth = json::parse(read_bytes(directory / "truth.json"));
  CHECK(truth.at("events") == 3000);
  CHECK(truth.at("failures") == std::count_if(views.begin(), views.end(), failed));
  CHECK(tools::parse_rfc3339(truth.at("last").get<std::string>()) == time_of(views.back()));
}

TEST_CASE("an incident's own error code is that of the failures it causes") {
  const auto made = run_tocsin({"generate", "--scenario", "quiet", "--duration", "1h", "--rate", "20", "--incident",
                                "start=20m,for=20m,rate=0.5,error=\"odd\" code"});
  REQUIRE(made.code == 0);
  std::map<std::string, int> inside;
  int outside = 0;
  for (const auto& view : views_of(made.out))
    if (failed(view)) {
      const auto minute = (time_of(view) - 1704067200000) / minute_ms;
      const auto code = view.at("error_code").get<std::string>();
      if (minute >= 20 && minute < 40)
        ++inside[code];
      else if (minute < 20 && code == "\"odd\" code")
        ++outside;
    }
  CHECK(inside["\"odd\" code"] > 1000);
  CHECK(outside == 0);
}

TEST_CASE("partitions divide the stream by viewer and keep its order") {
  const scratch_directory directory;
  const auto whole = run_tocsin({"generate", "--events", "5000"}).out;
  REQUIRE(run_tocsin({"generate", "--events", "5000", "--partitions", "3", "--out", directory / "v"}).code == 0);
  std::map<std::string, int> partition_of;
  std::vector<std::string> divided;
  for (int i = 0; i < 3; ++i) {
    time_ms last = 0;
    const auto text = read_bytes(directory / "v." + std::to_string(i));
    for (const auto& view : views_of(text)) {
      CHECK(time_of(view) >= last);
      last = time_of(view);
      const auto placed = partition_of.emplace(view.at("viewer_id").get<std::string>(), i);
      CHECK(placed.first->second == i);
    }
    std::istringstream lines(text);
    const auto before = divided.size();
    for (std::string line; std::getline(lines, line);)
      divided.push_back(line);
    CHECK(divided.size() - before > 1400);
  }
  std::vector<std::string> all;
  std::istringstream lines(whole);
  for (std::string line; std::getline(lines, line);)
    all.push_back(line);
  std::sort(all.begin(), all.end());
  std::sort(divided.begin(), divided.end());
  CHECK(all == divided);
}

TEST_CASE("CSV holds the same views as NDJSON") {
  const auto csv = run_tocsin({"generate", "--events", "2000", "--format", "csv"}).out;
  const auto views = views_of(run_tocsin({"generate", "--events", "2000"}).out);
  std::istringstream lines(csv);
  std::string line;
  std::getline(lines, line);
  CHECK(line == "ts,view_id,viewer_id,property,cdn,country,player,title,severity,error_code");
  const auto text = [](const json& value) { return value.is_null() ? "" : value.get<std::string>(); };
  for (const auto& view : views) {
    REQUIRE(std::getline(lines, line));
    auto expected = std::to_string(time_of(view));
    for (const auto* field :
         {"view_id", "viewer_id", "property", "cdn", "country", "player", "title", "severity", "error_code"})
      expected += "," + text(view.at(field));
    CHECK(line == expected);
  }
  CHECK_FALSE(std::getline(lines, line));
}

TEST_CASE("aggregated counts add up to the views") {
  const auto views = views_of(run_tocsin({"generate", "--events", "5000", "--rate", "50"}).out);
  const auto counts = views_of(run_tocsin({"generate", "--events", "5000", "--rate", "50", "--aggregate", "30s"}).out);
  CHECK(counts.size() < views.size());
  const auto cell = [](const json& line, time_ms time) {
    std::string key = std::to_string(time);
    for (const auto* field : {"property", "cdn", "country", "player", "title"})
      key += "," + line.at(field).get<std::string>();
    return key;
  };
  std::map<std::string, std::pair<int, int>> expected;
  for (const auto& view : views) {
    auto& [total, bad] = expected[cell(view, time_of(view) / 30'000 * 30'000)];
    ++total;
    bad += failed(view) ? 1 : 0;
  }
  std::map<std::string, std::pair<int, int>> found;
  for (const auto& line : counts)
    CHECK(
        found.emplace(cell(line, time_of(line)), std::pair(line.at("n").get<int>(), line.at("bad").get<int>())).second);
  CHECK(found == expected);
}

TEST_CASE("a profile file shapes the stream") {
  const scratch_directory directory;
  const auto profile = written(directory, "p.json", R"({
    // names that need quoting
    "rate": 50, "length": "2m", "start": "2020-02-29T00:00:00Z", "view_ids": false,
    "values": {"cdn": {"names": ["a \"b\", c"]}, "title": {"prefix": "x\\", "count": 3}}
  })");
  const auto made = run_tocsin({"generate", "--profile", profile});
  REQUIRE(made.code == 0);
  const auto views = views_of(made.out);
  CHECK(views.size() > 1000);
  std::set<std::string> titles;
  for (const auto& view : views) {
    CHECK(view.at("cdn") == "a \"b\", c");
    CHECK_FALSE(view.contains("view_id"));
    CHECK(time_of(view) >= 1582934400000);
    CHECK(time_of(view) < 1582934400000 + 2 * minute_ms);
    titles.insert(view.at("title").get<std::string>());
  }
  CHECK(titles == std::set<std::string>{"x\\1", "x\\2", "x\\3"});
  const auto csv = run_tocsin({"generate", "--profile", profile, "--format", "csv"}).out;
  CHECK(csv.find(",\"a \"\"b\"\", c\",") != std::string::npos);
}
