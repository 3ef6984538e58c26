#include "tests/tools/tocsin.hpp"
#include "tools/report/incident_book.hpp"
#include "tools/report/page_file.hpp"
#include "tools/report/proof.hpp"
#include "tools/report/rate_series.hpp"
#include "tools/report/report_data.hpp"
#include "tools/report/second_pass.hpp"
#include "tools/report/words.hpp"

#include <doctest/doctest.h>
#include <nlohmann/json.hpp>

#include <random>
#include <sstream>

using namespace tocsin;
using namespace tocsin::tools;
using namespace tocsin::test;
using json = nlohmann::ordered_json;

namespace {

constexpr time_ms noon = 1462363200000; // 2016-05-04T12:00:00Z

/// A record of one incident; change what you like.
json record_of(const std::string& id, int revision = 0, const std::string& kind = "open") {
  return {{"schema", 1},
          {"id", id},
          {"revision", revision},
          {"kind", kind},
          {"status", kind == "resolve" ? "closed" : "open"},
          {"severity", "warning"},
          {"monitor", "plays"},
          {"detector", "sr_mixture"},
          {"shadow", false},
          {"scope", {{"customer", "c1"}}},
          {"level", {"cdn"}},
          {"tick", format_rfc3339(noon + 60000 * (revision + 1))},
          {"key", {{"customer", "c1"}, {"cdn", "fast"}}},
          {"measurement", "error_rate"},
          {"measured_value", 0.0841121},
          {"baseline_value", 0.0112149},
          {"interval", {0.0525, 0.1261}},
          {"sample_size", 214},
          {"failures", 18},
          {"expected_failures", 2.4},
          {"excess_failures", 15.6},
          {"affected_viewers", 15},
          {"evidence", 3.8},
          {"once_in_days", 114},
          {"confidence", 0.993},
          {"contributors", json::array()},
          {"parent_id", nullptr},
          {"children", json::array()},
          {"children_count", 0},
          {"error_types", json::array()},
          {"reopen_count", 0},
          {"onset", format_rfc3339(noon)},
          {"detected_at", format_rfc3339(noon + 60000)},
          {"closes_when", "rate below 4.8 %"},
          {"model",
           {{"events_on_open", 214},
            {"failures_on_open", 18},
            {"expected_rate_on_open", 0.0112149},
            {"expected_failures_on_open", 2.4},
            {"min_ratio", 1.25},
            {"min_difference", 0.002},
            {"min_excess_failures", 16},
            {"tail_probability", 2.3e-9},
            {"guard", 1.21},
            {"threshold", 1},
            {"budget_per_day", 0.021},
            {"incidents_per_day", 0.1}}},
          {"source_offsets", {{"0", 123}}},
          {"description", "what happened"}};
}

void add(incident_book& book, const json& record) {
  REQUIRE(book.add(record.dump()));
}

/// The object that the page holds.
json data_of(const std::string& page) {
  const std::string mark = R"(<script id="data" type="application/json">)";
  const auto begin = page.find(mark) + mark.size();
  const auto text = page.substr(begin, page.find("</script>", begin) - begin);
  return json::parse(text);
}

io::config config_of(const std::string& text) {
  auto outcome = io::parse_config(text, "config.json");
  REQUIRE(outcome.value);
  return *outcome.value;
}

const char* const plays_config = R"({
  "input": {"format": "ndjson", "time": {"field": "ts", "unit": "ms"}, "allowed_lateness": "0s"},
  "monitors": [{"name": "plays", "error_when": "failed", "scope": ["customer"],
                "levels": [[], ["cdn"], ["cdn", "country"]],
                "detectors": [{"type": "sr_mixture"}, {"type": "threshold", "rate": 0.3, "min_events": 20}]}]})";

/// Two hours of two events a second and 1 % failures; from 13:30 to 13:50, 40 % of those of cdn `fast`.
std::string events() {
  std::mt19937 random(9);
  std::ostringstream text;
  for (int i = 0; i < 14400; ++i) {
    const bool fast = i % 2 == 0;
    const auto chance = fast && i >= 10800 && i < 13200 ? 0.4 : 0.01;
    const bool failed = static_cast<double>(random()) / 4294967296.0 < chance;
    text << R"({"ts":)" << noon + i * 500 << R"(,"customer":"c1","cdn":")" << (fast ? "fast" : "slow")
         << R"(","country":")" << (random() % 2 == 0 ? "DE" : "FR") << R"(","failed":)" << (failed ? "true" : "false")
         << "}\n";
  }
  return text.str();
}

} // namespace

