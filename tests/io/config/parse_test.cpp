#include "tests/support/config_documents.hpp"

#include <doctest/doctest.h>

using namespace tocsin;
using namespace tocsin::io;
using namespace tocsin::io::test;
using nlohmann::json;

namespace {

/// What a wrong value at a pointer of the full document must be told.
struct mistake {
  std::string pointer;
  std::string value; ///< JSON
  std::string found;
  std::string expected;
};

bool tells(const config_outcome& outcome, const mistake& m) {
  return std::any_of(outcome.issues.begin(), outcome.issues.end(), [&](const config_issue& i) {
    return i.pointer == m.pointer && i.found.find(m.found) != std::string::npos &&
           i.expected.find(m.expected) != std::string::npos;
  });
}

} // namespace

TEST_CASE("a small configuration has every default") {
  const auto outcome = parse(small_document());
  REQUIRE_MESSAGE(outcome.value, all_issues(outcome));
  const auto& c = *outcome.value;
  CHECK(c.file == "test.json");
  CHECK(outcome.warnings.empty());
  CHECK(c.world.allowed_lateness == 5 * second_ms);
  CHECK(c.world.max_ahead == hour_ms);
  CHECK(c.world.ahead_accept == 100);
  CHECK(c.world.correction == hour_ms);
  CHECK(c.idle_timeout == 30 * second_ms);
  CHECK(c.commit_interval == second_ms);
  CHECK(c.block_bytes == 1 << 20);
  CHECK(c.memory_limit == 1 << 30);
  CHECK(c.workers == 0);
  CHECK(c.alerts_file.empty());
  CHECK(c.input.paths.empty());
  CHECK_FALSE(c.input.use_stdin);
  CHECK(c.decode->format == input_format::ndjson);
  CHECK(c.decode->time == time_unit::ms);
  CHECK(c.decode->max_record_bytes == 1 << 20);
  CHECK_FALSE(c.decode->where);

  // The defaults of the language are those of the contract.
  REQUIRE(c.world.monitors.size() == 1);
  const auto& m = c.world.monitors[0];
  const monitor_spec contract;
  CHECK(m.tick == contract.tick);
  CHECK(m.expire_after == contract.expire_after);
  CHECK(m.update_every == contract.update_every);
  CHECK(m.life.group_wait == 2 * m.tick);
  CHECK(m.life.reopen_within == contract.life.reopen_within);
  CHECK(m.life.propose_after == contract.life.propose_after);
  CHECK(m.life.accept_after == contract.life.accept_after);
  CHECK(m.gates.min_ratio == contract.gates.min_ratio);
  CHECK(m.gates.min_difference == contract.gates.min_difference);
  CHECK(m.gates.min_excess_failures == contract.gates.min_excess_failures);
  CHECK(m.severity.major_ratio == contract.severity.major_ratio);
  CHECK(m.severity.major_excess_per_hour == contract.severity.major_excess_per_hour);
  CHECK(m.severity.critical_rate == contract.severity.critical_rate);
  CHECK(m.severity.critical_events == contract.severity.critical_events);
  CHECK(m.severity.critical_excess_per_hour == contract.severity.critical_excess_per_hour);
  CHECK(m.severity.fall_after == contract.severity.fall_after);
  CHECK(m.capacity.max_keys == contract.capacity.max_keys);
  CHECK(m.capacity.max_leaf_cells == contract.capacity.max_leaf_cells);
  CHECK(m.capacity.max_scopes == contract.capacity.max_scopes);
  CHECK(m.scope_size == 0);
  CHECK(m.levels.size() == 1);
  CHECK_FALSE(m.has_viewers);

  REQUIRE(m.detectors.size() == 1);
  CHECK(m.detectors[0].type == "sr_mixture");
  CHECK(m.detectors[0].name == "sr_mixture");
  CHECK(std::holds_alternative<sr_mixture_spec>(m.detectors[0].settings));
  CHECK_FALSE(m.detectors[0].shadow);
}

TEST_CASE("the defaults of count_bucket are those of the contract") {
  const auto outcome =
      parse(with(small_document(), "/monitors/0/detectors", json::parse(R"([{"type": "count_bucket"}])")));
  REQUIRE_MESSAGE(outcome.value, all_issues(outcome));
  const auto& d = std::get<count_bucket_spec>(outcome.value->world.monitors[0].detectors[0].settings);
  const count_bucket_spec bucket;
  CHECK(d.scope_bucket == bucket.scope_bucket);
  CHECK(d.key_bucket == bucket.key_bucket);
  CHECK(d.baseline == bucket.baseline);
  CHECK(d.min_baseline == bucket.min_baseline);
  CHECK(d.outlier == bucket.outlier);
  CHECK(d.normal == bucket.normal);
}

