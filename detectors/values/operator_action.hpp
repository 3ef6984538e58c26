#pragma once

#include "detectors/values/time.hpp"

#include <algorithm>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

namespace tocsin {

/// What an operator may tell the engine.
enum class action_kind : std::uint8_t {
  exclude, ///< nothing that happens in a range of time is to be learned
  accept,  ///< the rate of an open incident is the new normal
};
const char* name_of(action_kind kind);

/// An action of an operator: a part of the journal, because the records do not hold it and verdicts depend on it. A
/// value.
///
/// It holds for each tick that ends after `in_force`. A running world sets that to where it is when it takes the action
/// over, so that a replay decides again what was decided; an action that was never taken over holds from the beginning.
struct operator_action {
  action_kind kind = action_kind::exclude;
  std::string monitor;
  /// Dimension and value as it is shown (`(none)`, `(other)`). Of an exclusion: keys that have all of these values,
  /// narrower ones too. Of an acceptance: the key with exactly these, if no incident is named.
  std::vector<std::pair<std::string, std::string>> key;
  std::string incident; ///< of an acceptance: the id of the incident, or empty
  time_ms from = 0;     ///< of an exclusion: the range [from, to)
  time_ms to = 0;
  std::string author;
  std::string comment;
  time_ms in_force = beginning_of_time; ///< of an acceptance: it is made in the first tick that ends after this

  friend bool operator==(const operator_action& a, const operator_action& b) {
    return a.kind == b.kind && a.monitor == b.monitor && a.key == b.key && a.incident == b.incident &&
           a.from == b.from && a.to == b.to && a.author == b.author && a.comment == b.comment &&
           a.in_force == b.in_force;
  }
};

/// An action that a store keeps until a world has taken it over.
struct action_request {
  std::int64_t number = 0; ///< given by the store, ascending
  operator_action what;
};

/// The action as a world that is judged through `now` takes it over.
inline operator_action taken_over(operator_action action, time_ms now) {
  action.in_force = std::max(action.in_force, now);
  return action;
}

} // namespace tocsin