TEST_CASE("report: records become incidents with their worst severity, latest numbers and causes") {
  incident_book book;
  auto open = record_of("a");
  auto update = record_of("a", 1, "update");
  update["severity"] = "critical";
  update["contributors"] = {{{"set", {{"cdn", "fast"}, {"country", nullptr}}}, {"excess", 14.1}, {"share", 0.9}}};
  auto resolve = record_of("a", 2, "resolve");
  resolve["excess_failures"] = 40;
  resolve["baseline_value"] = 0.5;
  for (const auto& record : {open, update, resolve})
    add(book, record);
  add(book, update); // told again after a restart

  REQUIRE(book.incidents().size() == 1);
  const auto& one = book.incidents()[0];
  CHECK(book.records() == 3);
  CHECK(one.severity == "critical");
  CHECK(one.cause == "cdn=fast, country=(none)");
  CHECK(one.excess == 40);
  CHECK(one.rate == 0.0841121);
  CHECK(one.baseline == doctest::Approx(2.4 / 214)); // since the onset, not of now
  CHECK_FALSE(one.is_open);
  CHECK(one.ended == noon + 3 * 60000);
  CHECK(one.history.size() == 3);
  CHECK(json::parse(one.opening) == open);
  CHECK(json::parse(one.latest) == resolve);
  CHECK(json::parse(one.causes) == update);
  CHECK_FALSE(book.add("{}"));
  CHECK_FALSE(book.add("nothing"));
}

TEST_CASE("report: a long history keeps its beginning and its end") {
  incident_book book;
  for (int i = 0; i < 500; ++i)
    add(book, record_of("a", i, i == 0 ? "open" : "update"));
  const auto& one = book.incidents()[0];
  REQUIRE(one.history.size() == incident_book::max_history);
  CHECK(one.history_left_out == 500 - incident_book::max_history);
  CHECK(one.history.front().revision == 0);
  CHECK(one.history[incident_book::max_history / 2 - 1].revision == incident_book::max_history / 2 - 1);
  CHECK(one.history.back().revision == 499);
}

TEST_CASE("report: pages come before children, children before shadows, the worst first") {
  incident_book book;
  const auto with = [&](const std::string& id, const char* severity, double excess, const char* field, const json& is) {
    auto record = record_of(id);
    record["severity"] = severity;
    record["excess_failures"] = excess;
    record[field] = is;
    add(book, record);
  };
  with("shadow", "critical", 900, "shadow", true);
  with("child", "critical", 800, "parent_id", "page");
  with("small", "critical", 5, "shadow", false);
  with("major", "major", 700, "shadow", false);
  with("page", "critical", 6, "shadow", false);
  std::vector<std::string> order;
  for (const auto i : book.worst_first())
    order.push_back(book.incidents()[i].id);
  CHECK(order == std::vector<std::string>{"page", "small", "major", "child", "shadow"});
}

TEST_CASE("report: series stay small, and lose nothing but detail") {
  rate_series series(noon, 10, 8);
  for (int i = 0; i < 1000; ++i)
    series.add(noon + i * 10, {10, i % 10 == 0 ? 1 : 0, 0.5, 0.75});
  CHECK(series.buckets().size() <= 8);
  CHECK(series.buckets().size() > 4);
  CHECK(series.sum().total == 10000);
  CHECK(series.sum().failed == 100);
  CHECK(*series.sum().expected == doctest::Approx(500));
  CHECK(*series.sum().guarded == doctest::Approx(750));
  CHECK(series.buckets().begin()->first == 0);

  SUBCASE("without a model for a part of the bucket there is no expectation for it") {
    series.add(noon, {1, 1, {}, {}});
    CHECK_FALSE(series.buckets().begin()->second.expected);
    CHECK(std::next(series.buckets().begin())->second.expected);
  }
  SUBCASE("what comes after the end is left out") {
    series.cut(noon + 2 * series.bucket());
    CHECK(series.buckets().size() == 2);
  }
}

