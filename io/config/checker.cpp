#include "io/config/checker.hpp"

#include "io/config/document.hpp"
#include "io/config/quantity.hpp"
#include "io/config/suggestion.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <set>

namespace tocsin::io {

namespace {

using nlohmann::json;

const key_spec* find_key(const section_spec& section, const std::string& name) {
  const auto found =
      std::find_if(section.keys.begin(), section.keys.end(), [&](const key_spec& k) { return k.key == name; });
  return found == section.keys.end() ? nullptr : &*found;
}

std::vector<std::string> accepted_keys(const section_spec& section) {
  std::vector<std::string> names;
  for (const auto& key : section.keys)
    if (key.kind != value_kind::later)
      names.push_back(key.key);
  return names;
}

/// `"a", "b" or "c"`
std::string alternatives(const std::vector<std::string>& names) {
  std::string out;
  for (std::size_t i = 0; i < names.size(); ++i) {
    if (i > 0)
      out += i + 1 == names.size() ? " or " : ", ";
    out += fmt::format("\"{}\"", names[i]);
  }
  return out;
}

/// A place where that key would be right, for a key in the wrong object.
std::string elsewhere(const std::string& key) {
  static const auto paths = known_paths();
  for (const auto& path : paths) {
    const auto mark = path.rfind('/');
    if (mark > 0 && path.compare(mark + 1, std::string::npos, key) == 0)
      return path;
  }
  return {};
}

std::string range_of(const key_spec& key) {
  if (key.lowest.empty() && key.highest.empty())
    return {};
  if (key.above_lowest || key.below_highest)
    return fmt::format(" {} {} and {} {}", key.above_lowest ? "above" : "from", key.lowest,
                       key.below_highest ? "below" : "at most", key.highest);
  return fmt::format(" from {} to {}", key.lowest, key.highest);
}

/// NaN-free: a parsed number is finite, or it was refused by the parser.
bool within(const key_spec& key, double value, double lowest, double highest) {
  const bool low_fits = key.above_lowest ? value > lowest : value >= lowest;
  const bool high_fits = key.below_highest ? value < highest : value <= highest;
  return low_fits && high_fits;
}

double limit(const std::string& text) {
  return json::parse(text).get<double>();
}

bool is_label(const std::string& text) {
  constexpr std::string_view allowed = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_.-";
  return !text.empty() && text.size() <= 128 && text.find_first_not_of(allowed) == std::string::npos;
}

} // namespace

json checker::check(const section_spec& section, const json& value, const std::string& pointer) {
  auto out = json::object();
  if (!value.is_object()) {
    refuse(pointer, value, fmt::format("an object with {}", alternatives(accepted_keys(section))));
    fill(out, section, pointer);
    return out;
  }

  for (const auto& [name, member] : value.items()) {
    const auto here = child_pointer(pointer, name);
    const auto* key = find_key(section, name);
    if (key == nullptr || key->kind == value_kind::later)
      refuse_key(section, name, here);
    else if (auto checked = value_of(*key, member, here); !checked.is_null())
      out[name] = std::move(checked);
  }

  for (const auto& key : section.keys)
    if (key.required && !value.contains(key.key))
      issues_.push_back(
          {child_pointer(pointer, key.key), "nothing",
           "this key: " + key.description + (key.example.empty() ? std::string() : " For example " + key.example)});
  fill(out, section, pointer);
  return out;
}

/// Defaults for what is not there; objects without required keys are filled from within.
void checker::fill(json& out, const section_spec& section, const std::string& pointer) {
  for (const auto& key : section.keys) {
    if (out.contains(key.key))
      continue;
    const auto here = child_pointer(pointer, key.key);
    if (!key.fallback.empty()) {
      out[key.key] = value_of(key, json::parse(key.fallback), here);
    } else if (key.kind == value_kind::object) {
      const auto* inner = find_section(key.section);
      const bool optional =
          std::none_of(inner->keys.begin(), inner->keys.end(), [](const key_spec& k) { return k.required; });
      if (optional)
        out[key.key] = check(*inner, json::object(), here);
    }
  }
}

void checker::refuse(const std::string& pointer, const json& found, const std::string& expected) {
  issues_.push_back({pointer, shown(found), expected});
}

void checker::refuse_key(const section_spec& section, const std::string& key, const std::string& pointer) {
  if (find_key(section, key) != nullptr) {
    issues_.push_back({pointer, fmt::format("\"{}\"", key), "no such key: this build does not have it yet"});
    return;
  }
  const auto found = fmt::format("unknown key {}", shown(json(key)));
  const auto known = accepted_keys(section);
  if (const auto place = elsewhere(key); !place.empty())
    issues_.push_back({pointer, found, "it at " + place});
  else if (const auto meant = nearest(key, known))
    issues_.push_back({pointer, found, fmt::format("\"{}\", perhaps", *meant)});
  else
    issues_.push_back({pointer, found, alternatives(known)});
}

json checker::value_of(const key_spec& key, const json& value, const std::string& pointer) {
  switch (key.kind) {
  case value_kind::boolean:
    if (value.is_boolean())
      return value;
    refuse(pointer, value, "true or false");
    return nullptr;
  case value_kind::integer: return integer(key, value, pointer);
  case value_kind::number: return number(key, value, pointer);
  case value_kind::duration: return duration(key, value, pointer);
  case value_kind::size: return size(key, value, pointer);
  case value_kind::choice: return choice(key, value, pointer);
  case value_kind::ignored: return text(value, pointer, "text");
  case value_kind::text: return text(value, pointer, "text that is not empty");
  case value_kind::condition: return text(value, pointer, "a condition such as \"status >= 500\"");
  case value_kind::label: return label(value, pointer);
  case value_kind::texts: return texts(value, pointer);
  case value_kind::levels: return levels(value, pointer);
  case value_kind::object: return check(*find_section(key.section), value, pointer);
  case value_kind::objects: return objects(key, value, pointer);
  case value_kind::detectors: return detectors(value, pointer);
  case value_kind::later: break;
  }
  return nullptr;
}

json checker::integer(const key_spec& key, const json& value, const std::string& pointer) {
  if (value.is_number_integer() && within(key, value.get<double>(), limit(key.lowest), limit(key.highest)))
    return value;
  refuse(pointer, value, "a whole number" + range_of(key));
  return nullptr;
}

json checker::number(const key_spec& key, const json& value, const std::string& pointer) {
  if (value.is_number() && within(key, value.get<double>(), limit(key.lowest), limit(key.highest)))
    return value.get<double>();
  refuse(pointer, value, "a number" + range_of(key));
  return nullptr;
}

json checker::duration(const key_spec& key, const json& value, const std::string& pointer) {
  const auto parsed = value.is_string() ? parse_duration(value.get_ref<const std::string&>()) : std::nullopt;
  if (!parsed) {
    refuse(pointer, value, "a duration such as \"10s\" (a whole number and ms, s, m, h or d)");
    return nullptr;
  }
  if (*parsed < *parse_duration(key.lowest) || *parsed > *parse_duration(key.highest)) {
    refuse(pointer, value, "a duration" + range_of(key));
    return nullptr;
  }
  return *parsed;
}

json checker::size(const key_spec& key, const json& value, const std::string& pointer) {
  const auto parsed = value.is_string() ? parse_size(value.get_ref<const std::string&>()) : std::nullopt;
  if (!parsed) {
    refuse(pointer, value, "a size such as \"1MiB\" (a whole number and B, kB, MB, GB, TB, KiB, MiB, GiB or TiB)");
    return nullptr;
  }
  if (*parsed < *parse_size(key.lowest) || *parsed > *parse_size(key.highest)) {
    refuse(pointer, value, "a size" + range_of(key));
    return nullptr;
  }
  return *parsed;
}

json checker::choice(const key_spec& key, const json& value, const std::string& pointer) {
  if (value.is_string()) {
    const auto& name = value.get_ref<const std::string&>();
    if (std::find(key.choices.begin(), key.choices.end(), name) != key.choices.end())
      return value;
    if (const auto meant = nearest(name, key.choices)) {
      refuse(pointer, value, fmt::format("{}; \"{}\", perhaps", alternatives(key.choices), *meant));
      return nullptr;
    }
  }
  refuse(pointer, value, alternatives(key.choices));
  return nullptr;
}

json checker::text(const json& value, const std::string& pointer, const std::string& expected) {
  if (value.is_string() && !value.get_ref<const std::string&>().empty())
    return value;
  refuse(pointer, value, expected);
  return nullptr;
}

json checker::label(const json& value, const std::string& pointer) {
  if (value.is_string() && is_label(value.get_ref<const std::string&>()))
    return value;
  refuse(pointer, value, "a name of at most 128 letters, digits, '_', '.' and '-'");
  return nullptr;
}

json checker::texts(const json& value, const std::string& pointer) {
  if (!value.is_array()) {
    refuse(pointer, value, "a list of texts such as [\"a\", \"b\"]");
    return nullptr;
  }
  auto out = json::array();
  std::set<std::string> seen;
  for (std::size_t i = 0; i < value.size(); ++i) {
    const auto here = child_pointer(pointer, i);
    const auto checked = text(value[i], here, "text that is not empty");
    if (checked.is_null())
      continue;
    if (seen.insert(checked.get<std::string>()).second)
      out.push_back(checked);
    else
      refuse(here, value[i], "each text only once in this list");
  }
  return out;
}

json checker::levels(const json& value, const std::string& pointer) {
  if (!value.is_array()) {
    refuse(pointer, value, "a list of levels such as [[], [\"cdn\"], [\"cdn\", \"country\"]]");
    return nullptr;
  }
  auto out = json::array();
  for (std::size_t i = 0; i < value.size(); ++i) {
    const auto here = child_pointer(pointer, i);
    const auto before = issues_.size();
    auto level = json();
    if (value[i].is_array())
      level = texts(value[i], here);
    else
      refuse(here, value[i], "a level, which is a list of dimensions such as [\"cdn\"]");
    // A wrong level stays as null, so that later messages count the levels as the user does.
    if (issues_.size() > before)
      level = nullptr;
    out.push_back(std::move(level));
  }
  return out;
}

json checker::objects(const key_spec& key, const json& value, const std::string& pointer) {
  auto out = json::array();
  if (!value.is_array() || value.empty()) {
    refuse(pointer, value, "a list with at least one object");
    return out;
  }
  for (std::size_t i = 0; i < value.size(); ++i)
    out.push_back(check(*find_section(key.section), value[i], child_pointer(pointer, i)));
  return out;
}

json checker::detectors(const json& value, const std::string& pointer) {
  auto out = json::array();
  if (!value.is_array() || value.empty()) {
    refuse(pointer, value, "a list with at least one detector such as {\"type\": \"sr_mixture\"}");
    return out;
  }
  for (std::size_t i = 0; i < value.size(); ++i) {
    const auto here = child_pointer(pointer, i);
    if (const auto* section = detector_section(value[i], here))
      out.push_back(check(*section, value[i], here));
    else
      out.push_back(nullptr); // keeps the numbering of the user
  }
  return out;
}

const section_spec* checker::detector_section(const json& value, const std::string& pointer) {
  const auto types = detector_types();
  const auto here = child_pointer(pointer, "type");
  if (!value.is_object() || !value.contains("type")) {
    issues_.push_back({value.is_object() ? here : pointer, value.is_object() ? "nothing" : shown(value),
                       fmt::format("a detector with \"type\": {}", alternatives(types))});
    return nullptr;
  }

  const auto& type = value["type"];
  const auto name = type.is_string() ? type.get<std::string>() : std::string();
  if (std::find(types.begin(), types.end(), name) != types.end())
    return find_section("detector:" + name);

  const auto meant = nearest(name, types);
  refuse(here, type, meant ? fmt::format("\"{}\", perhaps", *meant) : alternatives(types));
  return nullptr;
}

} // namespace tocsin::io
