#include "tools/alert_log/alert_table.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <sys/ioctl.h>
#include <unistd.h>

namespace tocsin::tools {

namespace {

enum column : std::size_t { time, kind, severity, rate, expected, excess, since, source, key };
constexpr std::array<std::size_t, 7> fixed_widths = {19, 7, 8, 7, 8, 7, 6};
constexpr const char* gap = "  ";

const char* colour_of(const alert_record& record) {
  if (record.status == "closed" || record.status == "expired")
    return "\x1b[32m";
  if (record.severity == "critical")
    return "\x1b[1;31m";
  return record.severity == "major" ? "\x1b[33m" : "\x1b[36m";
}

/// 2016-05-04 12:00:10
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

/// How long the excursion had lasted: its largest unit, or the two largest.
std::string shown_span(const alert_record& record) {
  if (!record.onset || record.tick < *record.onset)
    return "-";
  const auto span = record.tick - *record.onset;
  if (span < minute_ms)
    return fmt::format("{}s", span / second_ms);
  if (span < hour_ms)
    return fmt::format("{}m", span / minute_ms);
  if (span < day_ms)
    return fmt::format("{}h{:02}m", span / hour_ms, span / minute_ms % 60);
  return fmt::format("{}d{:02}h", span / day_ms, span / hour_ms % 24);
}

std::string shown_key(const alert_record& record) {
  std::string text;
  for (const auto& [dimension, value] : record.key)
    text += (text.empty() ? "" : " ") + dimension + "=" + value;
  return text.empty() ? "(all)" : text;
}

/// A log may hold anything in a name: nothing of it may steer the terminal.
std::string printable(std::string text) {
  std::replace_if(
      text.begin(), text.end(), [](unsigned char c) { return c < 0x20 || c == 0x7f; }, '?');
  return text;
}

bool continues_character(char c) {
  return (static_cast<unsigned char>(c) & 0xc0) == 0x80;
}

/// Characters of UTF-8 text.
std::size_t width(const std::string& text) {
  return text.size() - static_cast<std::size_t>(std::count_if(text.begin(), text.end(), continues_character));
}

/// At most `most` characters; what is cut is told by an ellipsis.
std::string cut(const std::string& text, std::size_t most) {
  if (width(text) <= most)
    return text;
  std::string kept;
  std::size_t characters = 0;
  for (const char c : text) {
    if (!continues_character(c) && ++characters == most)
      break;
    kept += c;
  }
  return kept + "…";
}

std::string padded(const std::string& text, std::size_t to, bool right) {
  const std::string spaces(to > width(text) ? to - width(text) : 0, ' ');
  return right ? spaces + text : text + spaces;
}

} // namespace

table_style table_style::of_output() {
  table_style style;
  if (::isatty(STDOUT_FILENO) == 0)
    return style;
  winsize size{};
  if (::ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0)
    style.width = size.ws_col;
  style.cut = true;
  // no-color.org: any value but the empty one.
  const char* no_colour = std::getenv("NO_COLOR"); // NOLINT(concurrency-mt-unsafe): one thread, nobody sets it
  style.colours = no_colour == nullptr || *no_colour == '\0';
  return style;
}

std::size_t alert_table::width_of(std::size_t column) const {
  if (column < fixed_widths.size())
    return fixed_widths[column];
  std::size_t taken = 2 * (columns - 1);
  for (const auto fixed : fixed_widths)
    taken += fixed;
  const auto left = style_.width > taken ? style_.width - taken : 0;
  constexpr std::size_t widest_source = 32;
  const auto for_source = style_.cut ? std::clamp<std::size_t>(left * 2 / 5, 10, widest_source) : widest_source;
  return column == source ? for_source : std::max<std::size_t>(left > for_source ? left - for_source : 0, 10);
}

std::string alert_table::line(const cells& texts, const char* severity_colour) const {
  std::string out;
  for (std::size_t i = 0; i < columns; ++i) {
    const bool last = i + 1 == columns;
    const bool fits = style_.cut || i < source;
    auto text = fits ? cut(texts[i], width_of(i)) : texts[i];
    if (!last)
      text = padded(text, width_of(i), i >= rate && i <= since);
    if (i == severity && severity_colour != nullptr && style_.colours)
      text = severity_colour + text + "\x1b[0m";
    out += text + (last ? "\n" : gap);
  }
  return out;
}

std::string alert_table::head() const {
  return line({"TIME (UTC)", "KIND", "SEVERITY", "RATE", "EXPECTED", "EXCESS", "SINCE", "MONITOR/DETECTOR", "KEY"},
              nullptr);
}

std::string alert_table::row(const alert_record& record) const {
  return line({shown_time(record.tick), printable(record.kind), printable(record.severity),
               shown_rate(record.rate, record.is_volume), shown_rate(record.baseline, record.is_volume),
               shown_count(record.excess), shown_span(record),
               printable(record.monitor + "/" + record.detector + (record.shadow ? " (shadow)" : "")),
               printable(shown_key(record))},
              colour_of(record));
}

} // namespace tocsin::tools
