#include "io/config/language.hpp"
#include "io/config/quantity.hpp"

#include <nlohmann/json.hpp>

#include <string>

namespace tocsin::io {

namespace {

using ordered = nlohmann::ordered_json;

constexpr const char* duration_pattern = "^[0-9]+(ms|s|m|h|d)$";
constexpr const char* size_pattern = "^[0-9]+(B|kB|KB|MB|GB|TB|KiB|MiB|GiB|TiB)$";

std::string definition(const std::string& section) {
  return "#/$defs/" + section;
}

ordered unique_texts() {
  return {{"type", "array"}, {"items", {{"type", "string"}, {"minLength", 1}}}, {"uniqueItems", true}};
}

void add_limits(ordered& out, const key_spec& key) {
  if (!key.lowest.empty())
    out[key.above_lowest ? "exclusiveMinimum" : "minimum"] = ordered::parse(key.lowest);
  if (!key.highest.empty())
    out[key.below_highest ? "exclusiveMaximum" : "maximum"] = ordered::parse(key.highest);
}

/// JSON Schema cannot compare durations and sizes, so that their limits are told in words.
std::string limits_in_words(const key_spec& key) {
  if (key.kind != value_kind::duration && key.kind != value_kind::size)
    return {};
  return " From " + key.lowest + " to " + key.highest + ".";
}

ordered type_of(const key_spec& key) {
  switch (key.kind) {
  case value_kind::boolean: return {{"type", "boolean"}};
  case value_kind::integer: return {{"type", "integer"}};
  case value_kind::number: return {{"type", "number"}};
  case value_kind::duration: return {{"type", "string"}, {"pattern", duration_pattern}};
  case value_kind::size: return {{"type", "string"}, {"pattern", size_pattern}};
  case value_kind::choice: return {{"enum", key.choices}};
  case value_kind::label: return {{"type", "string"}, {"pattern", "^[A-Za-z0-9_.-]+$"}};
  case value_kind::text:
  case value_kind::condition: return {{"type", "string"}, {"minLength", 1}};
  case value_kind::texts: return unique_texts();
  case value_kind::levels: return {{"type", "array"}, {"items", unique_texts()}};
  case value_kind::object: return {{"$ref", definition(key.section)}};
  case value_kind::objects: return {{"type", "array"}, {"minItems", 1}, {"items", {{"$ref", definition(key.section)}}}};
  case value_kind::detectors: {
    auto alternatives = ordered::array();
    for (const auto& type : detector_types())
      alternatives.push_back({{"$ref", definition("detector:" + type)}});
    return {{"type", "array"}, {"minItems", 1}, {"items", {{"oneOf", alternatives}}}};
  }
  case value_kind::ignored:
  case value_kind::later: break;
  }
  return {{"type", "string"}};
}

ordered property(const key_spec& key) {
  auto out = type_of(key);
  if (key.kind == value_kind::integer || key.kind == value_kind::number)
    add_limits(out, key);
  out["description"] = key.description + limits_in_words(key);
  if (!key.fallback.empty())
    out["default"] = ordered::parse(key.fallback);
  if (!key.example.empty())
    out["examples"] = ordered::array({ordered::parse(key.example)});
  return out;
}

ordered object_of(const section_spec& section) {
  ordered out{{"type", "object"}, {"description", section.description}};
  auto needed = ordered::array();
  auto& properties = out["properties"] = ordered::object();
  for (const auto& key : section.keys) {
    if (key.kind == value_kind::later)
      continue;
    properties[key.key] = property(key);
    if (key.required)
      needed.push_back(key.key);
  }
  if (!needed.empty())
    out["required"] = needed;
  out["additionalProperties"] = false;
  return out;
}

} // namespace

std::string schema_text() {
  ordered schema{{"$schema", "https://json-schema.org/draft/2020-12/schema"}, {"title", "Tocsin configuration"}};
  schema.update(object_of(root_section()));
  auto& definitions = schema["$defs"] = ordered::object();
  for (const auto& section : language())
    if (&section != &root_section())
      definitions[section.name] = object_of(section);
  return schema.dump(2) + '\n';
}

} // namespace tocsin::io
