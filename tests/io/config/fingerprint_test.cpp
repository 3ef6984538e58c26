#include "io/config/fingerprint.hpp"
#include "io/config/language.hpp"
#include "tests/support/config_documents.hpp"

#include <doctest/doctest.h>

#include <map>
#include <set>

using namespace tocsin;
using namespace tocsin::io;
using namespace tocsin::io::test;
using nlohmann::json;

namespace {

std::string fingerprint(const json& document) {
  const auto outcome = parse(document);
  REQUIRE_MESSAGE(outcome.value, all_issues(outcome));
  return outcome.value->world.fingerprint;
}

/// Another legal value for each key of the full document that can change a verdict.
const std::map<std::string, json> verdict_changes{
    {"/input/format", "ndjson"},
    {"/input/time/field", "time"},
    {"/input/time/unit", "us"},
    {"/input/time/zone", "Europe/Paris"},
    {"/input/allowed_lateness", "6s"},
    {"/input/max_ahead", "2h"},
    {"/input/ahead_accept", 101},
    {"/input/correction", "2h"},
    {"/input/where", "kind = 'ad'"},
    {"/input/total", "count"},
    {"/input/failed", "errors"},
    {"/input/rate", "error_share"},
    {"/input/rate_unit", "fraction"},
    {"/input/viewer", "user"},
    {"/input/error_type", "code"},
    {"/input/max_record_bytes", "2MiB"},
    {"/monitors/0/name", "other"},
    {"/monitors/0/error_when", "status >= 400"},
    {"/monitors/0/where", "player = 'tv'"},
    {"/monitors/0/scope", {"customer"}},
    {"/monitors/0/levels", {{"cdn"}}},
    {"/monitors/0/tick", "5s"},
    {"/monitors/0/expire_after", "9d"},
    {"/monitors/0/update_every", "31m"},
    {"/monitors/0/group_wait", "30s"},
    {"/monitors/0/reopen_within", "14m"},
    {"/monitors/0/propose_after", "2d"},
    {"/monitors/0/accept_after", "4d"},
    {"/monitors/0/gates/min_ratio", 1.26},
    {"/monitors/0/gates/min_difference", 0.003},
    {"/monitors/0/gates/min_excess_failures", 4},
    {"/monitors/0/severity/major_ratio", 4},
    {"/monitors/0/severity/major_excess_per_hour", 51},
    {"/monitors/0/severity/critical_rate", 0.6},
    {"/monitors/0/severity/critical_events", 21},
    {"/monitors/0/severity/critical_excess_per_hour", 501},
    {"/monitors/0/severity/fall_after", "11m"},
    {"/monitors/0/capacity/max_keys", 20001},
    {"/monitors/0/capacity/max_leaf_cells", 20001},
    {"/monitors/0/capacity/max_scopes", 1001},
    {"/monitors/0/capacity/max_leaves", 20001},
    {"/monitors/0/attribute_by", json::array()},
    {"/monitors/0/detectors/0/name", "higher"},
    {"/monitors/0/detectors/0/rate", 0.21},
    {"/monitors/0/detectors/0/window", "2m"},
    {"/monitors/0/detectors/0/for", "30s"},
    {"/monitors/0/detectors/0/min_events", 51},
    {"/monitors/0/detectors/0/resolve_rate", 0.11},
    {"/monitors/0/detectors/0/resolve_for", "3m"},
    {"/monitors/0/detectors/1/name", "bucket"},
    {"/monitors/0/detectors/1/scope_bucket", 1001},
    {"/monitors/0/detectors/1/key_bucket", 101},
    {"/monitors/0/detectors/1/baseline", "2d"},
    {"/monitors/0/detectors/1/min_baseline", 1001},
    {"/monitors/0/detectors/1/outlier", 1e-7},
    {"/monitors/0/detectors/1/normal", 0.02},
    {"/monitors/0/season/zone", "Europe/Paris"},
    {"/monitors/0/detectors/0/shadow", true},
    {"/monitors/0/detectors/1/shadow", true},
    {"/monitors/0/detectors/2/shadow", false},
    {"/monitors/0/detectors/3/shadow", false},
    {"/monitors/0/detectors/4/shadow", true},
    {"/monitors/0/detectors/5/shadow", true},
    {"/monitors/0/detectors/5/name", "lost"},
    {"/monitors/0/detectors/5/false_alarms_per_day", 2},
    {"/monitors/0/detectors/5/min_events_per_hour", 61},
    {"/monitors/0/detectors/2/name", "slo"},
    {"/monitors/0/detectors/2/objective", 0.99},
    {"/monitors/0/detectors/2/min_events", 11},
    {"/monitors/0/detectors/2/rules/0/long_window", "2h"},
    {"/monitors/0/detectors/2/rules/0/short_window", "10m"},
    {"/monitors/0/detectors/2/rules/0/factor", 14},
    {"/monitors/0/detectors/3/name", "z"},
    {"/monitors/0/detectors/3/window", "10m"},
    {"/monitors/0/detectors/3/history", 2017},
    {"/monitors/0/detectors/3/min_history", 13},
    {"/monitors/0/detectors/3/outlier", 5},
    {"/monitors/0/detectors/3/normal", 1},
    {"/monitors/0/detectors/4/name", "sr"},
    {"/monitors/0/detectors/4/false_alarms_per_day", 2},
    {"/monitors/0/detectors/4/mode", "strict"},
    {"/monitors/0/detectors/4/incidents_per_day", 0.2},
    {"/monitors/0/detectors/4/baseline_length", "8d"},
};

/// Another legal value for each key that cannot.
const std::map<std::string, json> harmless_changes{
    {"/$schema", "elsewhere.json"},
    {"/input/idle_timeout", "31s"},
    {"/input/block_bytes", "4KiB"},
    {"/input/file/paths", {"c.csv"}},
    {"/input/file/sequence", false},
    {"/alerts/file", "x.ndjson"},
    {"/dead_letter/file", "y.ndjson"},
    {"/state/sqlite", "z.db"},
    {"/state/commit_interval", "2s"},
    {"/memory_limit", "2GiB"},
    {"/workers", 8},
};

/// The full document with the discounted baseline, which has no length.
json discounted_document() {
  return with(without(full_document(), "/monitors/0/detectors/4/baseline_length"), "/monitors/0/detectors/4/baseline",
              "discounted");
}

} // namespace