TEST_CASE("report: few events make longer buckets, many do not") {
  rate_series few(0, 1000, 1000);
  rate_series many(0, 1000, 1000);
  for (int i = 0; i < 600; ++i) {
    few.add(i * 1000, {5, 0, {}, {}});
    many.add(i * 1000, {500, 0, {}, {}});
  }
  few.smooth(50, 20);
  many.smooth(50, 20);
  CHECK(few.bucket() == 10000);
  CHECK(many.bucket() == 1000);
  few.smooth(1e9, 20);
  CHECK(few.buckets().size() == 20);
}

TEST_CASE("report: the proof says the record's numbers in words, and which gates hold") {
  const auto told = proof_of(record_of("a"));
  std::string all;
  for (const auto& sentence : told.sentences)
    all += sentence + "\n";
  for (const auto* part :
       {"From 2016-05-04 12:00:00 to 2016-05-04 12:01:00: 18 of 214 events failed, 8.41 % (95 % interval 5.25 % to "
        "12.6 %)",
        "expected rate of 1.12 % it would have been 2.4 failures: 15.6 too many", "up to 1.21 times as high (1.36 %)",
        "2.3e-09", "evidence was 3.8; 1 opens", "once in 114 days, at this key's budget of 0.021 false alarms a day",
        "99.3 %, where 0.1 real incidents a day are usual", "15 distinct viewers"}) {
    CAPTURE(part);
    CAPTURE(all);
    CHECK(all.find(part) != std::string::npos);
  }
  REQUIRE(told.gates.size() == 3);
  CHECK(told.gates[0].found == "7.5");
  CHECK(told.gates[0].passes);
  CHECK(told.gates[1].passes);
  CHECK_FALSE(told.gates[2].passes); // 15.6 where this record asks for 16
}

TEST_CASE("report: the proof of a volume, and of detectors that weigh nothing") {
  auto volume = record_of("a");
  volume["measurement"] = "volume";
  volume["expected_events"] = 900.0;
  volume["measured_value"] = 12840;
  volume["baseline_value"] = 54000;
  CHECK(proof_of(volume).sentences.at(0).find("214 events where 900 were expected, 12840 an hour") !=
        std::string::npos);
  CHECK(proof_of(volume).gates.empty());

  auto plain = record_of("a");
  plain["detector"] = "threshold";
  for (const auto* name : {"evidence", "once_in_days", "confidence", "affected_viewers"})
    plain[name] = nullptr;
  plain["model"] = {{"rate", 0.05}};
  REQUIRE(proof_of(plain).sentences.size() == 2);
  CHECK(proof_of(plain).sentences[1] ==
        "The detector threshold weighs no evidence: it opened because its own rule held.");
}

TEST_CASE("report: times as people read them") {
  CHECK(clock_time(noon) == "2016-05-04 12:00:00");
}

TEST_CASE("report: nothing in the data can end the script or begin a tag") {
  const auto config = config_of(plays_config);
  incident_book book;
  auto hostile = record_of("a");
  const std::string value = "</script><script>alert(1)</script><!-- \" ' & {{page.js}} \xff";
  hostile["key"]["cdn"] = value;
  hostile["description"] = value;
  hostile["contributors"] = {{{"set", {{"cdn", value}}}, {"excess", 1}, {"share", 1}, {"rate_without", 0}}};
  REQUIRE(book.add(hostile.dump(-1, ' ', false, json::error_handler_t::replace)));

  const auto bare = page_with("{}");
  const auto page = page_with(report_data({}, config, book, {0}, std::nullopt, ""));
  const auto count = [](const std::string& text, const std::string& part) {
    std::size_t found = 0;
    for (auto at = text.find(part); at != std::string::npos; at = text.find(part, at + 1))
      ++found;
    return found;
  };
  for (const auto* mark : {"<script", "</script", "<!--", "-->"})
    CHECK(count(page, mark) == count(bare, mark));
  CHECK(count(page, "\"use strict\";\n(() => {") == 1);
  const auto data = data_of(page);
  CHECK(data["incidents"][0]["key"][1][1] == "</script><script>alert(1)</script><!-- \" ' & {{page.js}} \xef\xbf\xbd");
}

