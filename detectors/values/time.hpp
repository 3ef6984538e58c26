#pragma once

#include <cstdint>
#include <limits>
#include <string>

namespace tocsin {

/// Event time: milliseconds since the Unix epoch, UTC.
using time_ms = std::int64_t;
/// Number of a tick: floor(event time / tick length).
using tick_index = std::int64_t;

/// Before every event: the watermark of a partition that has accepted nothing yet.
inline constexpr time_ms beginning_of_time = std::numeric_limits<time_ms>::min() / 4;
/// After every event: the watermark of a partition that has ended.
inline constexpr time_ms end_of_time = std::numeric_limits<time_ms>::max() / 4;

inline constexpr time_ms second_ms = 1000;
inline constexpr time_ms minute_ms = 60 * second_ms;
inline constexpr time_ms hour_ms = 60 * minute_ms;
inline constexpr time_ms day_ms = 24 * hour_ms;

/// The tick that holds `t`: rounds towards minus infinity, so that times before 1970 work too.
/// Precondition: `length` > 0.
constexpr tick_index tick_of(time_ms t, time_ms length) {
  const auto quotient = t / length;
  return quotient - ((t % length != 0 && t < 0) ? 1 : 0);
}

/// First instant of the tick; its end is the start of the next one.
constexpr time_ms tick_start(tick_index tick, time_ms length) {
  return tick * length;
}
constexpr time_ms tick_end(tick_index tick, time_ms length) {
  return (tick + 1) * length;
}

/// True if the tick lies between beginning and end of time, so that arithmetic on it is safe.
constexpr bool is_within_time(tick_index tick, time_ms length) {
  return tick >= beginning_of_time / length && tick < end_of_time / length;
}

/// RFC 3339 with milliseconds and Z, for example `2016-05-04T12:00:10.000Z`.
std::string format_rfc3339(time_ms t);

/// A duration as a person writes it in a configuration: `250ms`, `10s`, `5m`, `1h`, `8d`.
std::string format_duration(time_ms duration);

} // namespace tocsin