TEST_CASE("every key of a full configuration arrives") {
  auto document = full_document();
  document["input"]["allowed_lateness"] = "250ms";
  document["input"]["ahead_accept"] = 7;
  document["input"]["max_record_bytes"] = "64KiB";
  document["monitors"][0]["gates"]["min_ratio"] = 2;
  const auto outcome = parse(document);
  REQUIRE_MESSAGE(outcome.value, all_issues(outcome));
  const auto& c = *outcome.value;
  CHECK(c.input.paths == std::vector<std::string>{"a.csv", "b.csv"});
  CHECK(c.input.sequence);
  CHECK(c.world.allowed_lateness == 250);
  CHECK(c.world.ahead_accept == 7);
  CHECK(c.alerts_file == "alerts.ndjson");
  CHECK(c.dead_letter_file == "rejected.ndjson");
  CHECK(c.state_sqlite == "tocsin.db");
  CHECK(c.workers == 2);

  const auto& plan = *c.decode;
  CHECK(plan.format == input_format::csv);
  CHECK(plan.time == time_unit::rfc3339);
  CHECK(plan.time_zone == "Europe/Berlin");
  CHECK(plan.where->text() == "kind = 'view'");
  CHECK(plan.total_field == "n");
  CHECK(plan.failed_field == "bad");
  CHECK(plan.viewer_field == "viewer_id");
  CHECK(plan.max_record_bytes == 65536);
  REQUIRE(plan.monitors.size() == 1);
  CHECK(plan.monitors[0].dimensions == c.world.monitors[0].dimensions);
  CHECK(plan.monitors[0].scope_size == 1);
  CHECK(plan.monitors[0].where->text() == "player = 'web'");
  CHECK(plan.monitors[0].error_when->text() == "status >= 500");

  const auto& m = c.world.monitors[0];
  CHECK(m.has_viewers);
  CHECK(m.gates.min_ratio == 2);
  REQUIRE(m.detectors.size() == 6);
  const auto& high = std::get<threshold_spec>(m.detectors[0].settings);
  CHECK(m.detectors[0].name == "high");
  CHECK(high.rate == 0.2);
  CHECK(high.window == minute_ms);
  CHECK(high.hold == 20 * second_ms);
  CHECK(high.min_events == 50);
  CHECK(high.resolve_rate == 0.1);
  CHECK(high.resolve_hold == 2 * minute_ms);
  CHECK_FALSE(m.detectors[0].shadow);

  CHECK(m.detectors[2].name == "budget");
  CHECK(m.detectors[2].shadow);
  const auto& budget = std::get<burn_rate_spec>(m.detectors[2].settings);
  CHECK(budget.objective == 0.999);
  CHECK(budget.min_events == 10);
  REQUIRE(budget.rules.size() == 1);
  CHECK(budget.rules[0].long_window == hour_ms);
  CHECK(budget.rules[0].short_window == 5 * minute_ms);
  CHECK(budget.rules[0].factor == 14.4);
  const auto& textbook = std::get<z_score_spec>(m.detectors[3].settings);
  CHECK(textbook.window == 5 * minute_ms);
  CHECK(textbook.history == 2016);
  CHECK(textbook.min_history == 12);
  CHECK(textbook.outlier == 4);
  CHECK(textbook.normal == 2);
  const auto& mixture = std::get<sr_mixture_spec>(m.detectors[4].settings);
  CHECK(mixture.false_alarms_per_day == 1);
  CHECK_FALSE(mixture.strict);
  CHECK(mixture.incidents_per_day == 0.1);
  CHECK(mixture.sliding_baseline == 7 * day_ms);
}

