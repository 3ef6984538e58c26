#pragma once

#include "detectors/values/time.hpp"

#include <optional>
#include <string_view>

namespace tocsin::tools {

/// `250ms`, `10s`, `1.5h`, `7d`: a number of at least 0 and a unit (ms, s, m, h, d, w). Nothing if it is anything else,
/// or longer than 1000 years.
std::optional<time_ms> parse_duration(std::string_view text);

/// RFC 3339, for example `2016-05-04T12:00:10.123Z` or `2016-05-04 14:00:10+02:00`; a date alone is its midnight UTC.
/// Fractions finer than a millisecond are cut. Nothing if it is no such time.
std::optional<time_ms> parse_rfc3339(std::string_view text);

/// A decimal number, all of the text, finite.
std::optional<double> parse_number(std::string_view text);

} // namespace tocsin::tools
