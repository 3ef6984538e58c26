#pragma once

#include "detectors/values/time.hpp"
#include "io/decode/decode_plan.hpp"
#include "io/expression/expression.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace date {
class time_zone;
}

namespace tocsin::io {

/// Naive local times of one zone to UTC. An ambiguous time (clocks set back) takes the first of its two instants; a
/// time in a gap (clocks set forward) moves forward by the length of the gap. Belongs to one thread: it remembers the
/// stretch of local time that the last answer holds for.
class local_clock {
public:
  /// Empty: UTC. An unknown name makes every answer nothing.
  explicit local_clock(const std::string& zone);
  std::optional<std::int64_t> to_utc(std::int64_t local_seconds);

private:
  void find_stretch(std::int64_t local_seconds);

  const date::time_zone* zone_ = nullptr;
  bool utc_ = true;
  std::int64_t begin_ = 0; ///< offset_ holds for local seconds in [begin_, end_)
  std::int64_t end_ = 0;
  std::int64_t offset_ = 0;
};

/// Reads event times; everything becomes milliseconds, rounded down. Belongs to one thread. What is no time, or lies
/// outside the years 1970 to 2261, gives nothing.
class time_parser {
public:
  time_parser(time_unit unit, const std::string& zone);
  std::optional<time_ms> parse(const field_value& value);
  /// What a value must look like, for messages.
  const char* expected() const;

private:
  std::optional<time_ms> parse_rfc3339(std::string_view text);

  time_unit unit_;
  local_clock clock_;
};

/// The time of the Common Log Format, `10/Oct/2000:13:55:36 -0700`; nothing as above.
std::optional<time_ms> parse_log_time(std::string_view text);

} // namespace tocsin::io