TEST_CASE("the defaults of the other detectors are those of the contract") {
  const auto detectors = json::parse(R"([{"type": "burn_rate"}, {"type": "z_score"}, {"type": "sr_mixture"}])");
  const auto outcome = parse(with(with(small_document(), "/monitors/0/detectors", detectors), "/memory_limit", "4GiB"));
  REQUIRE_MESSAGE(outcome.value, all_issues(outcome));
  CHECK(outcome.warnings.empty());
  const auto& m = outcome.value->world.monitors[0];
  CHECK(m.zone.empty());
  const auto& budget = std::get<burn_rate_spec>(m.detectors[0].settings);
  const burn_rate_spec burn_rate;
  CHECK(budget.objective == burn_rate.objective);
  CHECK(budget.min_events == burn_rate.min_events);
  REQUIRE(budget.rules.size() == burn_rate.rules.size());
  for (std::size_t i = 0; i < budget.rules.size(); ++i) {
    CHECK(budget.rules[i].long_window == burn_rate.rules[i].long_window);
    CHECK(budget.rules[i].short_window == burn_rate.rules[i].short_window);
    CHECK(budget.rules[i].factor == burn_rate.rules[i].factor);
  }
  const auto& textbook = std::get<z_score_spec>(m.detectors[1].settings);
  const z_score_spec z_score;
  CHECK(textbook.window == z_score.window);
  CHECK(textbook.history == z_score.history);
  CHECK(textbook.min_history == z_score.min_history);
  CHECK(textbook.outlier == z_score.outlier);
  CHECK(textbook.normal == z_score.normal);
  const auto& mixture = std::get<sr_mixture_spec>(m.detectors[2].settings);
  const sr_mixture_spec sr_mixture;
  CHECK(mixture.false_alarms_per_day == sr_mixture.false_alarms_per_day);
  CHECK(mixture.strict == sr_mixture.strict);
  CHECK(mixture.incidents_per_day == sr_mixture.incidents_per_day);
  CHECK(mixture.sliding_baseline == sr_mixture.sliding_baseline);
}

TEST_CASE("the season's zone becomes its transitions") {
  const auto outcome = parse(with(small_document(), "/monitors/0/season", {{"zone", "Europe/Berlin"}}));
  REQUIRE_MESSAGE(outcome.value, all_issues(outcome));
  CHECK(outcome.value->season_zones == std::vector<std::string>{"Europe/Berlin"});
  const auto& m = outcome.value->world.monitors[0];
  REQUIRE(m.zone.size() > 100);
  CHECK(m.zone.front().since == 0);
  for (std::size_t i = 1; i < m.zone.size(); ++i) {
    CHECK(m.zone[i].since > m.zone[i - 1].since);
    CHECK(m.zone[i].offset != m.zone[i - 1].offset);
  }
  // 2024-03-31 01:00 UTC: from 02:00 to 03:00; back on 27 October.
  constexpr time_ms spring = 1711846800000, autumn = 1729990800000;
  CHECK(local_time(m, spring - 1) == spring - 1 + hour_ms);
  CHECK(local_time(m, spring) == spring + 2 * hour_ms);
  CHECK(local_time(m, autumn - 1) == autumn - 1 + 2 * hour_ms);
  CHECK(local_time(m, autumn) == autumn + hour_ms);
  CHECK(local_time(m, 0) == hour_ms);

  const auto half = parse(with(small_document(), "/monitors/0/season", {{"zone", "Asia/Kolkata"}}));
  REQUIRE(half.value);
  CHECK(local_time(half.value->world.monitors[0], autumn) == autumn + 5 * hour_ms + 30 * minute_ms);
  CHECK(parse(with(small_document(), "/monitors/0/season", json::object())).value->world.monitors[0].zone.empty());
}

TEST_CASE("with settle the tick is a minute, unless a longer one is written") {
  auto document = with(small_document(), "/input/settle", "10m");
  const auto outcome = parse(document);
  REQUIRE_MESSAGE(outcome.value, all_issues(outcome));
  CHECK(outcome.value->world.settle == 10 * minute_ms);
  CHECK(outcome.value->world.monitors[0].tick == minute_ms);
  CHECK(holdback(outcome.value->world) == 10 * minute_ms + 5 * second_ms);
  CHECK(parse(with(document, "/monitors/0/tick", "5m")).value->world.monitors[0].tick == 5 * minute_ms);
  const auto refused = parse(with(document, "/monitors/0/tick", "10s"));
  CHECK(tells(refused, {"/monitors/0/tick", "", "\"10s\"",
                        "at least \"1m\", because /input/settle is \"10m\": closed ticks wait as 1-minute cells"}));
  CHECK(refused.issues.size() == 1);
  document["input"]["settle"] = "0s";
  CHECK(parse(document).value->world.monitors[0].tick == 10 * second_ms);
}

