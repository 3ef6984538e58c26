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

/// One excursion of one key, while it is open. A value; part of its key's state record.
struct incident {
  static constexpr tick_index never = std::numeric_limits<tick_index>::min();

  std::string id;
  std::uint32_t revision = 0; ///< of the next record
  tick_index onset = 0;
  tick_index opened = 0;
  std::int64_t total = 0; ///< events since the onset
  std::int64_t failed = 0;
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
  std::vector<contributor> contributors; ///< as of the last look

  void save(state_writer& out) const;
  static bool load(state_reader& in, incident& out);
};

} // namespace tocsin
