#pragma once

#include "io/config/config.hpp"
#include "io/config/language.hpp"

#include <nlohmann/json.hpp>

#include <string>
#include <vector>

namespace tocsin::io {

/// Checks a document against the table of the language, value by value, and fills in the defaults. What it returns
/// has only known keys with values of the right kind: durations are milliseconds, sizes are bytes; a wrong value is
/// told and replaced by its default (or left out), so that the checks that follow can go on. Relations between
/// values are not its concern. A short-lived value, used on the stack.
class checker {
public:
  explicit checker(std::vector<config_issue>& issues) : issues_(issues) {}

  nlohmann::json check(const section_spec& section, const nlohmann::json& value, const std::string& pointer);

private:
  using json = nlohmann::json;

  void refuse(const std::string& pointer, const json& found, const std::string& expected);
  void refuse_key(const section_spec& section, const std::string& key, const std::string& pointer);
  void fill(json& out, const section_spec& section, const std::string& pointer);

  /// The checked value, or null.
  json value_of(const key_spec& key, const json& value, const std::string& pointer);
  json integer(const key_spec& key, const json& value, const std::string& pointer);
  json number(const key_spec& key, const json& value, const std::string& pointer);
  json duration(const key_spec& key, const json& value, const std::string& pointer);
  json size(const key_spec& key, const json& value, const std::string& pointer);
  json choice(const key_spec& key, const json& value, const std::string& pointer);
  json text(const json& value, const std::string& pointer, const std::string& expected);
  json label(const json& value, const std::string& pointer);
  json texts(const json& value, const std::string& pointer);
  json levels(const json& value, const std::string& pointer);
  json objects(const key_spec& key, const json& value, const std::string& pointer);
  json detectors(const json& value, const std::string& pointer);
  const section_spec* detector_section(const json& value, const std::string& pointer);

  std::vector<config_issue>& issues_;
};

} // namespace tocsin::io
