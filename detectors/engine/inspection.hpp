#pragma once

#include "detectors/judging/explanation.hpp"
#include "detectors/judging/gates.hpp"
#include "detectors/values/alert.hpp"
#include "detectors/values/time.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace tocsin {

/// An open incident, as a person wants to know it.
struct incident_view {
  std::string id;
  time_ms onset = 0;
  time_ms detected_at = 0;
  severity harm = severity::warning;
  std::int64_t total = 0; ///< since the onset
  std::int64_t failed = 0;
  double expected = 0;                ///< failures
  std::optional<double> evidence;     ///< when it opened
  std::optional<double> once_in_days; ///< when it opened
  std::string closes_when;
};

/// Both looks at the gates: all failures, and one for each distinct viewer where the stream has viewers.
struct gate_view {
  gate_results failures{};
  std::optional<gate_results> viewers;
  bool pass() const { return all_pass(failures) && (!viewers || all_pass(*viewers)); }
};

/// What one detector knows of a key.
struct detector_view {
  std::string name;
  std::string type;
  bool shadow = false;
  std::vector<std::pair<std::string, std::string>> facts; ///< name, value
  std::optional<explanation> model;                       ///< of detectors that have one
  std::optional<gate_view> gates;                         ///< for the excess in `model`, if there is one
  std::optional<incident_view> incident;
};

/// A key and what each of its monitor's detectors knows of it.
struct key_explanation {
  std::string monitor;
  std::vector<std::string> level;   ///< without the scope
  std::vector<dimension_value> key; ///< scope first
  std::string bytes;                ///< level byte first
  bool known = false;               ///< false: it has no state; detectors with a model tell what it would inherit
  time_ms tick = 0;                 ///< length
  time_ms created = 0;              ///< begin of its first tick
  time_ms last_seen = 0;            ///< end of the last tick with events
  time_ms told_after = 0;           ///< how long after the end of a tick it is judged: lateness and settling
  std::vector<detector_view> detectors;
};

/// Where the excess of a key is.
struct attribution_view {
  std::vector<contributor> causes;  ///< as an incident would name them, best first
  std::vector<contributor> ranking; ///< the five best sets, whether or not they are good enough to be a cause
};

/// What one detector did with a watched key in one tick.
struct watched_judgement {
  detector_view view;           ///< as of the moment of judgement: before its verdict had an effect
  bool asked = false;           ///< it asked for an incident; `view.gates` are those that decided, if any did
  std::vector<alert_kind> told; ///< records of this tick
};

/// A tick in which a watched key had events, or something was told of it.
struct watched_tick {
  std::string bytes; ///< of the key
  time_ms end = 0;
  std::int64_t total = 0;
  std::int64_t failed = 0;
  key_explanation of; ///< `detectors` is empty: see `judgements`
  std::vector<watched_judgement> judgements;
};

} // namespace tocsin
