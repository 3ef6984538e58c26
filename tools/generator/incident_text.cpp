// Planted incidents as the command line gives them.
#include "tools/common/units.hpp"
#include "tools/generator/profile.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace tocsin::generator {

namespace {

io::error misuse(std::string_view part, const char* expected) {
  return {io::error_code::usage, fmt::format("--incident: found \"{}\", expected {}", part, expected), false, true};
}

/// Cuts `text` at the first `separator`: what is before it, and the rest in `text`.
std::string_view cut(std::string_view& text, char separator) {
  const auto at = text.find(separator);
  const auto head = text.substr(0, at);
  text = at == std::string_view::npos ? std::string_view() : text.substr(at + 1);
  return head;
}

io::result<void> take_where(std::string_view text, planted_incident& incident) {
  while (!text.empty()) {
    const auto pair = cut(text, ';');
    auto value = pair;
    const auto name = cut(value, ':');
    const auto found = std::find(dimension_names.begin(), dimension_names.end(), name);
    if (found == dimension_names.end() || value.empty())
      return misuse(pair, "DIMENSION:VALUE, where the dimension is property, cdn, country, player or title");
    incident.where.emplace_back(static_cast<dimension>(found - dimension_names.begin()), value);
  }
  return {};
}

io::result<void> take_setting(std::string_view pair, planted_incident& incident) {
  auto value = pair;
  const auto name = cut(value, '=');
  if (name == "where")
    return take_where(value, incident);
  if (name == "error") {
    incident.error_code = value;
    return {};
  }
  if (name == "start" || name == "for") {
    const auto duration = tools::parse_duration(value);
    if (!duration)
      return misuse(pair, "a duration such as 30m");
    (name == "start" ? incident.start : incident.length) = *duration;
    return {};
  }
  if (name == "rate" || name == "times") {
    const auto number = tools::parse_number(value);
    if (!number)
      return misuse(pair, "a number such as 0.3");
    (name == "rate" ? incident.rate : incident.times) = *number;
    return {};
  }
  return misuse(pair, "one of start=, for=, where=, rate=, times=, error=");
}

} // namespace

io::result<planted_incident> parse_incident(std::string_view text) {
  planted_incident incident;
  while (!text.empty())
    if (auto taken = take_setting(cut(text, ','), incident); !taken)
      return taken.failure();
  return incident;
}

} // namespace tocsin::generator