TEST_CASE("report: a cause, its error types and its children are on the page") {
  incident_book book;
  auto parent = record_of("parent");
  parent["contributors"] = {
      {{"set", {{"cdn", "fast"}}}, {"excess", 14.1}, {"share", 0.9}, {"rate_without", 0.0117}, {"score", 21.4}}};
  parent["error_types"] = {{{"type", nullptr}, {"failures", 13}, {"expected", 0.4}}};
  parent["children"] = {"child"};
  parent["children_count"] = 1;
  parent["reopen_count"] = 2;
  auto child = record_of("child");
  child["parent_id"] = "parent";
  child["key"] = {{"customer", "c1"}, {"cdn", nullptr}};
  auto closed = record_of("parent", 1, "resolve"); // says nothing of causes: those of before stay
  closed["children_count"] = 1;
  closed["reopen_count"] = 2;
  for (const auto& record : {child, parent, closed})
    add(book, record);

  const auto data = json::parse(
      report_data({}, config_of(plays_config), book, book.worst_first(), std::nullopt, "no charts, because"));
  CHECK(data["counts"]["warning"] == 1);
  CHECK(data["counts"]["children"] == 1);
  CHECK(data["counts"]["open"] == 1);
  CHECK(data["counts"]["records"] == 3);
  CHECK(data["left_out"] == json{"no charts, because"});
  const auto& first = data["incidents"][0];
  CHECK(first["id"] == "parent");
  CHECK(first["children"] == 1);
  CHECK(first["cause"] == "cdn=fast");
  CHECK(first["panel"]["contributors"] == parent["contributors"]);
  CHECK(first["panel"]["error_types"] == parent["error_types"]);
  CHECK(first["panel"]["reopened"] == 2);
  CHECK(first["panel"]["history"].size() == 2);
  CHECK(first["ended"] == noon + 2 * minute_ms);
  const auto& second = data["incidents"][1];
  CHECK(second["parent"] == "parent");
  CHECK(second["key"] == json::parse(R"([["customer","c1"],["cdn",null]])"));
  CHECK(second["scope"] == 1);
  CHECK(second["ended"].is_null());
}

TEST_CASE("report: the page is whole: nothing of it comes from elsewhere") {
  const auto page = page_with("{}");
  for (const auto* absent :
       {"{{page", "{{dygraph", "{{data", "<link", "<script src", "url(", "@import", "sourceMappingURL"}) {
    CAPTURE(absent);
    CHECK(page.find(absent) == std::string::npos);
  }
  CHECK(page.find("Dygraph") != std::string::npos);
  CHECK(page.find("default-src 'none'") != std::string::npos);
}

TEST_CASE("report: the window of a chart") {
  reported_incident one;
  one.onset = noon;
  one.ended = noon + 2 * minute_ms;
  // Short: 90 ticks before, a third of it after.
  CHECK(window_of(one, 10 * second_ms, noon + day_ms).begin == noon - 15 * minute_ms);
  CHECK(window_of(one, 10 * second_ms, noon + day_ms).end == noon + 7 * minute_ms);
  // Long: at most a day before.
  one.ended = noon + 10 * day_ms;
  CHECK(window_of(one, 10 * second_ms, noon + 20 * day_ms).begin == noon - day_ms);
  // Still open: to the end of what is judged.
  one.ended = std::nullopt;
  CHECK(window_of(one, 10 * second_ms, noon + hour_ms).end == noon + hour_ms);
}

TEST_CASE("report: keys of records become keys of the engine") {
  const auto config = config_of(plays_config);
  reported_incident one;
  one.monitor = "plays";
  one.key = {{"customer", "c1"}, {"cdn", std::nullopt}};
  const auto found = engine_key_of(one, config.world);
  REQUIRE(found);
  std::string expected(1, '\1');
  append_text(expected, "c1");
  append_null(expected);
  CHECK(*found == std::pair(std::uint32_t{0}, expected));
  one.key = {{"customer", "c1"}, {"country", "DE"}};
  CHECK_FALSE(engine_key_of(one, config.world));
  one.monitor = "other";
  CHECK_FALSE(engine_key_of(one, config.world));
}

