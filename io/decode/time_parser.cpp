#include "io/decode/time_parser.hpp"

#include "io/expression/number.hpp"

#include <date/date.h>
#include <date/tz.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <exception>

namespace tocsin::io {

namespace {

using seconds = std::chrono::seconds;

constexpr std::int64_t day_s = 86'400;

/// Days since the epoch; Hinnant's days_from_civil.
constexpr std::int64_t days_of(int year, unsigned month, unsigned day) {
  return date::sys_days{date::year{year} / date::month{month} / date::day{day}}.time_since_epoch().count();
}

constexpr time_ms end_of_times = days_of(2262, 1, 1) * day_ms;

std::optional<time_ms> in_range(time_ms t) {
  if (t < 0 || t >= end_of_times)
    return std::nullopt;
  return t;
}

/// Microseconds to milliseconds; before 1970 too it rounds down.
time_ms floor_to_ms(std::int64_t microseconds) {
  return tick_of(microseconds, 1000);
}

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

/// Reads parts of a time one after the other; the first that does not fit makes everything after it fail.
class scanner {
public:
  explicit scanner(std::string_view text) : rest_(text) {}
  bool ok() const { return ok_; }
  bool complete() const { return ok_ && rest_.empty(); }
  char peek() const { return rest_.empty() ? '\0' : rest_[0]; }

  int digits(std::size_t count) {
    if (rest_.size() < count)
      return fail();
    int value = 0;
    for (std::size_t i = 0; i < count; ++i) {
      if (!is_digit(rest_[i]))
        return fail();
      value = value * 10 + (rest_[i] - '0');
    }
    rest_.remove_prefix(count);
    return value;
  }

  bool take(char c) {
    if (peek() != c)
      return false;
    rest_.remove_prefix(1);
    return true;
  }

  void expect(char c) {
    if (!take(c))
      fail();
  }

  std::string_view letters(std::size_t count) {
    if (rest_.size() < count) {
      fail();
      return {};
    }
    const auto taken = rest_.substr(0, count);
    rest_.remove_prefix(count);
    return taken;
  }

  /// Digits of a fraction of a second, as milliseconds rounded down.
  int fraction_ms() {
    if (!is_digit(peek()))
      return fail();
    int value = 0;
    for (int weight = 100; is_digit(peek()); weight /= 10) {
      value += weight * (rest_[0] - '0');
      rest_.remove_prefix(1);
    }
    return value;
  }

  int fail() {
    ok_ = false;
    rest_ = {};
    return 0;
  }

private:
  std::string_view rest_;
  bool ok_ = true;
};

struct date_time {
  int year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0;

