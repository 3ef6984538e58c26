#include "io/kafka/properties.hpp"

#include "io/config/document.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <string_view>

namespace tocsin::io::kafka {

namespace {

/// Property names that hold secrets wherever their values come from.
bool is_secret(std::string_view name) {
  for (const std::string_view part : {"password", "secret", ".pem", "oauthbearer.config", "private.key"})
    if (name.find(part) != std::string_view::npos)
      return true;
  return false;
}

error mistake(const std::string& message) {
  return {error_code::configuration, message, false, true};
}

constexpr const char* expected_values =
    R"(expected a string, a number, true or false, {"file": "PATH"} or {"env": "NAME"})";

} // namespace

redactor::redactor(std::vector<std::string> secrets) : secrets_(std::move(secrets)) {
  secrets_.erase(std::remove(secrets_.begin(), secrets_.end(), std::string()), secrets_.end());
  std::sort(secrets_.begin(), secrets_.end(),
            [](const std::string& a, const std::string& b) { return a.size() > b.size(); });
}

std::string redactor::operator()(std::string text) const {
  constexpr std::string_view mask = "***";
  for (const auto& secret : secrets_)
    for (auto at = text.find(secret); at != std::string::npos; at = text.find(secret, at + mask.size()))
      text.replace(at, secret.size(), mask);
  return text;
}

result<properties::property> properties::parse_value(const std::string& name, const nlohmann::json& value,
                                                     const std::string& place) {
  if (value.is_string())
    return property{name, value.get<std::string>()};
  if (value.is_number() || value.is_boolean())
    return property{name, value.dump()};
  if (value.is_object() && value.size() == 1) {
    const auto& where = *value.begin();
    const auto kind = value.begin().key();
    if ((kind == "file" || kind == "env") && where.is_string() && !where.get_ref<const std::string&>().empty())
      return property{name, where.get<std::string>(), kind == "file" ? origin::file : origin::environment};
  }
  // What was found is not shown: it may be a secret at the wrong place.
  return mistake(fmt::format("{}: found {}, {}", place, value.type_name(), expected_values));
}

result<properties> properties::parse(const nlohmann::json& object, const std::string& place) {
  if (!object.is_object())
    return mistake(fmt::format(R"({}: found {}, expected an object such as {{"bootstrap.servers": "HOST:PORT"}})",
                               place, object.type_name()));
  properties parsed;
  parsed.place_ = place;
  for (const auto& [name, value] : object.items()) {
    auto one = parse_value(name, value, child_pointer(place, name));
    if (!one)
      return one.failure();
    parsed.all_.push_back(std::move(*one));
  }
  return parsed;
}

void properties::set(const std::string& name, const std::string& value) {
  const auto found = std::find_if(all_.begin(), all_.end(), [&](const property& one) { return one.name == name; });
  if (found == all_.end())
    all_.push_back({name, value});
  else
    *found = {name, value};
}

bool properties::has(const std::string& name) const {
  return std::any_of(all_.begin(), all_.end(), [&](const property& one) { return one.name == name; });
}

std::string properties::shown(const std::string& name) const {
  for (const auto& one : all_)
    if (one.name == name && one.from == origin::written && !is_secret(name))
      return one.text;
  return "";
}

std::string properties::place_of(const std::string& name) const {
  return child_pointer(place_, name);
}

result<std::string> properties::value_of(const property& one) const {
  switch (one.from) {
  case origin::written: return one.text;
  case origin::environment:
    if (const char* value = std::getenv(one.text.c_str())) // NOLINT(concurrency-mt-unsafe): nobody sets variables
      return std::string(value);
    return mistake(fmt::format("{}: the environment has no variable {}", place_of(one.name), one.text));
  case origin::file: break;
  }
  std::ifstream file(one.text, std::ios::binary);
  std::string value{std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
  if (!file)
    return mistake(fmt::format("{}: the file {} cannot be read", place_of(one.name), one.text));
  if (!value.empty() && value.back() == '\n')
    value.pop_back();
  if (!value.empty() && value.back() == '\r')
    value.pop_back();
  return value;
}

result<resolved_properties> properties::resolve() const {
  resolved_properties out;
  std::vector<std::string> secrets;
  for (const auto& one : all_) {
    auto value = value_of(one);
    if (!value)
      return value.failure();
    if (one.from != origin::written || is_secret(one.name))
      secrets.push_back(*value);
    out.values.emplace_back(one.name, std::move(*value));
  }
  out.redact = redactor(std::move(secrets));
  return out;
}

} // namespace tocsin::io::kafka
