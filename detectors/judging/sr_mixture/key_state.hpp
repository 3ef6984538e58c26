#pragma once

#include "detectors/values/codec.hpp"
#include "detectors/values/time.hpp"
#include "models/dispersion.hpp"
#include "models/level.hpp"
#include "models/mixture.hpp"
#include "models/season.hpp"

#include <cstdint>
#include <limits>

namespace tocsin::sr_mixture {

inline constexpr std::uint32_t no_place = std::numeric_limits<std::uint32_t>::max();
inline constexpr tick_index never = std::numeric_limits<tick_index>::min();

inline constexpr double events_kept_an_hour = 0.97153194115; ///< 2^(-1/24): weights follow a day
inline constexpr double weight_unit = 1024; ///< so fine that what an hour forgets is never rounded away

/// The latest run of ticks in which failures kept ahead of `pace` times what the guarded baseline allows: where the
/// evidence began to grow, and what has happened since (the regeneration points of a CUSUM, Page 1954). A value.
struct excursion {
  double total = 0;
  std::uint64_t viewers = 0; ///< bitmap of the failing viewers that are not yet in `capped`
  float failed = 0;
  float capped = 0;        ///< failures, each viewer once in a stretch of about 63 viewers
  float expected = 0;      ///< failures at the baseline
  std::uint32_t ticks = 0; ///< from its first to its last tick; 0: there is none

  void save(state_writer& out) const;
  bool load(state_reader& in);
};

/// What an hour brought. A value.
struct hour_sums {
  float failed = 0;   ///< e
  float expected = 0; ///< M, of the unguarded baseline
  float exposure = 0; ///< sum n s
  float squares = 0;  ///< sum mu^2

  void save(state_writer& out) const;
  bool load(state_reader& in);
};

/// The sparse state that every key has from its first event on: three cache lines.
struct key_state {
  shiryaev_roberts_mixture evidence;
  excursion slow;        ///< pace 1.14: small changes
  excursion fast;        ///< pace 1.8: large ones
  double share_seen = 0; ///< of the cumulative budget share, up to which mass has been started
  tick_index last_tick = never;
  learned_level level;
  hour_sums current; ///< the hour at hand
  hour_sums held;    ///< in quarantine
  float hour_events = 0;
  float mean_failures = 0;                                           ///< expected, of a tick with events (moving)
  float recent_failures = 0;                                         ///< expected failures, decaying over an hour ...
  float recent_weight = 0;                                           ///< ... and what the same decay makes of 1 a tick
  std::int32_t hour = std::numeric_limits<std::int32_t>::min();      ///< number of `current`
  std::int32_t held_hour = std::numeric_limits<std::int32_t>::min(); ///< number of `held`
  std::uint32_t weight = 1;                                          ///< in the budget, once established
  std::uint32_t place = no_place;     ///< of its full state or, for a root, of its scope's
  float hottest = 0;                  ///< greatest evidence of the day, or of an excursion that goes on
  std::uint8_t active_ticks = 0;      ///< with events, up to 50
  std::uint8_t passing_incidents = 0; ///< mild ones that ended by themselves within an hour; halved every day
  bool is_new : 1;
  bool has_held : 1;
  bool current_spoiled : 1; ///< an incident was open
  bool held_spoiled : 1;
  bool current_whole : 1; ///< to be learned without winsorising: the key's incidents pass all the time
  bool held_whole : 1;
  bool day_spoiled : 1; ///< an incident was open today
  bool in_shape : 1;    ///< exposure counts events times season, since the root has a shape

  key_state()
      : is_new(false), has_held(false), current_spoiled(false), held_spoiled(false), current_whole(false),
        held_whole(false), day_spoiled(false), in_shape(false) {}

  void save(state_writer& out) const;
  /// False on damaged bytes. `place` is not part of it.
  bool load(state_reader& in);
};
static_assert(sizeof(key_state) <= 192, "the promise of docs/detection.md");

/// A slot without a key has seen no hour.
inline bool is_known(const key_state& key) {
  return key.hour != std::numeric_limits<std::int32_t>::min();
}

/// What a key with enough failures learns of its own besides.
struct full_state {
  season_table season;
  tick_dispersion dispersion;
  hour_misfit misfit;
  float held_events = 0;

  void save(state_writer& out) const;
  bool load(state_reader& in);
};
static_assert(sizeof(key_state) + sizeof(full_state) <= 768, "the promise of docs/detection.md");

} // namespace tocsin::sr_mixture