TEST_CASE("replay --report: the page has the incidents of the log, their counts and what was expected") {
  const scratch_directory directory;
  const auto input = written(directory, "events.ndjson", events());
  const auto config = written(directory, "config.json", plays_config);
  const auto log = directory / "alerts.ndjson";
  const auto with = run_tocsin({"replay", "-q", "-c", config, input, "-a", log, "--report", directory / "page.html"});
  CAPTURE(with.err);
  REQUIRE(with.code == 0);
  const auto without = run_tocsin({"replay", "-q", "-c", config, input});
  CHECK(read_bytes(log) == without.out); // the page changes nothing

  const auto data = data_of(read_bytes(directory / "page.html"));
  CHECK(data["begin"] == noon);
  CHECK(data["events"] == 14400);
  CHECK(data["monitors"][0]["events"] == 14400);
  CHECK(data["left_out"].empty());
  std::size_t opened = 0;
  std::istringstream lines(without.out);
  for (std::string line; std::getline(lines, line);)
    opened += json::parse(line)["revision"] == 0 ? 1u : 0u;
  REQUIRE(opened > 0);
  REQUIRE(data["incidents"].size() == opened);

  bool seen = false;
  for (const auto& one : data["incidents"]) {
    const auto& chart = one["panel"]["chart"];
    REQUIRE(chart["points"].size() > 10);
    const bool has_model = one["detector"] == "sr_mixture";
    std::int64_t during = 0;
    std::int64_t failed = 0;
    double expected = 0;
    for (const auto& point : chart["points"]) {
      CHECK(point.size() == (has_model ? 5 : 3));
      const auto begin = chart["begin"].get<time_ms>() + point[0].get<std::int64_t>() * chart["bucket"].get<time_ms>();
      if (begin < noon + 95 * minute_ms || begin >= noon + 105 * minute_ms)
        continue;
      during += point[1].get<std::int64_t>();
      failed += point[2].get<std::int64_t>();
      expected += has_model ? point[3].get<double>() : 0;
      if (has_model)
        CHECK(point[4] >= point[3]);
    }
    // The key of the outage: one event a second, 40 % of them fail, 1 % was expected. Ten minutes, give or take a
    // point.
    if (one["key"] == json::parse(R"([["customer","c1"],["cdn","fast"]])") && has_model) {
      seen = true;
      CHECK(during == doctest::Approx(600).epsilon(0.15));
      CHECK(static_cast<double>(failed) / static_cast<double>(during) == doctest::Approx(0.4).epsilon(0.15));
      CHECK(expected / static_cast<double>(during) < 0.02);
      CHECK(expected / static_cast<double>(during) > 0.005);
    }
  }
  CHECK(seen);
}

TEST_CASE("replay --report: what is left out is said") {
  const scratch_directory directory;
  const auto input = written(directory, "events.ndjson", events());
  const auto config = written(directory, "config.json", plays_config);
  const auto page = directory / "page.html";
  SUBCASE("more incidents than panels") {
    REQUIRE(run_tocsin({"replay", "-q", "-c", config, input, "-a", directory / "log", "--report", page,
                        "--report-incidents", "1"})
                .code == 0);
    const auto data = data_of(read_bytes(page));
    REQUIRE(data["incidents"].size() > 1);
    CHECK(data["incidents"][0].contains("panel"));
    CHECK_FALSE(data["incidents"][1].contains("panel"));
    CHECK(data["left_out"].size() == 1);
  }
  SUBCASE("input that can be read only once has no charts") {
    const auto done = run_process({"/bin/sh", "-c", "exec \"$@\" < \"$0\"", input, TOCSIN_EXECUTABLE, "replay", "-q",
                                   "-c", config, "-", "-a", directory / "log", "--report", page});
    CAPTURE(done.err);
    REQUIRE(done.code == 0);
    const auto data = data_of(read_bytes(page));
    REQUIRE(data["incidents"].size() > 0);
    CHECK_FALSE(data["incidents"][0]["panel"].contains("chart"));
    REQUIRE(data["left_out"].size() == 1);
    CHECK(data["left_out"][0].get<std::string>().find("standard input can be read only once") != std::string::npos);
  }
  SUBCASE("a page that cannot be written is told before the replay") {
    const auto done = run_tocsin(
        {"replay", "-q", "-c", config, input, "-a", directory / "log", "--report", directory / "no/page.html"});
    CHECK(done.code == 5);
    CHECK(is_one_error_line(done.err));
    CHECK(read_bytes(directory / "log").empty());
  }
}