TEST_CASE("dimensions are those of the scope, then in order of appearance; the root comes first") {
  const auto document = with(with(small_document(), "/monitors/0/scope", {"property", "region"}), "/monitors/0/levels",
                             json::parse(R"([["country", "cdn"], ["cdn"], [], ["title"]])"));
  const auto outcome = parse(document);
  REQUIRE_MESSAGE(outcome.value, all_issues(outcome));
  const auto& m = outcome.value->world.monitors[0];
  CHECK(m.dimensions == std::vector<std::string>{"property", "region", "country", "cdn", "title"});
  CHECK(m.scope_size == 2);
  REQUIRE(m.levels.size() == 4);
  CHECK(m.levels[0].dimensions == std::vector<std::uint32_t>{0, 1});
  CHECK(m.levels[1].dimensions == std::vector<std::uint32_t>{0, 1, 2, 3});
  CHECK(m.levels[2].dimensions == std::vector<std::uint32_t>{0, 1, 3});
  CHECK(m.levels[3].dimensions == std::vector<std::uint32_t>{0, 1, 4});
  CHECK(parent_level(m, 1) == 2);
}

TEST_CASE("level indices ascend whatever order the user writes") {
  const auto outcome =
      parse(with(small_document(), "/monitors/0/levels", json::parse(R"([["a"], ["b"], ["b", "a"]])")));
  REQUIRE(outcome.value);
  CHECK(outcome.value->world.monitors[0].levels[3].dimensions == std::vector<std::uint32_t>{0, 1});
}

TEST_CASE("a missing resolve rule is the rule that opens") {
  const auto detectors = json::parse(R"([{"type": "threshold", "rate": 0.3, "for": "30s"}])");
  const auto outcome = parse(with(small_document(), "/monitors/0/detectors", detectors));
  REQUIRE(outcome.value);
  const auto& d = std::get<threshold_spec>(outcome.value->world.monitors[0].detectors[0].settings);
  CHECK(d.resolve_rate == 0.3);
  CHECK(d.resolve_hold == 30 * second_ms);
}

TEST_CASE("default windows are rounded up to whole ticks") {
  auto document = with(small_document(), "/monitors/0/tick", "7s");
  document["monitors"][0]["detectors"] = json::parse(R"([{"type": "threshold", "rate": 1}, {"type": "count_bucket"}])");
  const auto outcome = parse(document);
  REQUIRE_MESSAGE(outcome.value, all_issues(outcome));
  const auto& m = outcome.value->world.monitors[0];
  CHECK(std::get<threshold_spec>(m.detectors[0].settings).window == 63 * second_ms);
  CHECK(std::get<count_bucket_spec>(m.detectors[1].settings).baseline % m.tick == 0);
}

TEST_CASE("an access log needs no time") {
  const auto text =
      R"({"input": {"format": "combined_log"}, "monitors": [{"name": "m", "error_when": "status >= 500"}]})";
  CHECK(parse_config(text, "f").value);
}

TEST_CASE("comments are allowed") {
  const auto text = "// one\n{\"input\": {\"format\": \"combined_log\"}, /* two */ \"monitors\": "
                    "[{\"name\": \"m\", \"error_when\": \"status >= 500\"}]}";
  CHECK(parse_config(text, "f").value);
}

