#pragma once

#include "detectors/judging/detector.hpp"
#include "detectors/judging/error_types/known_type.hpp"
#include "detectors/judging/keyed_state.hpp"
#include "detectors/judging/roll_up.hpp"
#include "detectors/values/monitor_spec.hpp"

#include <tsl/robin_map.h>

#include <cstddef>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace tocsin::error_types {

/// What a scope did in a tick, and what its root was expected to do.
struct scope_tick {
  key_slot root = no_slot;
  std::int64_t total = 0;
  std::int64_t failed = 0;
  double rate = 0;       ///< expected failure rate
  double raised = 1;     ///< by how much the guard raises it
  double dispersion = 0; ///< of the failures of a tick
  /// The root's own incident is open, or the range is taken out of learning: all types rise together, nothing is
  /// learned and none is judged that is not open.
  bool is_void = false;
  const type_counts* first = nullptr; ///< its failures by type, sorted by type
  const type_counts* last = nullptr;
};

/// Watches the error types of each scope for those that were never or rarely seen and become frequent: the test of
/// models/rare_type.hpp on all events of the scope. An alarm asks for an incident of the key {scope, type}, which goes
/// the way of all incidents. Types that are common (100 failures or more, with a half-life of a week) are not judged:
/// the rates of keys tell, and their records name the types.
///
/// Bounded: a scope keeps at most 256 types, fewer where there are many scopes; the lightest are forgotten. A type that
/// has no name because there was no room for it (`(other)`) is not judged.
///
/// Owned by a detector; not thread-safe; total.
class type_watch {
public:
  /// `budget`: false alarms a tick that a scope may spend on types.
  type_watch(const monitor_spec& monitor, const sr_mixture_spec& settings, const keyed_state& keys, double budget);

  /// Judges a tick of a scope. May make keys: slots may grow meanwhile.
  void step(tick_index now, const scope_tick& seen, judge& out);
  void forget(const std::vector<bool>& slots);
  void withdraw(key_slot slot) { close(slot); }
  /// As detector::accept.
  bool accept(key_slot slot, tick_index now, judge& out);

  bool has_open(key_slot slot) const { return open_.find(slot) != open_.end(); }
  double expected_rate(key_slot slot) const;
  std::string closes_when(key_slot slot) const;
  /// What is known of a scope's types; nullptr if nothing is.
  const scope_types* of(key_slot root) const;

  /// State of a scope, with its root key.
  void save(key_slot root, state_writer& out) const;
  bool load(key_slot root, state_reader& in);
  /// Finds the keys of open types again.
  bool loaded(tick_index last_tick);
  std::size_t memory_bytes() const;

private:
  struct place {
    key_slot root = no_slot;
    std::string type;
  };
  /// A tick of a scope, while it is judged.
  struct turn {
    tick_index now = 0;
    const scope_tick* seen = nullptr;
    scope_types* scope = nullptr;
    double expected = 0; ///< failures
  };

  scope_types& scope_at(key_slot root, tick_index now);
  void turn_hour(scope_types& scope, std::int32_t hour) const;
  void judge_type(const turn& at, const type_counts& counts, judge& out);
  double rate_in_tick(const turn& at, const rare_type& type) const;
  void observe(const turn& at, known_type& type, std::int64_t failed) const;
  void follow(const turn& at, known_type& type, const type_counts& counts, double failures_before) const;
  void raise(const turn& at, const type_counts& counts, judge& out);
  verdict verdict_of(const turn& at, const known_type& type) const;
  void judge_open(const turn& at, const std::string& name, judge& out);
  void take_as_normal(known_type& type, const scope_types& scope, double rate) const;
  void close(key_slot slot);
  void end(scope_types& scope, known_type& type, const std::string& name, tick_index now);
  void make_room(scope_types& scope, std::int32_t hour);
  std::size_t most_types() const;
  const open_type* open_of(key_slot slot) const;

  const monitor_spec* monitor_;
  const sr_mixture_spec* settings_;
  const keyed_state* keys_;
  double budget_;
  double ticks_a_day_;
  tick_index ticks_an_hour_;
  std::size_t most_kept_;
  tsl::robin_map<key_slot, scope_types> scopes_; ///< by root
  tsl::robin_map<key_slot, place> open_;
};

} // namespace tocsin::error_types
