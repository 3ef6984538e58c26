#pragma once

#include "detectors/values/time.hpp"
#include "io/result.hpp"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

namespace tocsin::tools {

/// One record of an incident, in short.
struct history_entry {
  time_ms tick = 0;
  std::int64_t revision = 0;
  std::string kind;
  std::string severity;
  std::string description;
};

/// What the report needs of an incident: its latest numbers, and in short how it came to them. Value.
struct reported_incident {
  std::string id;
  std::string parent; ///< empty: it pages
  std::string monitor;
  std::string detector;
  bool shadow = false;
  std::vector<std::string> level; ///< without the scope
  /// Dimension and value, scope first; no value where the field is missing.
  std::vector<std::pair<std::string, std::optional<std::string>>> key;
  std::string severity; ///< the worst that it had
  std::string last_kind;
  bool is_volume = false;
  bool is_open = true;
  time_ms onset = 0;
  time_ms detected_at = 0;
  std::optional<time_ms> ended; ///< of a closed incident: end of the deciding tick
  double rate = 0;              ///< since the onset; of a volume, events an hour
  double baseline = 0;          ///< what was expected since the onset, in the same unit
  double excess = 0;            ///< failures beyond expectation; of a volume, events that are missing
  std::string cause;            ///< the first contributor: `cdn=fastly, country=DE`
  std::uint64_t children = 0;
  std::string opening; ///< the first record, as in the log
  std::string causes;  ///< the latest record that names contributors or error types, empty: none did
  std::string latest;  ///< the last record
  std::vector<history_entry> history;
  std::size_t history_left_out = 0; ///< between its first and second half
};

/// How bad a severity is, for sorting: 0 is the mildest.
int rank_of_severity(const std::string& name);

/// The records of an alert log as incidents, in order of their opening. A record that was there before (same id and
/// revision) changes nothing. Memory: per incident three records and at most `max_history` in short. Not thread-safe.
class incident_book {
public:
  static constexpr std::size_t max_history = 60;

  /// Takes one line of the log. Errors: it is no alert record.
  io::result<void> add(const std::string& line);

  const std::vector<reported_incident>& incidents() const { return incidents_; }
  std::uint64_t records() const { return records_; }
  /// Indices of incidents, those first that a person should see first: pages before children, shadows last; among
  /// equals by severity, then excess, then order of opening.
  std::vector<std::size_t> worst_first() const;

private:
  std::vector<reported_incident> incidents_;
  std::unordered_map<std::string, std::size_t> by_id_;
  std::uint64_t records_ = 0;
};

} // namespace tocsin::tools
