#include "io/alert_json.hpp"
#include "tests/support/alert_schema.hpp"
#include "tests/support/scratch_directory.hpp"

#include <doctest/doctest.h>
#include <nlohmann/json.hpp>

using namespace tocsin;
using namespace tocsin::io;
using tocsin::test::schema_violations;

namespace {

constexpr time_ms noon = 1'462'363'200'000; // 2016-05-04T12:00:00Z

alert example() {
  alert a;
  a.id = "0123456789abcdef0123456789abcdef";
  a.monitor = "playback-failures";
  a.detector = "threshold";
  a.scope = {{"property", "p7"}};
  a.level = {"cdn", "country"};
  a.key = {{"property", "p7"}, {"cdn", "fastly"}, {"country", "DE"}};
  a.tick = noon + 5 * minute_ms;
  a.measured_value = 18.0 / 214;
  a.baseline_value = 0.01121495;
  a.interval_low = 0.0525;
  a.interval_high = 0.1261;
  a.sample_size = 214;
  a.failures = 18;
  a.expected_failures = 2.4;
  a.excess_failures = 15.6;
  a.affected_viewers = 15;
  a.affected_per_hour = 940;
  a.affected_per_hour_on_open = 610.123456;
  a.onset = noon + 3 * minute_ms + 10 * second_ms;
  a.detected_at = noon + 5 * minute_ms;
  a.watermark = noon + 5 * minute_ms + 2 * second_ms;
  a.closes_when = "the rate is below 4 % for 1m";
  a.model = {{"rate", 0.05}, {"window_s", 60}};
  a.config_fingerprint = "c0ffee";
  a.source_offsets = {{0, 123}, {1, 0}};
  return a;
}

alert closed(alert_kind kind) {
  auto a = example();
  a.kind = kind;
  a.revision = 3;
  a.status = kind == alert_kind::expire ? alert_status::expired : alert_status::closed;
  a.measured_value_on_close = 0.0125;
  a.resolved_at = a.tick;
  return a;
}

nlohmann::json parsed(const alert& a) {
  return nlohmann::json::parse(to_json(a));
}

} // namespace

TEST_CASE("an alert record is one line with the documented fields in the documented order") {
  CHECK(to_json(example()) ==
        R"({"schema":1,"id":"0123456789abcdef0123456789abcdef","revision":0,"kind":"open","status":"open",)"
        R"("severity":"warning","monitor":"playback-failures","detector":"threshold","shadow":false,)"
        R"("scope":{"property":"p7"},"level":["cdn","country"],"tick":"2016-05-04T12:05:00.000Z",)"
        R"("key":{"property":"p7","cdn":"fastly","country":"DE"},"measurement":"error_rate",)"
        R"("measured_value":0.0841121,"measured_value_on_close":null,"baseline_value":0.0112149,)"
        R"("interval":[0.0525,0.1261],"sample_size":214,"failures":18,"expected_failures":2.4,"excess_failures":15.6,)"
        R"("affected_viewers":15,"affected_per_hour":940,"affected_per_hour_on_open":610.123,"evidence":null,)"
        R"("once_in_days":null,"confidence":null,"contributors":[],"parent_id":null,"children":[],"children_count":0,)"
        R"("error_types":[],"reopen_count":0,)"
        R"("onset":"2016-05-04T12:03:10.000Z","detected_at":"2016-05-04T12:05:00.000Z","resolved_at":null,)"
        R"("watermark":"2016-05-04T12:05:02.000Z","closes_when":"the rate is below 4 % for 1m",)"
        R"("model":{"rate":0.05,"window_s":60},"config_fingerprint":"c0ffee","source_offsets":{"0":123,"1":0},)"
        R"("description":"cdn=fastly, country=DE of property=p7: 8.41 % of 214 events failed since 12:03:10 UTC, )"
        R"(expected 1.12 % (18 failures instead of 2.4); closes when the rate is below 4 % for 1m."})");
}