TEST_CASE("each mistake is told with its pointer, what was found and what would be right") {
  const std::vector<mistake> mistakes{
      {"/input", "3", "3", "an object"},
      {"/input/format", "\"cvs\"", "\"cvs\"", "\"csv\", perhaps"},
      {"/input/fromat", "\"csv\"", "unknown key \"fromat\"", "\"format\", perhaps"},
      {"/input/time/field", "\"\"", "\"\"", "not empty"},
      {"/input/time/unit", "\"min\"", "\"min\"", "\"rfc3339\""},
      {"/input/time/zone", "\"Europe/Berlinn\"", "Berlinn", "IANA"},
      {"/input/allowed_lateness", "5", "5", "a duration such as \"10s\""},
      {"/input/allowed_lateness", "\"31d\"", "\"31d\"", "from 0s to 30d"},
      {"/input/ahead_accept", "0", "0", "from 1 to"},
      {"/input/ahead_accept", "1.5", "1.5", "whole number"},
      {"/input/where", "\"kind = \"", "kind = ", "condition"},
      {"/input/block_bytes", "\"1KiB\"", "\"1KiB\"", "from 4KiB to 64MiB"},
      {"/input/block_bytes", "\"65MiB\"", "\"65MiB\"", "from 4KiB to 64MiB"},
      {"/input/file/paths", "[]", "[]", "at least one path"},
      {"/input/file/paths/1", "\"a.csv\"", "\"a.csv\"", "only once"},
      {"/input/stdin", "true", "true", "not both"},
      {"/input/stdin", "\"yes\"", "\"yes\"", "true or false"},
      {"/input/tick", "\"5s\"", "unknown key \"tick\"", "/monitors/*/tick"},
      {"/monitors", "[]", "[]", "at least one"},
      {"/monitors/0", "\"m\"", "\"m\"", "an object"},
      {"/monitors/0/name", "\"a b\"", "\"a b\"", "letters, digits"},
      {"/monitors/0/error_when", "\"status >> 5\"", "status >> 5", "column"},
      {"/monitors/0/where", "\"(\"", "(", "column"},
      {"/monitors/0/scope", "\"property\"", "\"property\"", "a list"},
      {"/monitors/0/scope/0", "7", "7", "text"},
      {"/monitors/0/levels", "{}", "{}", "a list of levels"},
      {"/monitors/0/levels/1", "\"cdn\"", "\"cdn\"", "a level, which is a list"},
      {"/monitors/0/levels/1", "[\"property\"]", "[\"property\"]", "the scope is part of every level"},
      {"/monitors/0/levels/3/1", "\"cdn\"", "\"cdn\"", "only once"},
      {"/monitors/0/tick", "10", "10", "a duration such as \"10s\""},
      {"/monitors/0/tick", "\"1500ms\"", "\"1500ms\"", "whole seconds"},
      {"/monitors/0/gates/min_difference", "2", "2", "from 0 to 1"},
      {"/monitors/0/severity/critical_rate", "0", "0", "above 0 and at most 1"},
      {"/monitors/0/capacity/max_keys", "10", "10", "from 64"},
      {"/monitors/0/capacity/max_keys", "1e3", "1000", "whole number"},
      {"/monitors/0/detectors", "[]", "[]", "at least one"},
      {"/monitors/0/detectors/0", "null", "null", "\"type\""},
      {"/monitors/0/detectors/0/type", "\"treshold\"", "\"treshold\"", "\"threshold\", perhaps"},
      {"/monitors/0/detectors/0/scope_bucket", "5", "unknown key",
       "/monitors/*/detectors/*(count_bucket)/scope_bucket"},
      {"/monitors/0/detectors/0/rate", "0", "0", "above 0"},
      {"/monitors/0/detectors/0/rate", "1.01", "1.01", "at most 1"},
      {"/monitors/0/detectors/0/window", "\"15s\"", "\"15s\"", "a multiple of the tick, \"10s\""},
      {"/monitors/0/detectors/0/for", "\"5s\"", "\"5s\"", "a multiple of the tick"},
      {"/monitors/0/detectors/0/resolve_for", "\"5s\"", "\"5s\"", "a multiple of the tick"},
      {"/monitors/0/detectors/0/resolve_rate", "0.3", "0.3", "at most the rate that opens, 0.2"},
      {"/monitors/0/detectors/1/name", "\"high\"", "\"high\" again", "no other detector"},
      {"/monitors/0/detectors/1/baseline", "\"25s\"", "\"25s\"", "a multiple of the tick"},
      {"/monitors/0/detectors/1/outlier", "0.5", "0.5", "less than \"normal\", 0.01"},
      {"/monitors/0/detectors/1/normal", "1", "1", "below 1"},
      {"/input/settle", "\"8d\"", "\"8d\"", "from 0s to 7d"},
      {"/monitors/0/season/zone", "\"Europe/Berlinn\"", "Berlinn", "IANA"},
      {"/monitors/0/detectors/0/shadow", "\"yes\"", "\"yes\"", "true or false"},
      {"/monitors/0/detectors/2/objective", "1", "1", "above 0 and below 1"},
      {"/monitors/0/detectors/2/rules", "[]", "[]", "at least one"},
      {"/monitors/0/detectors/2/rules/0/factor", "0", "0", "above 0"},
      {"/monitors/0/detectors/2/rules/0/short_window", "\"2h\"", "\"2h\"", "at most the long window, \"1h\""},
      {"/monitors/0/detectors/2/rules/0/short_window", "\"5s\"", "\"5s\"", "a multiple of the tick"},
      {"/monitors/0/detectors/3/normal", "4", "4", "less than \"outlier\", 4"},
      {"/monitors/0/detectors/3/window", "\"15s\"", "\"15s\"", "a multiple of the tick"},
      {"/monitors/0/detectors/3/history", "1", "1", "from 2 to"},
      {"/monitors/0/detectors/4/false_alarms_per_day", "0", "0", "above 0"},
      {"/monitors/0/detectors/4/mode", "\"strickt\"", "\"strickt\"", "\"strict\", perhaps"},
      {"/state/commit_interval", "\"1 s\"", "\"1 s\"", "a duration"},
      {"/memory_limit", "\"1Gb\"", "\"1Gb\"", "a size such as \"1MiB\""},
      {"/memory_limit", "\"17MiB\"", "\"17MiB\"", "playback: keys"},
      {"/workers", "-1", "-1", "from 0 to 1024"},
      {"/a~1b~0", "1", "unknown key \"a/b~\"", "\"monitors\""},
      {"/$schema", "4", "4", "text"},
  };
  for (const auto& m : mistakes) {
    const auto outcome = parse(with(full_document(), m.pointer, json::parse(m.value)));
    CHECK_FALSE(outcome.value);
    CHECK_MESSAGE(tells(outcome, m), m.pointer, " = ", m.value, "\n", all_issues(outcome));
    CHECK_MESSAGE(outcome.issues.size() == 1, m.pointer, " = ", m.value, "\n", all_issues(outcome));
  }
}

