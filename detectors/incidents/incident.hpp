#pragma once

#include "detectors/judging/detector.hpp"
#include "detectors/values/alert.hpp"
#include "detectors/values/codec.hpp"
#include "detectors/values/time.hpp"

#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <vector>

namespace tocsin {

/// What has happened to an incident so far.
enum class stage : std::uint8_t {
  waiting, ///< the detector has raised an alarm; nothing is told before it is known to which cause it belongs
  open,
  calm,   ///< the rate is normal again, but it has been so before: closes if it stays so
  closed, ///< remembered for a while: the next excursion of the key opens it again
};

/// Who an incident is, in all of its excursions.
struct incident_identity {
  std::string id;
  std::uint32_t revision = 0; ///< of the next record
  std::uint32_t reopened = 0; ///< excursions after the first
  std::string parent;         ///< id of the incident that explains this one; empty: a page

  void save(state_writer& out) const;
  static bool load(state_reader& in, incident_identity& out);
};

/// Counts that showed the rate to be normal again.
struct closing_counts {
  tick_index onset = 0;
  std::int64_t total = 0;
  std::int64_t failed = 0;
  std::vector<named_number> model;

  void save(state_writer& out) const;
  static bool load(state_reader& in, closing_counts& out);
};

/// An incident of one key: its present excursion, and what is kept of the earlier ones. A value; part of its key's
/// state record.
struct incident {
  static constexpr tick_index never = std::numeric_limits<tick_index>::min();
  static constexpr std::size_t most_children = 50; ///< listed; the others are counted

  stage at = stage::open;
  incident_identity who;
  /// Waiting: the key was a child of this incident not long ago. It goes on, if its parent does.
  std::optional<incident_identity> earlier;
  std::vector<std::string> children; ///< ids of incidents that this one explains or explained
  std::uint32_t children_count = 0;
  bool has_news = false;  ///< new children, or it has become a page: not told yet
  tick_index onset = 0;   ///< of the present excursion
  tick_index opened = 0;  ///< the detector raised the alarm
  std::int64_t total = 0; ///< events since the onset
  std::int64_t failed = 0;
  std::int64_t capped = 0;   ///< failures, at most one a distinct viewer and tick
  bool gated = true;         ///< the monitor's gates decide
  double expected = 0;       ///< failures (volumes: events) expected since the onset
  std::uint64_t viewers = 0; ///< bitmap of failing viewers since the opening tick
  double baseline = 0;       ///< expected failure rate (volumes: events an hour) now
  severity harm = severity::warning;
  tick_index lower_since = never;     ///< since when a lower severity would do
  double per_hour_on_open = 0;        ///< excess failures (volumes: missing events) an hour
  double per_hour_told = 0;           ///< in the last record
  tick_index told = 0;                ///< tick of the last record
  std::optional<double> evidence;     ///< when it opened
  std::optional<double> once_in_days; ///< chance alone would do this
  std::optional<double> confidence;
  std::vector<named_number> model;
  std::vector<contributor> contributors;     ///< as of the last look
  std::vector<error_type_count> error_types; ///< as of the last record
  // Is its rate the new normal?
  tick_index looked = 0; ///< when the stretch began of which the rate is looked at next
  std::int64_t looked_total = 0;
  std::int64_t looked_failed = 0;
  double looked_expected = 0;
  double last_rate = -1; ///< of the stretch before; negative: none yet
  bool proposed = false;
  // Calm or closed.
  tick_index until = 0; ///< calm: it closes at this tick. Closed: the last tick at which it opens again
  closing_counts closing;

  bool is_ongoing() const { return at == stage::waiting || at == stage::open; }
  bool is_page() const { return who.parent.empty(); }
  void add_child(const std::string& id);

  void save(state_writer& out) const;
  static bool load(state_reader& in, incident& out);
};

} // namespace tocsin