  /// Seconds since the epoch as if it were UTC; nothing if there is no such date or time. A leap second counts as the
  /// first second of the next minute.
  std::optional<std::int64_t> count() const {
    if (year < 1969 || year > 2262 || month < 1 || month > 12 || day < 1 || hour > 23 || minute > 59 || second > 60)
      return std::nullopt;
    const auto month_value = static_cast<unsigned>(month);
    const auto day_value = static_cast<unsigned>(day);
    if (!(date::year{year} / date::month{month_value} / date::day{day_value}).ok())
      return std::nullopt;
    return days_of(year, month_value, day_value) * day_s + hour * 3600 + minute * 60 + second;
  }
};

/// `+02:00`, `-0700` or `+02`, in seconds.
std::int64_t read_offset(scanner& in) {
  const bool west = in.peek() == '-';
  if (!in.take('-'))
    in.expect('+');
  const int hours = in.digits(2);
  int minutes = 0;
  if (in.take(':') || is_digit(in.peek()))
    minutes = in.digits(2);
  if (hours > 23 || minutes > 59)
    in.fail();
  const std::int64_t offset = hours * 3600 + minutes * 60;
  return west ? -offset : offset;
}

/// A count of units since the epoch, with an optional fraction.
std::optional<time_ms> parse_count(std::string_view text, time_unit unit) {
  constexpr std::size_t safe_digits = 18;
  std::size_t digits = 0;
  std::int64_t whole = 0;
  while (digits < text.size() && digits < safe_digits && is_digit(text[digits]))
    whole = whole * 10 + (text[digits++] - '0');
  auto rest = text.substr(digits);
  int fraction = 0;
  if (digits > 0 && !rest.empty() && rest[0] == '.') {
    scanner in(rest.substr(1));
    fraction = in.fraction_ms();
    rest = in.complete() ? std::string_view{} : rest;
  }
  if (digits > 0 && rest.empty()) {
    switch (unit) {
    case time_unit::s: return whole > end_of_times / 1000 ? std::nullopt : in_range(whole * 1000 + fraction);
    case time_unit::ms: return in_range(whole);
    case time_unit::us: return in_range(whole / 1000);
    case time_unit::rfc3339: return std::nullopt;
    }
  }
  // Signs, exponents and absurd lengths.
  const auto parsed = parse_number(text, number_syntax::lenient);
  if (!parsed)
    return std::nullopt;
  const auto ms = unit == time_unit::s    ? parsed->real * 1000
                  : unit == time_unit::ms ? parsed->real
                                          : parsed->real / 1000;
  if (!(ms >= 0) || ms >= static_cast<double>(end_of_times))
    return std::nullopt;
  return static_cast<time_ms>(std::floor(ms));
}

constexpr std::string_view month_names = "JanFebMarAprMayJunJulAugSepOctNovDec";

int month_of(std::string_view name) {
  for (std::size_t i = 0; i < 12; ++i)
    if (month_names.substr(3 * i, 3) == name)
      return static_cast<int>(i) + 1;
  return 0;
}

} // namespace

local_clock::local_clock(const std::string& zone) : utc_(zone.empty()) {
  if (utc_)
    return;
  try {
    zone_ = date::locate_zone(zone);
  } catch (const std::exception&) {
    zone_ = nullptr; // the configuration refuses unknown zones; here it only means that no naive time is a time
  }
}

std::optional<std::int64_t> local_clock::to_utc(std::int64_t local_seconds) {
  if (utc_)
    return local_seconds;
  if (zone_ == nullptr)
    return std::nullopt;
  if (local_seconds < begin_ || local_seconds >= end_)
    find_stretch(local_seconds);
  return local_seconds - offset_;
}

void local_clock::find_stretch(std::int64_t local_seconds) {
  // The zone's rules say far more than we need; times beyond these bounds are refused anyway.
  constexpr std::int64_t first = -10 * 365 * day_s;
  constexpr std::int64_t last = days_of(2270, 1, 1) * day_s;
  // Both for an ambiguous time and for one in a gap, `first` is the rule before the change: just what we want.
  const auto rule = zone_->get_info(date::local_seconds{seconds{local_seconds}}).first;
  offset_ = rule.offset.count();
  begin_ = first;
  end_ = last;
  const auto rule_begin = rule.begin.time_since_epoch().count();
  if (rule_begin > first) {
    const auto before = zone_->get_info(rule.begin - seconds{1});
    begin_ = rule_begin + std::max<std::int64_t>(before.offset.count(), offset_);
  }
  const auto rule_end = rule.end.time_since_epoch().count();
  if (rule_end < last) {
    const auto after = zone_->get_info(rule.end);
    end_ = rule_end + std::max<std::int64_t>(after.offset.count(), offset_);
  }
}

time_parser::time_parser(time_unit unit, const std::string& zone) : unit_(unit), clock_(zone) {}

std::optional<time_ms> time_parser::parse(const field_value& value) {
  using kind = field_value::kind;
  if (unit_ == time_unit::rfc3339)
    return value.type == kind::text ? parse_rfc3339(value.text) : std::nullopt;
  if (value.type != kind::integer && value.type != kind::real && value.type != kind::text)
    return std::nullopt;
  // The reader has read the digits already.
  if (value.type == kind::integer && unit_ != time_unit::s)
    return in_range(unit_ == time_unit::ms ? value.integer : floor_to_ms(value.integer));
  return parse_count(value.text, unit_);
}

const char* time_parser::expected() const {
  switch (unit_) {
  case time_unit::s: return "seconds since 1970 (years 1970 to 2261)";
  case time_unit::ms: return "milliseconds since 1970 (years 1970 to 2261)";
  case time_unit::us: return "microseconds since 1970 (years 1970 to 2261)";
  case time_unit::rfc3339: break;
  }
  return "an RFC 3339 time such as 2016-05-04T12:00:10Z (years 1970 to 2261)";
}

std::optional<time_ms> time_parser::parse_rfc3339(std::string_view text) {
  scanner in(text);
  date_time t;
  t.year = in.digits(4);
  in.expect('-');
  t.month = in.digits(2);
  in.expect('-');
  t.day = in.digits(2);
  if (!in.take('T') && !in.take('t'))
    in.expect(' ');
  t.hour = in.digits(2);
  in.expect(':');
  t.minute = in.digits(2);
  int ms = 0;
  if (in.take(':')) {
    t.second = in.digits(2);
    if (in.take('.') || in.take(','))
      ms = in.fraction_ms();
  }
  const bool utc = in.take('Z') || in.take('z');
  const bool naive = !utc && in.peek() == '\0';
  const auto offset = utc || naive ? 0 : read_offset(in);
  if (!in.complete())
    return std::nullopt;
  const auto local = t.count();
  if (!local)
    return std::nullopt;
  const auto s = naive ? clock_.to_utc(*local) : std::optional<std::int64_t>(*local - offset);
  return s ? in_range(*s * 1000 + ms) : std::nullopt;
}

std::optional<time_ms> parse_log_time(std::string_view text) {
  scanner in(text);
  date_time t;
  t.day = in.digits(2);
  in.expect('/');
  t.month = month_of(in.letters(3));
  in.expect('/');
  t.year = in.digits(4);
  in.expect(':');
  t.hour = in.digits(2);
  in.expect(':');
  t.minute = in.digits(2);
  in.expect(':');
  t.second = in.digits(2);
  in.expect(' ');
  const auto offset = read_offset(in);
  const auto local = t.count();
  if (!in.complete() || !local)
    return std::nullopt;
  return in_range((*local - offset) * 1000);
}

} // namespace tocsin::io
