#pragma once

#include "tools/alert_log/alert_record.hpp"

#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace tocsin::tools {

/// How the values of a record are shown to people.

/// 2016-05-04 12:00:10
std::string shown_time(time_ms t);
/// `8.4 %`, or `120/h` of a volume; `-` if there is none.
std::string shown_rate(const std::optional<double>& value, bool is_volume);
std::string shown_count(const std::optional<double>& value);
/// The largest unit, or the two largest: `40s`, `7m`, `1h05m`, `3d02h`.
std::string shown_span(time_ms span);
/// `cdn=fastly country=DE`; `(all)` if there is nothing.
std::string shown_values(const std::vector<std::pair<std::string, std::string>>& values);
/// A log may hold anything in a name: nothing of it may steer the terminal.
std::string printable(std::string text);

} // namespace tocsin::tools