TEST_CASE("the same level twice is told where it is repeated") {
  const auto outcome = parse(with(full_document(), "/monitors/0/levels/1", {"country", "cdn"}));
  CHECK(outcome.issues.size() == 1);
  CHECK(tells(outcome, {"/monitors/0/levels/3", "", "[\"cdn\",\"country\"]", "each level once"}));
}

TEST_CASE("what is missing is told at the place where it belongs") {
  for (const std::string pointer :
       {"/input", "/monitors", "/input/format", "/input/time", "/input/time/field", "/monitors/0/name",
        "/monitors/0/detectors/0/type", "/monitors/0/detectors/0/rate", "/input/file/paths"}) {
    const auto outcome = parse(without(full_document(), pointer));
    CHECK_FALSE(outcome.value);
    CHECK_MESSAGE(tells(outcome, {pointer, "", "nothing", ""}), pointer, "\n", all_issues(outcome));
  }
}

TEST_CASE("an outcome is needed: error_when or the input's failed") {
  const auto neither = without(small_document(), "/monitors/0/error_when");
  CHECK(tells(parse(neither), {"/monitors/0/error_when", "", "nothing", "\"failed\" in /input"}));
  CHECK(parse(with(neither, "/input/failed", "bad")).value);
}

TEST_CASE("a length of the baseline is refused where it would have no effect, and rules beyond the 32nd are, too") {
  const auto discounted = with(full_document(), "/monitors/0/detectors/4/baseline", "discounted");
  CHECK(tells(parse(discounted),
              {"/monitors/0/detectors/4/baseline_length", "", "\"7d\"", "it only with \"baseline\": \"sliding\""}));
  CHECK(parse(without(discounted, "/monitors/0/detectors/4/baseline_length")).value);
  auto many = full_document();
  auto& rules = many["monitors"][0]["detectors"][2]["rules"];
  while (rules.size() < 32)
    rules.push_back(rules[0]);
  CHECK(parse(many).value);
  rules.push_back(rules[0]);
  CHECK(tells(parse(many), {"/monitors/0/detectors/2/rules", "", "33 rules", "at most 32"}));
}

TEST_CASE("a rate without denominator is for detectors that need none") {
  auto document = without(small_document(), "/monitors/0/error_when");
  document["input"]["rate"] = "crash_rate";
  for (const std::string type : {"count_bucket", "burn_rate", "volume_drop"})
    CHECK(tells(parse(with(document, "/monitors/0/detectors", {{{"type", type}}})),
                {"/monitors/0/detectors/0/type", "", type, "no denominator"}));
  document["monitors"][0]["detectors"] = {{{"type", "sr_mixture"}}, {{"type", "z_score"}}};
  const auto outcome = parse(document);
  REQUIRE_MESSAGE(outcome.value, all_issues(outcome));
  CHECK(outcome.value->world.monitors[0].has_rates);
  CHECK(outcome.value->decode->rate_one == 1);
  CHECK(parse(with(document, "/input/rate_unit", "percent")).value->decode->rate_one == 100);
  CHECK(parse(with(document, "/input/rate_unit", "per_million")).value->decode->rate_one == 1e6);
  CHECK(tells(parse(with(document, "/monitors/0/error_when", "x > 1")),
              {"/monitors/0/error_when", "", "x > 1", "no denominator"}));
  // With a denominator it is a count.
  document["input"]["total"] = "n";
  document["monitors"][0]["detectors"] = {{{"type", "count_bucket"}}};
  REQUIRE(parse(document).value);
  CHECK_FALSE(parse(document).value->world.monitors[0].has_rates);
}

