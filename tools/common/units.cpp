#include "tools/common/units.hpp"

#include <date/date.h>

#include <array>
#include <charconv>
#include <cmath>

namespace tocsin::tools {

namespace {

constexpr double longest_ms = 1000.0 * 366 * 86'400'000;

/// Takes exactly `digits` digits from the front of `text`.
bool take_digits(std::string_view& text, std::size_t digits, int& value) {
  if (text.size() < digits)
    return false;
  value = 0;
  for (std::size_t i = 0; i < digits; ++i) {
    if (text[i] < '0' || text[i] > '9')
      return false;
    value = value * 10 + (text[i] - '0');
  }
  text.remove_prefix(digits);
  return true;
}

bool take(std::string_view& text, std::string_view any_of) {
  if (text.empty() || any_of.find(text[0]) == std::string_view::npos)
    return false;
  text.remove_prefix(1);
  return true;
}

std::optional<time_ms> take_date(std::string_view& text) {
  int year = 0;
  int month = 0;
  int day = 0;
  if (!take_digits(text, 4, year) || !take(text, "-") || !take_digits(text, 2, month) || !take(text, "-") ||
      !take_digits(text, 2, day))
    return std::nullopt;
  const auto civil = date::year(year) / month / day;
  if (!civil.ok())
    return std::nullopt;
  return date::sys_days(civil).time_since_epoch().count() * day_ms;
}

/// hh:mm:ss[.fraction]
std::optional<time_ms> take_time_of_day(std::string_view& text) {
  int hour = 0;
  int minute = 0;
  int second = 0;
  if (!take_digits(text, 2, hour) || !take(text, ":") || !take_digits(text, 2, minute) || !take(text, ":") ||
      !take_digits(text, 2, second) || hour > 23 || minute > 59 || second > 60)
    return std::nullopt;
  time_ms fraction = 0;
  if (take(text, ".")) {
    int digit = 0;
    if (text.empty() || text[0] < '0' || text[0] > '9')
      return std::nullopt;
    for (time_ms weight = 100; take_digits(text, 1, digit); weight /= 10)
      fraction += digit * weight;
  }
  return hour * hour_ms + minute * minute_ms + second * second_ms + fraction;
}

/// Z or +hh:mm or -hh:mm, as what has to be taken off.
std::optional<time_ms> take_zone(std::string_view& text) {
  if (take(text, "Zz"))
    return 0;
  const bool west = !text.empty() && text[0] == '-';
  int hour = 0;
  int minute = 0;
  if (!take(text, "+-") || !take_digits(text, 2, hour) || !take(text, ":") || !take_digits(text, 2, minute) ||
      hour > 23 || minute > 59)
    return std::nullopt;
  const auto offset = hour * hour_ms + minute * minute_ms;
  return west ? -offset : offset;
}

} // namespace

std::optional<double> parse_number(std::string_view text) {
  double value = 0;
  const auto* end = text.data() + text.size();
  const auto parsed = std::from_chars(text.data(), end, value);
  if (parsed.ec != std::errc() || parsed.ptr != end || !std::isfinite(value))
    return std::nullopt;
  return value;
}

std::optional<time_ms> parse_duration(std::string_view text) {
  struct unit {
    std::string_view name;
    time_ms length;
  };
  static constexpr std::array<unit, 6> units = {
      {{"ms", 1}, {"s", second_ms}, {"m", minute_ms}, {"h", hour_ms}, {"d", day_ms}, {"w", 7 * day_ms}}};
  const auto digits = text.find_first_not_of("0123456789.");
  if (digits == std::string_view::npos)
    return std::nullopt;
  const auto number = parse_number(text.substr(0, digits));
  for (const auto& u : units)
    if (text.substr(digits) == u.name && number) {
      const auto ms = std::round(*number * static_cast<double>(u.length));
      return ms <= longest_ms ? std::optional<time_ms>(static_cast<time_ms>(ms)) : std::nullopt;
    }
  return std::nullopt;
}

std::optional<time_ms> parse_rfc3339(std::string_view text) {
  const auto day = take_date(text);
  if (!day || text.empty())
    return day;
  if (!take(text, "Tt "))
    return std::nullopt;
  const auto time = take_time_of_day(text);
  if (!time)
    return std::nullopt;
  const auto zone = take_zone(text);
  if (!zone || !text.empty())
    return std::nullopt;
  return *day + *time - *zone;
}

} // namespace tocsin::tools
