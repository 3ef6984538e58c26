#include "tools/alert_log/words.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace tocsin::tools {

std::string shown_time(time_ms t) {
  auto text = format_rfc3339(t).substr(0, 19);
  text[10] = ' ';
  return text;
}

std::string shown_rate(const std::optional<double>& value, bool is_volume) {
  if (value && is_volume)
    return *value < 1e4 ? fmt::format("{:.0f}/h", *value) : fmt::format("{:.3g}k/h", *value / 1e3);
  return value ? fmt::format("{:.3g} %", *value * 100) : "-";
}

std::string shown_count(const std::optional<double>& value) {
  if (!value)
    return "-";
  return std::abs(*value) < 100 ? fmt::format("{:.1f}", *value) : fmt::format("{:.0f}", *value);
}

std::string shown_span(time_ms span) {
  if (span < minute_ms)
    return fmt::format("{}s", span / second_ms);
  if (span < hour_ms)
    return fmt::format("{}m", span / minute_ms);
  if (span < day_ms)
    return fmt::format("{}h{:02}m", span / hour_ms, span / minute_ms % 60);
  return fmt::format("{}d{:02}h", span / day_ms, span / hour_ms % 24);
}

std::string shown_values(const std::vector<std::pair<std::string, std::string>>& values) {
  std::string text;
  for (const auto& [dimension, value] : values)
    text += (text.empty() ? "" : " ") + dimension + "=" + value;
  return text.empty() ? "(all)" : text;
}

std::string printable(std::string text) {
  std::replace_if(
      text.begin(), text.end(), [](unsigned char c) { return c < 0x20 || c == 0x7f; }, '?');
  return text;
}

} // namespace tocsin::tools
