#pragma once

#include "detectors/values/codec.hpp"
#include "detectors/values/time.hpp"
#include "models/mixture.hpp"
#include "models/resolve_test.hpp"
#include "models/volume_baseline.hpp"

#include <cstdint>
#include <limits>

namespace tocsin::volume_drop {

inline constexpr std::uint32_t no_place = std::numeric_limits<std::uint32_t>::max();
inline constexpr std::int32_t no_hour = std::numeric_limits<std::int32_t>::min();

/// The latest run of ticks in which events stayed below `pace` times what was expected: where a drop began (Page 1954).
/// A value.
struct excursion {
  std::int64_t events = 0;
  double expected = 0;
  std::uint32_t ticks = 0; ///< 0: there is none

  void follow(double pace, std::int64_t count, double expected_count);
  void save(state_writer& out) const;
  bool load(state_reader& in);
};

/// What every key has.
struct key_state {
  std::int32_t hour = no_hour;    ///< number of the hour at hand
  std::uint32_t place = no_place; ///< of its full state
  std::uint32_t scope = no_place; ///< of a root: its budget
  float events = 0;               ///< of the hour at hand
  bool partial = true;            ///< that hour began before the key did
};

/// An incident while it is open. A value.
struct open_drop {
  tick_index onset = 0;
  tick_index accept_at = 0;
  std::int64_t events = 0; ///< since the onset
  double expected = 0;
  tick_index back_since = 0; ///< first tick since the evidence of `back` last stood at 1
  std::int64_t back_events = 0;
  resolve_test back;

  double share() const { return expected > 0 ? static_cast<double>(events) / expected : 1; }
  /// The share of the expected volume half way between observed and normal, against which normal is tested.
  double half_way() const;
  void save(state_writer& out) const;
  bool load(state_reader& in);
};

/// What a key has that once had a fair number of events in an hour.
struct full_state {
  volume_baseline baseline;
  shiryaev_roberts_mixture evidence;
  excursion slow;                ///< pace 0.93: small drops
  excursion fast;                ///< pace 0.7: large ones
  double share_seen = 0;         ///< of the cumulative budget share, up to which mass has been started
  tick_index scored_through = 0; ///< last tick judged, events or not
  tick_index look_at = 0;        ///< the reminder that counts
  float held = 0;                ///< events of the hour before the one at hand, in quarantine
  std::uint32_t weight = 1;      ///< in the budget
  bool has_held = false;
  bool held_spoiled = false; ///< an incident was open
  bool spoiled = false;      ///< ... in the hour at hand
  bool watched = false;      ///< has a share of the budget and is reminded

  void save(state_writer& out) const;
  bool load(state_reader& in);
};
static_assert(sizeof(key_state) + sizeof(full_state) <= 768);

} // namespace tocsin::volume_drop