TEST_CASE("names of monitors are unique") {
  auto document = small_document();
  document["monitors"].push_back(document["monitors"][0]);
  CHECK(tells(parse(document), {"/monitors/1/name", "", "\"m\" again", "no other monitor"}));
}

TEST_CASE("attribution looks in the dimensions of the levels, and in those of attribute_by") {
  const auto monitor_of = [](const json& attribute_by) {
    auto document = with(small_document(), "/monitors/0/scope", {"property"});
    document["monitors"][0]["levels"] = {json::array(), {"cdn"}};
    if (!attribute_by.is_null())
      document["monitors"][0]["attribute_by"] = attribute_by;
    const auto outcome = parse(document);
    REQUIRE_MESSAGE(outcome.value, all_issues(outcome));
    return outcome.value->world.monitors[0];
  };
  const auto plain = monitor_of(nullptr);
  CHECK(plain.attributes);
  CHECK(plain.dimensions == std::vector<std::string>{"property", "cdn"});
  const auto more = monitor_of({"player", "cdn", "title"});
  CHECK(more.attributes);
  CHECK(more.dimensions == std::vector<std::string>{"property", "cdn", "player", "title"});
  CHECK(more.levels.size() == 2);
  const auto off = monitor_of(json::array());
  CHECK_FALSE(off.attributes);
  CHECK(off.dimensions == plain.dimensions);

  auto document = with(small_document(), "/monitors/0/scope", {"property"});
  document["monitors"][0]["attribute_by"] = {"cdn", "property"};
  CHECK(tells(parse(document), {"/monitors/0/attribute_by/1", "", "\"property\"", "not of the scope"}));
  document["monitors"][0]["attribute_by"] = "cdn";
  CHECK(tells(parse(document), {"/monitors/0/attribute_by", "", "\"cdn\"", "a list of texts"}));
}

TEST_CASE("what later builds will know is refused and never ignored") {
  for (const std::string pointer : {"/http", "/input/keyed_by", "/input/kafka", "/input/attribute_by", "/input/http",
                                    "/alerts/kafka", "/dead_letter/kafka", "/state/kafka"}) {
    const auto outcome = parse(with(full_document(), pointer, json::object()));
    CHECK_MESSAGE(tells(outcome, {pointer, "", "\"", "no such key: this build does not have it yet"}), pointer, "\n",
                  all_issues(outcome));
  }
  CHECK(parse(with(full_document(), "/monitors/0/detectors/1", {{"type", "volume_drop"}})).value);
}

TEST_CASE("all mistakes are told at once") {
  auto document = full_document();
  document["input"]["allowed_lateness"] = 5;
  document["monitors"][0]["tick"] = "10";
  document["monitors"][0]["error_when"] = "(";
  document["monitors"][0]["levels"][1] = {"property"};
  document["workers"] = "two";
  document["wrkers"] = 2;
  CHECK(parse(document).issues.size() == 6);
}

TEST_CASE("a mistake in the tick does not blame the windows") {
  const auto outcome = parse(with(full_document(), "/monitors/0/tick", "10"));
  CHECK(outcome.issues.size() == 1);
}

TEST_CASE("a key that is there twice is a mistake") {
  const auto outcome =
      parse_config(R"({"workers": 1, "input": {"format": "csv", "a": [{}, {"x": 1, "x": 2}]}, "workers": 2})", "f");
  CHECK(tells(outcome, {"/workers", "", "the key \"workers\" a second time", "each key once"}));
  CHECK(tells(outcome, {"/input/a/1/x", "", "the key \"x\" a second time", "each key once"}));
}

