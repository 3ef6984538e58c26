#pragma once

#include <nlohmann/json.hpp>

#include <algorithm>
#include <fstream>
#include <regex.h>
#include <string>
#include <vector>

/// Checks alert records against configs/alert.schema.json, so that no record is written that the schema does not
/// describe. Knows the keywords that the schema uses: type, enum, required, properties, additionalProperties, items,
/// minItems, maxItems, minimum, maximum, minLength, maxLength, pattern and format date-time; another keyword is itself
/// a violation.
namespace tocsin::test {

class schema_validator {
public:
  explicit schema_validator(nlohmann::json schema) : schema_(std::move(schema)) {}

  std::vector<std::string> violations(const nlohmann::json& value) {
    found_.clear();
    check("", schema_, value);
    return found_;
  }

private:
  using json = nlohmann::json;

  void complain(const std::string& where, const std::string& what) {
    found_.push_back((where.empty() ? "record" : where) + ": " + what);
  }

  static bool has_type(const json& value, const std::string& type) {
    if (type == "integer")
      return value.is_number_integer();
    if (type == "number")
      return value.is_number();
    return type == value.type_name();
  }

  /// POSIX extended expressions: std::regex does not compile without warnings under the sanitizers.
  static bool matches(const std::string& text, const std::string& pattern) {
    regex_t compiled;
    if (::regcomp(&compiled, pattern.c_str(), REG_EXTENDED | REG_NOSUB) != 0)
      return false;
    const bool matched = ::regexec(&compiled, text.c_str(), 0, nullptr, 0) == 0;
    ::regfree(&compiled);
    return matched;
  }

  static bool is_date_time(const std::string& text) {
    return matches(text, "^-?[0-9]{4,}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}[.][0-9]{3}Z$");
  }

  void check_type(const std::string& where, const json& allowed, const json& value) {
    const auto types = allowed.is_array() ? allowed : json::array({allowed});
    if (std::none_of(types.begin(), types.end(), [&](const json& type) { return has_type(value, type); }))
      complain(where, "has type " + std::string(value.type_name()) + ", expected " + allowed.dump());
  }

  void check_object(const std::string& where, const json& schema, const json& value) {
    for (const auto& name : schema.value("required", json::array()))
      if (!value.contains(name.get<std::string>()))
        complain(where, "lacks " + name.dump());
    const auto properties = schema.value("properties", json::object());
    const auto others = schema.value("additionalProperties", json(true));
    for (const auto& [name, member] : value.items()) {
      if (properties.contains(name))
        check(where + "/" + name, properties.at(name), member);
      else if (others.is_object())
        check(where + "/" + name, others, member);
      else if (!others.get<bool>())
        complain(where, "has the unknown field \"" + name + "\"");
    }
  }

  void check_array(const std::string& where, const json& schema, const json& value) {
    if (value.size() < schema.value("minItems", std::size_t{0}) ||
        value.size() > schema.value("maxItems", value.size()))
      complain(where, "has " + std::to_string(value.size()) + " items");
    if (schema.contains("items"))
      for (std::size_t i = 0; i < value.size(); ++i)
        check(where + "/" + std::to_string(i), schema.at("items"), value[i]);
  }

  void check_string(const std::string& where, const json& schema, const std::string& text) {
    if (text.size() < schema.value("minLength", std::size_t{0}) || text.size() > schema.value("maxLength", text.size()))
      complain(where, "has " + std::to_string(text.size()) + " bytes");
    if (schema.contains("pattern") && !matches(text, schema.at("pattern").get<std::string>()))
      complain(where, "\"" + text + "\" does not match " + schema.at("pattern").dump());
    if (schema.contains("format") && !is_date_time(text))
      complain(where, "\"" + text + "\" is no RFC 3339 time with milliseconds and Z");
  }

  void check_keywords(const std::string& where, const json& schema) {
    static const std::vector<std::string> known = {
        "$schema", "title",    "description", "type",    "enum",    "required",  "properties", "additionalProperties",
        "items",   "minItems", "maxItems",    "minimum", "maximum", "minLength", "maxLength",  "pattern",
        "format"};
    for (const auto& [name, ignored] : schema.items())
      if (std::find(known.begin(), known.end(), name) == known.end())
        complain(where, "the schema uses \"" + name + "\", which this validator does not know");
  }

  void check(const std::string& where, const json& schema, const json& value) {
    check_keywords(where, schema);
    if (schema.contains("type"))
      check_type(where, schema.at("type"), value);
    if (schema.contains("enum")) {
      const auto& allowed = schema.at("enum");
      if (std::find(allowed.begin(), allowed.end(), value) == allowed.end())
        complain(where, "is " + value.dump() + ", expected one of " + allowed.dump());
    }
    if (value.is_number() && schema.contains("minimum") && value < schema.at("minimum"))
      complain(where, "is " + value.dump() + ", below " + schema.at("minimum").dump());
    if (value.is_number() && schema.contains("maximum") && value > schema.at("maximum"))
      complain(where, "is " + value.dump() + ", above " + schema.at("maximum").dump());
    if (value.is_object())
      check_object(where, schema, value);
    else if (value.is_array())
      check_array(where, schema, value);
    else if (value.is_string())
      check_string(where, schema, value.get<std::string>());
  }

  json schema_;
  std::vector<std::string> found_;
};

/// What is wrong with one line of an alert log; empty if nothing is.
inline std::vector<std::string> schema_violations(const std::string& json_line) {
  if (json_line.find('\n') != std::string::npos)
    return {"record: has a line end within"};
  const auto record = nlohmann::json::parse(json_line, nullptr, false);
  if (record.is_discarded())
    return {"record: is no JSON: " + json_line};
  std::ifstream file(TOCSIN_SOURCE_DIR "/configs/alert.schema.json");
  const auto schema = nlohmann::json::parse(file, nullptr, false);
  if (schema.is_discarded())
    return {"configs/alert.schema.json: is no JSON"};
  return schema_validator(schema).violations(record);
}

} // namespace tocsin::test