TEST_CASE("a record of a volume tells events instead of failures") {
  auto a = example();
  a.measures = measurement::volume;
  a.measured_value = 120;
  a.baseline_value = 7200;
  a.interval_low = 71.5;
  a.interval_high = 201.25;
  a.sample_size = 4;
  a.expected_events = 240;
  a.affected_viewers.reset();
  a.closes_when = "more than 51 % of the expected events with evidence 100";
  const auto record = parsed(a);
  CHECK(record["measurement"] == "volume");
  CHECK(record["failures"].is_null());
  CHECK(record["expected_failures"].is_null());
  CHECK(record["excess_failures"].is_null());
  CHECK(record["expected_events"] == 240);
  CHECK(record["description"] ==
        "cdn=fastly, country=DE of property=p7: 4 events since 12:03:10 UTC, expected 240 (120 instead of 7200 an "
        "hour); closes when more than 51 % of the expected events with evidence 100.");
  CHECK(schema_violations(to_json(a)).empty());
  a.kind = alert_kind::resolve;
  a.status = alert_status::closed;
  a.resolved_at = a.tick;
  a.measured_value_on_close = 7000;
  CHECK(describe(a).find("resolved after 1m 50s at 7000 events an hour; 4 events") != std::string::npos);
  CHECK(schema_violations(to_json(a)).empty());
}

TEST_CASE("the example of the documentation is what is written") {
  CHECK(test::read_bytes(TOCSIN_SOURCE_DIR "/docs/alerts.md").find("\n" + to_json(example()) + "\n") !=
        std::string::npos);
}

TEST_CASE("an alert record tells its causes, its family and its error types") {
  auto a = example();
  a.contributors = {{{{"cdn", "fastly"}, {"country", std::nullopt}}, 14.1, 0.9, 0.0117, 21.4}};
  a.parent_id = "fedcba9876543210fedcba9876543210";
  a.children = {"00000000000000000000000000000001", "00000000000000000000000000000002"};
  a.children_count = 51;
  a.error_types = {{"HLS_404", 13, 0.4}, {std::nullopt, 2, 0}};
  a.reopen_count = 3;
  const auto record = parsed(a);
  CHECK(
      record["contributors"] ==
      nlohmann::json::parse(
          R"([{"set":{"cdn":"fastly","country":null},"excess":14.1,"share":0.9,"rate_without":0.0117,"score":21.4}])"));
  CHECK(record["parent_id"] == *a.parent_id);
  CHECK(record["children"] == a.children);
  CHECK(record["children_count"] == 51);
  CHECK(record["error_types"] ==
        nlohmann::json::parse(
            R"([{"type":"HLS_404","failures":13,"expected":0.4},{"type":null,"failures":2,"expected":0}])"));
  // 12.6 of 15.6 excess failures; less than half, or the key's own type, is not told.
  CHECK(describe(a).find("; 81 % of it HLS_404;") != std::string::npos);
  a.error_types[0].failures = 8;
  CHECK(describe(a).find("HLS_404") == std::string::npos);
  a.error_types[0].failures = 13;
  a.level = {"code"};
  a.key = {{"property", "p7"}, {"code", "HLS_404"}};
  CHECK(describe(a).find("of it HLS_404") == std::string::npos);
  CHECK(record["reopen_count"] == 3);
  CHECK(schema_violations(to_json(a)).empty());
}

TEST_CASE("rendered records follow the schema") {
  for (const auto kind : {alert_kind::open, alert_kind::update, alert_kind::resolve, alert_kind::expire}) {
    auto a = kind == alert_kind::resolve || kind == alert_kind::expire ? closed(kind) : example();
    a.kind = kind;
    CHECK(schema_violations(to_json(a)).empty());
  }
  alert bare; // every optional field absent, except the names that are always there
  bare.id = "0123456789abcdef0123456789abcdef";
  bare.monitor = "m";
  bare.detector = "d";
  CHECK(schema_violations(to_json(bare)).empty());
  auto saturated = example();
  saturated.affected_viewers_at_least = true;
  saturated.evidence = 3.8;
  CHECK(schema_violations(to_json(saturated)).empty());
}

TEST_CASE("the schema refuses what is no alert record") {
  const auto line = to_json(example());
  const auto broken = [&](const char* field, const nlohmann::json& value) {
    auto record = nlohmann::json::parse(line);
    record[field] = value;
    return schema_violations(record.dump());
  };
  REQUIRE(schema_violations(line).empty());
  CHECK(broken("severity", "fatal").size() == 1);
  CHECK(broken("measured_value", -0.5).size() == 1);
  CHECK(broken("sample_size", -1).size() == 1);
  CHECK(broken("failures", 1.5).size() == 1);
  CHECK(broken("interval", {0.1}).size() == 1);
  CHECK(broken("interval", {0.1, "x"}).size() == 1);
  CHECK(broken("key", {{"cdn", 7}}).size() == 1);
  CHECK(broken("onset", "2016-05-04 12:03:10").size() == 1);
  CHECK(broken("id", "xyz").size() == 2);
  CHECK(broken("colour", "red").size() == 1);
  auto incomplete = nlohmann::json::parse(line);
  incomplete.erase("evidence");
  CHECK(schema_violations(incomplete.dump()).size() == 1);
  CHECK(schema_violations(line.substr(0, line.size() - 1)).size() == 1);
  CHECK(schema_violations(line + "\n").size() == 1);
}