TEST_CASE("syntax errors are told with line and column") {
  const auto found = [](const char* text) {
    const auto outcome = parse_config(text, "f");
    REQUIRE(outcome.issues.size() == 1);
    CHECK_FALSE(outcome.value);
    CHECK(outcome.issues[0].pointer.empty());
    return to_string("f", outcome.issues[0]);
  };
  CHECK(found("{\"a\": 1,\n  \"b\": }").rfind("f: found at line 2, column 8 a syntax error", 0) == 0);
  CHECK(found("// c\n\n{,}").find("at line 3, column 2 ") != std::string::npos);
  CHECK(found("").find("at line 1, column 1 ") != std::string::npos);
  CHECK(found("{\"a\": 1e999}").find("1e999") != std::string::npos);
  CHECK(found("\xff\xfe").find("line 1") != std::string::npos);
}

TEST_CASE("hostile documents do not crash") {
  CHECK_FALSE(parse_config(std::string(200'000, '['), "f").value);
  const auto deep = std::string(100'000, '[') + std::string(100'000, ']');
  CHECK_FALSE(parse_config(deep, "f").value);
  CHECK_FALSE(parse_config("{\"input\": " + deep + ", \"monitors\": [" + deep + "]}", "f").value);
  CHECK_FALSE(parse_config("{\"" + std::string(1'000'000, 'k') + "\": 1}", "f").value);
  CHECK_FALSE(parse_config("[1, 2]", "f").value);
  CHECK_FALSE(parse_config("null", "f").value);
}

TEST_CASE("long values are cut in messages, between characters") {
  std::string name = "x";
  for (int i = 0; i < 100; ++i)
    name += "\xc3\xa4";
  const auto outcome = parse(with(full_document(), "/monitors/0/name", name));
  REQUIRE(outcome.issues.size() == 1);
  CHECK(outcome.issues[0].found.size() < 70);
  CHECK_NOTHROW(json(outcome.issues[0].found).dump()); // throws on broken UTF-8
}

TEST_CASE("an issue is one line: file, pointer, found, expected") {
  CHECK(to_string("c.json", {"/monitors/0/tick", "\"10\"", "a duration such as \"10s\""}) ==
        "c.json: /monitors/0/tick: found \"10\", expected a duration such as \"10s\"");
}

TEST_CASE("legal but doubtful settings are warned about") {
  const auto warned = [](const json& document, const std::string& text) {
    const auto outcome = parse(document);
    REQUIRE_MESSAGE(outcome.value, all_issues(outcome));
    return std::any_of(outcome.warnings.begin(), outcome.warnings.end(),
                       [&](const std::string& w) { return w.find(text) != std::string::npos; });
  };
  const auto full = full_document();
  CHECK(warned(with(with(full, "/input/allowed_lateness", "10m"), "/memory_limit", "8GiB"), "allowed_lateness 10m"));
  CHECK(warned(full, "/input/failed")); // its only monitor has error_when
  CHECK(warned(full, "/input/rate: has no effect"));
  const auto counted = without(full, "/monitors/0/error_when");
  CHECK(warned(counted, "/input/failed: has no effect beside /input/rate"));
  CHECK_FALSE(warned(counted, "/input/rate: has no effect"));
  CHECK_FALSE(warned(without(counted, "/input/rate"), "/input/failed"));
  CHECK(warned(with(full, "/input/time/unit", "ms"), "/input/time/zone"));
  CHECK_FALSE(warned(full, "/input/time/zone"));
  CHECK(warned(with(full, "/input/format", "combined_log"), "/input/time:"));
  CHECK(warned(with(full, "/monitors/0/detectors/0/min_events", 1), "/monitors/0/detectors/0/min_events"));
  CHECK_FALSE(warned(full, "min_events"));
  CHECK(warned(with(small_document(), "/input/settle", "2m"), "/input/settle: 2m: every alert comes so much later"));
  CHECK_FALSE(warned(full, "settle"));
  CHECK(warned(with(full, "/monitors/0/detectors/2/objective", 0.9),
               "/monitors/0/detectors/2/rules/0/factor: 14.4 times the budget is a failure rate of 144 %"));
  CHECK_FALSE(warned(full, "factor"));
  auto many = json::array();
  for (int i = 0; i < 8; ++i)
    many.push_back({"d" + std::to_string(i)});
  CHECK(warned(with(full, "/monitors/0/levels", many), "/monitors/0/levels: 9 levels"));
  CHECK_FALSE(warned(full, "levels:"));
}

TEST_CASE("a file that cannot be read is a message") {
  for (const std::string path : {"/nonexistent/tocsin.json", "/tmp"}) {
    const auto outcome = load_config(path);
    CHECK_FALSE(outcome.value);
    CHECK(outcome.issues.size() == 1);
  }
}
