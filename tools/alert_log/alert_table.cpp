#include "tools/alert_log/alert_table.hpp"

#include "tools/alert_log/words.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>
#include <numeric>
#include <sys/ioctl.h>
#include <unistd.h>

namespace tocsin::tools {

namespace {

enum column : std::size_t { time, kind, severity, rate, expected, excess, since, id, source, key, cause };
constexpr std::size_t full_time = 19;
constexpr std::size_t time_of_day = 8;
constexpr std::size_t widest_source = 32;
constexpr std::size_t usual_key = 32;
constexpr std::size_t usual_cause = 28;
constexpr std::size_t least_texts = 42; ///< for key and cause together
constexpr std::size_t id_digits = 8;
constexpr const char* gap = "  ";

const char* colour_of(const alert_record& record) {
  if (record.status == "closed" || record.status == "expired")
    return "\x1b[32m";
  if (record.severity == "critical")
    return "\x1b[1;31m";
  return record.severity == "major" ? "\x1b[33m" : "\x1b[36m";
}

std::string span_of(const alert_record& record) {
  return record.onset && record.tick >= *record.onset ? shown_span(record.tick - *record.onset) : "-";
}

/// A child is marked; of a parent the number of its children is told.
std::string key_of(const alert_record& record) {
  auto text = (record.parent_id.empty() ? "" : "└ ") + shown_values(record.key);
  if (record.children_count > 0)
    text += fmt::format(" (+{})", record.children_count);
  return text;
}

std::string cause_of(const alert_record& record) {
  if (record.cause.empty())
    return "-";
  const auto share = record.cause_share ? fmt::format(" {:.0f} %", *record.cause_share * 100) : std::string();
  return shown_values(record.cause) + share;
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

alert_table::alert_table(table_style style)
    : style_(style), widths_{full_time, 7, 8, 7, 8, 7, 6, id_digits, widest_source, usual_key, usual_cause} {
  if (!style_.cut)
    return;
  const auto left = [&] {
    const auto fixed = taken() - widths_[key] - widths_[cause];
    return style_.width > fixed ? style_.width - fixed : 0;
  };
  widths_[source] = std::min<std::size_t>(widest_source, 26);
  for (const auto next : {source, time, id, excess, cause}) {
    if (left() >= least_texts)
      break;
    widths_[next] = next == time ? time_of_day : 0;
  }
  const auto texts = std::max<std::size_t>(left(), 10);
  widths_[cause] = widths_[cause] == 0 ? 0 : texts * 2 / 5;
  widths_[key] = texts - widths_[cause];
}

/// Of the whole line.
std::size_t alert_table::taken() const {
  const auto shown =
      static_cast<std::size_t>(std::count_if(widths_.begin(), widths_.end(), [](std::size_t one) { return one > 0; }));
  return std::accumulate(widths_.begin(), widths_.end(), std::size_t{0}) + 2 * (shown - 1);
}

std::string alert_table::line(const cells& texts, const char* severity_colour) const {
  const std::size_t last = widths_[cause] > 0 ? cause : key;
  std::string out;
  for (std::size_t i = 0; i < columns; ++i) {
    if (widths_[i] == 0)
      continue;
    const bool may_be_longer = !style_.cut && i >= source;
    auto text = may_be_longer ? texts[i] : cut(texts[i], widths_[i]);
    if (i != last)
      text = padded(text, widths_[i], i >= rate && i <= since);
    if (i == severity && severity_colour != nullptr && style_.colours)
      text = severity_colour + text + "\x1b[0m";
    out += text + (i == last ? "\n" : gap);
  }
  return out;
}

std::string alert_table::head() const {
  const auto* clock = widths_[time] == full_time ? "TIME (UTC)" : "UTC";
  return line(
      {clock, "KIND", "SEVERITY", "RATE", "EXPECTED", "EXCESS", "SINCE", "ID", "MONITOR/DETECTOR", "KEY", "CAUSE"},
      nullptr);
}

std::string alert_table::row(const alert_record& record) const {
  const auto when = shown_time(record.tick);
  return line({widths_[time] == full_time ? when : when.substr(full_time - time_of_day), printable(record.kind),
               printable(record.severity), shown_rate(record.rate, record.is_volume),
               shown_rate(record.baseline, record.is_volume), shown_count(record.excess), span_of(record),
               printable(record.id.substr(0, id_digits)),
               printable(record.monitor + "/" + record.detector + (record.shadow ? " (shadow)" : "")),
               printable(key_of(record)), printable(cause_of(record))},
              colour_of(record));
}

} // namespace tocsin::tools
