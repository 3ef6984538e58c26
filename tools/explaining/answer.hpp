#pragma once

#include "detectors/engine/inspection.hpp"

#include <optional>
#include <string>
#include <vector>

namespace tocsin::tools {

/// What `tocsin explain` found out.
struct answer {
  key_explanation about;                   ///< the key; if it was never seen, what it would inherit, as far as known
  std::optional<key_explanation> ancestor; ///< of a key that was never seen: the nearest key above it that was
  std::optional<time_ms> at;               ///< the past time that was asked for
  std::vector<watched_tick> path;          ///< its last ticks up to then, oldest first
};

/// Why it fired, or why not, in one sentence. `judged`: how it was judged in the tick asked for; nullptr: the stored
/// state.
std::string reason(const detector_view& detector, const watched_judgement* judged);

/// What happened in a tick of the path, in words: `opened`, `held back by difference`.
std::vector<std::string> happenings(const watched_judgement& judged);

/// For people: several lines, ended by a line end.
std::string as_text(const answer& what);
/// One JSON object on one line, without line end; docs/explain.md has its fields.
std::string as_json(const answer& what);

/// `cdn=fastly, country=DE`, or `the whole stream`.
std::string shown_key(const std::vector<dimension_value>& key);

} // namespace tocsin::tools
