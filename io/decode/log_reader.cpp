#include "io/decode/log_reader.hpp"

#include "io/expression/number.hpp"

#include <algorithm>

namespace tocsin::io {

namespace {

/// Cuts what stands before the separator off `rest`, and the separator too; false if there is none.
bool take_until(std::string_view& rest, std::string_view separator, std::string_view& out) {
  const auto at = rest.find(separator);
  if (at == std::string_view::npos)
    return false;
  out = rest.substr(0, at);
  rest.remove_prefix(at + separator.size());
  return true;
}

/// Cuts a word and the blank behind it, if any, off `rest`.
std::string_view take_word(std::string_view& rest) {
  const auto size = std::min(rest.find(' '), rest.size());
  const auto word = rest.substr(0, size);
  rest.remove_prefix(std::min(size + 1, rest.size()));
  return word;
}

bool is_digits(std::string_view text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; });
}

} // namespace

const std::vector<std::string>& log_reader::columns() {
  static const std::vector<std::string> names = {"remote_host", "ident",   "user",   "time",  "method",  "path",
                                                 "protocol",    "request", "status", "bytes", "referer", "user_agent"};
  return names;
}

log_reader::log_reader(const std::vector<std::string>& paths) : slots_(paths, columns()) {}

bool log_reader::read(std::string_view line, std::size_t, std::vector<field_value>& values) {
  if (!slots_.problem().empty()) {
    problem_ = slots_.problem();
    return false;
  }
  // Views into it must stay valid up to the end of the record.
  unescaped_.clear();
  if (unescaped_.capacity() < line.size())
    unescaped_.reserve(line.size());
  const char* expected = read_line(line, values);
  if (expected == nullptr)
    return true;
  problem_ = std::string("found no Combined Log Format line, expected ") + expected;
  return false;
}

/// What was expected where the line is not as it should be; null if all is well.
const char* log_reader::read_line(std::string_view line, std::vector<field_value>& values) {
  std::string_view text;
  set_text(remote_host, take_word(line), values);
  set_text(ident, take_word(line), values);
  // A user name may hold blanks.
  if (!take_until(line, " [", text))
    return "host, ident, user and [time]";
  set_text(user, text, values);
  if (!take_until(line, "] \"", text))
    return "a quoted request behind [time]";
  set_text(time, text, values);
  if (!take_quoted(line, text))
    return "a closing quote behind the request";
  set_request(text, values);
  if (line.empty() || line[0] != ' ')
    return "a blank and the status behind the request";
  line.remove_prefix(1);
  if (!set_integer(status, take_word(line), values))
    return "a status of digits";
  if (!set_integer(bytes, take_word(line), values))
    return "a number of bytes or - behind the status";
  if (line.empty())
    return nullptr;

  for (const auto quoted : {referer, user_agent}) {
    if (line.empty() || line[0] != '"')
      return "quoted referer and user agent";
    line.remove_prefix(1);
    if (!take_quoted(line, text))
      return "a closing quote behind referer and user agent";
    set_text(quoted, text, values);
    if (!line.empty() && line[0] != ' ')
      return "a blank behind a quoted field";
    if (!line.empty())
      line.remove_prefix(1);
  }
  return nullptr;
}

void log_reader::set_text(column c, std::string_view text, std::vector<field_value>& values) const {
  const auto slot = slots_[c];
  if (slot == column_slots::none)
    return;
  values[slot].type = text.empty() || text == "-" ? field_value::kind::null : field_value::kind::text;
  values[slot].text = text;
}

bool log_reader::set_integer(column c, std::string_view text, std::vector<field_value>& values) const {
  if (text == "-")
    return true;
  constexpr std::size_t most_digits = 18;
  if (!is_digits(text) || text.size() > most_digits)
    return false;
  const auto slot = slots_[c];
  if (slot == column_slots::none)
    return true;
  auto& value = values[slot];
  value.type = field_value::kind::integer;
  value.text = text;
  value.integer = 0;
  for (const char digit : text)
    value.integer = value.integer * 10 + (digit - '0');
  return true;
}

/// `METHOD path PROTOCOL`, also `METHOD path`; what looks otherwise (attacks do) has only `request`.
void log_reader::set_request(std::string_view text, std::vector<field_value>& values) const {
  set_text(request, text, values);
  const auto first = text.find(' ');
  if (first == std::string_view::npos)
    return;
  set_text(method, text.substr(0, first), values);
  auto target = text.substr(first + 1);
  const auto last = target.rfind(' ');
  if (last != std::string_view::npos && target.substr(last + 1, 5) == "HTTP/") {
    set_text(protocol, target.substr(last + 1), values);
    target = target.substr(0, last);
  }
  set_text(path, target, values);
}

/// Cuts a quoted text, whose opening quote is gone already, and its closing quote off `rest`. `\"` and `\\` lose their
/// backslash; other escapes (\x16) stay as written.
bool log_reader::take_quoted(std::string_view& rest, std::string_view& out) {
  auto quote = rest.find('"');
  if (quote == std::string_view::npos)
    return false;
  const auto backslash = rest.substr(0, quote).find('\\');
  if (backslash == std::string_view::npos) {
    out = rest.substr(0, quote);
    rest.remove_prefix(quote + 1);
    return true;
  }
  const auto unescaped_begin = unescaped_.size();
  unescaped_.append(rest.substr(0, backslash));
  auto at = backslash;
  while (at < rest.size() && rest[at] != '"') {
    const char next = at + 1 < rest.size() ? rest[at + 1] : '\0';
    if (rest[at] == '\\' && (next == '"' || next == '\\'))
      ++at;
    unescaped_.push_back(rest[at++]);
  }
  if (at >= rest.size())
    return false;
  out = std::string_view(unescaped_).substr(unescaped_begin);
  rest.remove_prefix(at + 1);
  return true;
}

} // namespace tocsin::io
