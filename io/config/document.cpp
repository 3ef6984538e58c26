#include "io/config/document.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <set>
#include <string>

namespace tocsin::io {

namespace {

using nlohmann::json;

/// Walks the document without building it and tells each key that an object has twice.
class duplicate_finder : public nlohmann::json_sax<json> {
public:
  explicit duplicate_finder(std::vector<config_issue>& issues) : issues_(issues) {}

  bool null() override { return value(); }
  bool boolean(bool) override { return value(); }
  bool number_integer(number_integer_t) override { return value(); }
  bool number_unsigned(number_unsigned_t) override { return value(); }
  bool number_float(number_float_t, const string_t&) override { return value(); }
  bool string(string_t&) override { return value(); }
  bool binary(binary_t&) override { return value(); }

  bool start_object(std::size_t) override { return open(false); }
  bool start_array(std::size_t) override { return open(true); }
  bool end_object() override { return close(); }
  bool end_array() override { return close(); }

  bool key(string_t& name) override {
    auto& here = open_.back();
    here.key = name;
    if (!here.seen.insert(name).second)
      issues_.push_back({pointer(), fmt::format("the key {} a second time", shown(json(name))), "each key once"});
    return true;
  }

  bool parse_error(std::size_t, const std::string&, const nlohmann::detail::exception&) override { return false; }

private:
  struct container {
    bool is_array = false;
    std::size_t index = 0;
    std::string key;
    std::set<std::string> seen;
  };

  bool open(bool is_array) {
    open_.push_back({is_array, 0, {}, {}});
    return true;
  }
  bool close() {
    open_.pop_back();
    return value();
  }
  bool value() {
    if (!open_.empty())
      ++open_.back().index;
    return true;
  }
  std::string pointer() const {
    std::string path;
    for (const auto& step : open_)
      path = step.is_array ? child_pointer(path, step.index) : child_pointer(path, step.key);
    return path;
  }

  std::vector<config_issue>& issues_;
  std::vector<container> open_;
};

/// Line and column, from 1, of the byte at `offset`.
std::string place(std::string_view text, std::size_t offset) {
  const auto before = text.substr(0, std::min(offset, text.size()));
  const auto line = 1 + std::count(before.begin(), before.end(), '\n');
  const auto begin = before.rfind('\n');
  const auto column = 1 + before.size() - (begin == std::string_view::npos ? 0 : begin + 1);
  return fmt::format("line {}, column {}", line, column);
}

/// "... syntax error while parsing value - unexpected '}'; expected string literal" without what goes before.
std::string core_of(const std::string& what) {
  const auto mark = what.rfind("syntax error ");
  return mark == std::string::npos ? what.substr(what.find(']') + 2) : what.substr(mark);
}

config_issue syntax_issue(std::string_view text, const json::parse_error& failure) {
  // `byte` counts from 1; it is the last byte that was read.
  const auto where = place(text, failure.byte > 0 ? failure.byte - 1 : 0);
  auto detail = core_of(failure.what());
  std::string expected = "JSON with comments, double quotes and no comma behind the last element";
  if (const auto mark = detail.rfind("; expected "); mark != std::string::npos) {
    expected = detail.substr(mark + 11);
    detail.resize(mark);
  }
  return {"", fmt::format("at {} a {}", where, detail), expected};
}

constexpr std::size_t longest_shown = 60;

std::string shortened(std::string text) {
  if (text.size() <= longest_shown)
    return text;
  // Cut between characters, not inside one.
  std::size_t end = longest_shown;
  while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xC0U) == 0x80U)
    --end;
  return text.substr(0, end) + "...";
}

} // namespace

std::optional<json> parse_document(std::string_view text, std::vector<config_issue>& issues) {
  try {
    auto document = json::parse(text.begin(), text.end(), nullptr, true, true);
    duplicate_finder finder(issues);
    json::sax_parse(text.begin(), text.end(), &finder, json::input_format_t::json, true, true);
    return document;
  } catch (const json::parse_error& failure) {
    issues.push_back(syntax_issue(text, failure));
  } catch (const json::exception& failure) {
    issues.push_back({"", core_of(failure.what()), "numbers within the range of a double"});
  }
  return std::nullopt;
}

std::string child_pointer(const std::string& pointer, std::string_view key) {
  auto out = pointer + '/';
  for (const char c : key) {
    if (c == '~')
      out += "~0";
    else if (c == '/')
      out += "~1";
    else
      out += c;
  }
  return out;
}

std::string child_pointer(const std::string& pointer, std::size_t index) {
  return fmt::format("{}/{}", pointer, index);
}

std::string shown(const json& value) {
  if (value.is_object())
    return value.empty() ? "{}" : fmt::format("an object of {} keys", value.size());
  // Only flat lists are written out: writing recurses, and a hostile document nests deeply.
  const bool flat = std::none_of(value.begin(), value.end(), [](const json& v) { return v.is_structured(); });
  if (value.is_array() && (!flat || value.size() > 8))
    return fmt::format("a list of {}", value.size());
  return shortened(value.dump(-1, ' ', false, json::error_handler_t::replace));
}

} // namespace tocsin::io