TEST_CASE("every change that can change a verdict changes the fingerprint, each differently") {
  std::set<std::string> seen{fingerprint(full_document())};
  for (const auto& entry : verdict_changes)
    CHECK_MESSAGE(seen.insert(fingerprint(with(full_document(), entry.first, entry.second))).second, entry.first);
}

TEST_CASE("settle, the sliding baseline and the zone of the season change the fingerprint") {
  auto slow = with(small_document(), "/monitors/0/tick", "1m");
  std::set<std::string> seen{fingerprint(slow)};
  for (const auto* settle : {"1m", "2m"})
    CHECK(seen.insert(fingerprint(with(slow, "/input/settle", settle))).second);
  CHECK(seen.count(fingerprint(with(slow, "/input/settle", "0s"))) == 1);
  // UTC by name, and by default: the name counts, not what its transitions happen to be.
  for (const auto* zone : {"Etc/UTC", "UTC", "Asia/Kolkata"})
    CHECK(seen.insert(fingerprint(with(slow, "/monitors/0/season/zone", zone))).second);
  CHECK(fingerprint(discounted_document()) != fingerprint(full_document()));
}

TEST_CASE("leaving out a part changes the fingerprint") {
  std::set<std::string> seen{fingerprint(full_document())};
  for (const std::string pointer :
       {"/input/where", "/input/viewer", "/input/error_type", "/input/rate", "/monitors/0/where",
        "/monitors/0/error_when", "/monitors/0/detectors/1", "/input/time/zone"})
    CHECK_MESSAGE(seen.insert(fingerprint(without(full_document(), pointer))).second, pointer);
}

TEST_CASE("the fingerprint depends on the order of monitors and levels, which order alerts and name parents") {
  auto document = full_document();
  std::swap(document["monitors"][0]["levels"][1], document["monitors"][0]["levels"][2]);
  CHECK(fingerprint(document) != fingerprint(full_document()));
}

TEST_CASE("paths, sinks, workers and limits do not change the fingerprint") {
  const auto original = fingerprint(full_document());
  for (const auto& entry : harmless_changes)
    CHECK_MESSAGE(fingerprint(with(full_document(), entry.first, entry.second)) == original, entry.first);
  auto standard_input = without(full_document(), "/input/file");
  standard_input["input"]["stdin"] = true;
  CHECK(fingerprint(standard_input) == original);
}

TEST_CASE("comments, order of keys, spelling of units and written defaults do not change the fingerprint") {
  const auto small = fingerprint(small_document());
  const auto text = R"(// reordered
    {"monitors": [{"error_when": "status >= 500", /* by hand */ "name": "m", "tick": "10000ms", "levels": []}],
     "input": {"time": {"unit": "ms", "field": "ts"}, "format": "ndjson", "correction": "60m", "max_record_bytes": "1024KiB"}})";
  const auto outcome = parse_config(text, "another.json");
  REQUIRE_MESSAGE(outcome.value, all_issues(outcome));
  CHECK(outcome.value->world.fingerprint == small);
  CHECK(small.size() == 32);
}

TEST_CASE("each key of the language is known to change verdicts or not to") {
  std::set<std::string> covered{"/monitors/0/detectors/4/baseline", // in a case of its own
                                "/input",
                                "/input/time",
                                "/input/file",
                                "/input/stdin",
                                "/monitors",
                                "/monitors/0/gates",
                                "/monitors/0/severity",
                                "/monitors/0/capacity",
                                "/monitors/0/detectors",
                                "/alerts",
                                "/dead_letter",
                                "/state",
                                "/monitors/0/season",
                                "/monitors/0/detectors/2/rules",
                                "/input/settle"}; // in a case of its own
  for (const auto* detector : {"0", "1", "2", "3", "4", "5"})
    covered.insert(std::string("/monitors/0/detectors/") + detector + "/type");
  for (const auto& entry : verdict_changes)
    covered.insert(entry.first);
  for (const auto& entry : harmless_changes)
    covered.insert(entry.first);
  for (const auto& known : known_paths()) {
    const auto path = place_in_full_document(known);
    CHECK_MESSAGE(covered.count(path) == 1, path);
  }
}

TEST_CASE("the version of the time zone data is known") {
  CHECK(time_zone_data_version().size() >= 5); // "2024a"
}
