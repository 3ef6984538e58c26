#pragma once

#include "detectors/values/time.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace tocsin::io {

/// A whole number and a unit without a space between: `250ms`, `10s`, `5m`, `1h`, `8d`. Nothing for anything else, also
/// for more than 10 000 days, so that sums of durations never overflow.
std::optional<time_ms> parse_duration(std::string_view text);

/// A whole number and a unit: `512B`, `8kB`, `8MB`, `64KiB`, `1MiB`, `1GiB`, `1TiB`. Nothing for anything else, also
/// for more than 2^50 bytes.
std::optional<std::uint64_t> parse_size(std::string_view text);

/// A size as a person writes it: the largest binary unit, with one decimal where it is not whole (`1GiB`, `1.5MiB`).
std::string format_size(std::uint64_t bytes);

} // namespace tocsin::io
