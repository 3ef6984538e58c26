#pragma once

#include "detectors/judging/error_types/type_budget.hpp"
#include "detectors/judging/keyed_state.hpp"
#include "detectors/values/codec.hpp"
#include "models/rare_type.hpp"
#include "models/resolve_test.hpp"

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>

namespace tocsin::error_types {

/// Since when a type has been more frequent than before: where its failures began to keep ahead. A value.
struct type_run {
  bool goes_on = false;
  tick_index onset = 0;
  std::int64_t events_before = 0; ///< of the scope, when it began
  double expected_before = 0;     ///< failures
  double known = 0;               ///< failures of the type until then ...
  double share = 0; ///< ... and the share they made, with half a failure more: of what was never seen, a little
  std::int64_t failed = 0;
  std::uint64_t viewers = 0; ///< bitmap of those that failed

  void save(state_writer& out) const;
  bool load(state_reader& in);
};

/// A type with an open incident. A value.
struct open_type {
  tick_index opened = 0;
  tick_index accept_at = 0;
  double share = 0; ///< expected
  double total = 0; ///< events of the scope since the onset
  double failed = 0;
  double calm_total = 0; ///< since the resolve test last began anew: perhaps the end, no part of the above
  double calm_failed = 0;
  tick_index calm_since = 0;
  double rate = 0;  ///< expected in the tick at hand
  double bound = 0; ///< the resolve test's rate
  resolve_test back;

  void save(state_writer& out) const;
  bool load(state_reader& in);
};

/// An error type of a scope. A value.
struct known_type {
  rare_type test;
  std::int32_t hour = 0; ///< to which the past has been forgotten
  tick_index last_tick = 0;
  std::int64_t events_seen = 0; ///< of the scope, through the tick in which the type failed last
  double exposure_seen = 0;
  double spent = 0; ///< cumulative share of the budget, up to which evidence has been started
  type_run run;
  std::optional<open_type> open;
  key_slot slot = no_slot; ///< of its key, while an incident is open; not saved

  void save(state_writer& out) const;
  bool load(state_reader& in);
};

/// The error types of a scope. Kept with its root key. A value.
struct scope_types {
  type_budget budget;
  std::int32_t hour = 0;
  std::int64_t events = 0; ///< since the scope began
  double gone = 0;         ///< failures since then, without those of types with an open incident
  double exposure = 0;     ///< the same, forgotten as the types' failures are
  double expected = 0;     ///< failures expected since then
  tick_index began = 0;
  std::map<std::string, known_type, std::less<>> known; ///< by encoded value
  std::set<std::string, std::less<>> open;              ///< of them, those with an open incident

  void save(state_writer& out) const;
  bool load(state_reader& in);
};

} // namespace tocsin::error_types