TEST_CASE("a missing value is null and the pooled tail is (other)") {
  auto a = example();
  a.key = {{"property", "p7"}, {"cdn", std::nullopt}, {"country", std::nullopt, true}};
  CHECK(parsed(a)["key"].dump() == R"x({"cdn":null,"country":"(other)","property":"p7"})x");
  CHECK(describe(a).find("cdn=(none), country=(other) of property=p7: ") == 0);
}

TEST_CASE("numbers have 6 significant digits, integers all of theirs") {
  const auto shown = [](double value) {
    auto a = example();
    a.expected_failures = value;
    const auto line = to_json(a);
    const auto begin = line.find("\"expected_failures\":") + 20;
    REQUIRE(nlohmann::json::accept(line));
    return line.substr(begin, line.find(',', begin) - begin);
  };
  CHECK(shown(0.1) == "0.1");
  CHECK(shown(1.0 / 3) == "0.333333");
  CHECK(shown(2.0 / 3e9) == "6.66667e-10");
  CHECK(shown(-0.0) == "0");
  CHECK(shown(1234567) == "1234567");
  CHECK(shown(1234567.5) == "1.23457e+06");
  CHECK(shown(1e300) == "1e+300");
  CHECK(shown(-2.5) == "-2.5");
}

TEST_CASE("text of any bytes gives valid JSON") {
  auto a = example();
  a.key = {{"property", "p7"}, {"quote\"d", "tab\t, nul" + std::string(1, '\0') + ", line\nend, \\"}};
  a.scope.clear();
  CHECK(schema_violations(to_json(a)).empty());
  CHECK(parsed(a)["key"]["quote\"d"] == *a.key[1].value);

  a.key = {{"city", "Z\xc3\xbcrich"}};
  CHECK(parsed(a)["key"]["city"] == "Z\xc3\xbcrich");
  a.key = {{"city", "Z\xfcrich\xc3"}};
  CHECK(parsed(a)["key"]["city"] == "Z\xef\xbf\xbdrich\xef\xbf\xbd");
  CHECK(schema_violations(to_json(a)).empty());
}

TEST_CASE("the description says what, where, how much and since when") {
  auto a = example();
  a.scope.clear();
  a.key.clear();
  CHECK(describe(a).find("the whole stream: 8.41 % of 214 events failed since 12:03:10 UTC") == 0);
  a.scope = a.key = {{"property", "p7"}};
  CHECK(describe(a).find("property=p7: 8.41 % of") == 0);
  a.onset -= day_ms;
  CHECK(describe(a).find("failed since 2016-05-03 12:03:10 UTC, expected") != std::string::npos);
  a.expected_failures = 1'240'000.4;
  CHECK(describe(a).find("instead of 1240000)") != std::string::npos);

  a = example();
  a.once_in_days = 114.4;
  CHECK(describe(a).find("; chance alone would do this once in 114 days; closes when") != std::string::npos);
  a.once_in_days = 0.125;
  CHECK(describe(a).find("; chance alone would do this once in 3 hours; closes when") != std::string::npos);
  a.kind = alert_kind::update; // the number is that of the opening
  CHECK(describe(a).find("chance") == std::string::npos);

  a = example();
  a.kind = alert_kind::update;
  a.level_of_harm = severity::major;
  CHECK(describe(a).find(": still open after 1m 50s, major; 8.41 % of 214") != std::string::npos);

  a = closed(alert_kind::resolve);
  CHECK(describe(a).find(": resolved after 1m 50s at 1.25 %; 8.41 % of 214") != std::string::npos);
  CHECK(describe(a).find("closes when") == std::string::npos);
  a.tick = *a.resolved_at = a.onset + 8 * day_ms + 30 * second_ms;
  CHECK(describe(a).find(": resolved after 8d at") != std::string::npos);

  a = closed(alert_kind::expire);
  a.sample_size = a.failures = 1;
  CHECK(describe(a).find(": expired without events, 1m 50s after its onset; 8.41 % of 1 event failed") !=
        std::string::npos);
  CHECK(describe(a).find("(1 failure instead of 2.4).") != std::string::npos);
}
