#pragma once

#include "io/config/config.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <fstream>
#include <iterator>
#include <string>

namespace tocsin::io::test {

/// The smallest legal configuration.
inline nlohmann::json small_document() {
  return nlohmann::json::parse(R"({
    "input": {"format": "ndjson", "time": {"field": "ts"}},
    "monitors": [{"name": "m", "error_when": "status >= 500"}]
  })");
}

/// A configuration with every key of the language.
inline nlohmann::json full_document() {
  return nlohmann::json::parse(R"({
    "$schema": "../schema.json",
    "input": {
      "format": "csv", "time": {"field": "ts", "unit": "rfc3339", "zone": "Europe/Berlin"},
      "allowed_lateness": "5s", "max_ahead": "1h", "ahead_accept": 100, "correction": "1h", "settle": "0s",
      "idle_timeout": "30s",
      "where": "kind = 'view'", "total": "n", "failed": "bad", "rate": "bad_share", "rate_unit": "percent", "viewer": "viewer_id",
      "error_type": "error_code",
      "file": {"paths": ["a.csv", "b.csv"], "sequence": true}, "stdin": false,
      "max_record_bytes": "1MiB", "block_bytes": "1MiB"
    },
    "monitors": [{
      "name": "playback", "error_when": "status >= 500", "where": "player = 'web'",
      "scope": ["property"], "levels": [[], ["cdn"], ["country"], ["cdn", "country"]],
      "tick": "10s", "expire_after": "8d", "update_every": "30m",
      "group_wait": "20s", "reopen_within": "15m", "propose_after": "1d", "accept_after": "3d",
      "gates": {"min_ratio": 1.25, "min_difference": 0.002, "min_excess_failures": 3},
      "severity": {"major_ratio": 3, "major_excess_per_hour": 50, "critical_rate": 0.5, "critical_events": 20,
                   "critical_excess_per_hour": 500, "fall_after": "10m"},
      "capacity": {"max_keys": 20000, "max_leaf_cells": 20000, "max_scopes": 1000, "max_leaves": 20000},
      "attribute_by": ["player"],
      "season": {"zone": "Europe/Berlin"},
      "detectors": [
        {"type": "threshold", "name": "high", "shadow": false, "rate": 0.2, "window": "1m", "for": "20s", "min_events": 50,
         "resolve_rate": 0.1, "resolve_for": "2m"},
        {"type": "count_bucket", "name": "buckets", "shadow": false, "scope_bucket": 1000, "key_bucket": 100, "baseline": "1d",
         "min_baseline": 1000, "outlier": 1e-6, "normal": 0.01},
        {"type": "burn_rate", "name": "budget", "shadow": true, "objective": 0.999, "min_events": 10,
         "rules": [{"long_window": "1h", "short_window": "5m", "factor": 14.4}]},
        {"type": "z_score", "name": "textbook", "shadow": true, "window": "5m", "history": 2016, "min_history": 12,
         "outlier": 4, "normal": 2},
        {"type": "sr_mixture", "name": "mixture", "shadow": false, "false_alarms_per_day": 1, "mode": "calibrated",
         "incidents_per_day": 0.1, "baseline": "sliding", "baseline_length": "7d"},
        {"type": "volume_drop", "name": "missing", "shadow": false, "false_alarms_per_day": 1,
         "min_events_per_hour": 60}
      ]
    }],
    "alerts": {"file": "alerts.ndjson"}, "dead_letter": {"file": "rejected.ndjson"},
    "state": {"sqlite": "tocsin.db", "commit_interval": "1s"},
    "memory_limit": "1GiB", "workers": 2
  })");
}

/// Where the full document has a path of the language: `/monitors/*/name` is `/monitors/0/name`.
inline std::string place_in_full_document(std::string path) {
  const auto document = full_document();
  const auto& detectors = document["monitors"][0]["detectors"];
  for (std::size_t i = 0; i < detectors.size(); ++i) {
    const auto pattern = "*(" + detectors[i]["type"].get<std::string>() + ")";
    if (const auto at = path.find(pattern); at != std::string::npos)
      path.replace(at, pattern.size(), std::to_string(i));
  }
  for (auto at = path.find('*'); at != std::string::npos; at = path.find('*'))
    path.replace(at, 1, "0");
  return path;
}

inline config_outcome parse(const nlohmann::json& document) {
  return parse_config(document.dump(), "test.json");
}

inline std::string all_issues(const config_outcome& outcome) {
  std::string out;
  for (const auto& issue : outcome.issues)
    out += to_string("test.json", issue) + '\n';
  return out;
}

/// The document with another value at the pointer.
inline nlohmann::json with(nlohmann::json document, const std::string& pointer, const nlohmann::json& value) {
  document[nlohmann::json::json_pointer(pointer)] = value;
  return document;
}

/// The document without the key or element at the pointer.
inline nlohmann::json without(nlohmann::json document, const std::string& pointer) {
  const nlohmann::json::json_pointer place(pointer);
  auto& parent = document[place.parent_pointer()];
  if (parent.is_array())
    parent.erase(std::stoul(place.back()));
  else
    parent.erase(place.back());
  return document;
}

inline std::string read_text(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

} // namespace tocsin::io::test
