#include "tools/alert_log/alert_record.hpp"

#include "tools/common/units.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

namespace tocsin::tools {

namespace {

using json = nlohmann::ordered_json;

io::error broken(const std::string& message) {
  return {io::error_code::source, message, false, false};
}

const json* find(const json& object, const char* name) {
  const auto found = object.find(name);
  return found == object.end() ? nullptr : &*found;
}

std::string text_of(const json& object, const char* name) {
  const auto* value = find(object, name);
  return value != nullptr && value->is_string() ? value->get<std::string>() : std::string();
}

std::optional<double> number_of(const json& object, const char* name) {
  const auto* value = find(object, name);
  return value != nullptr && value->is_number() ? std::optional(value->get<double>()) : std::nullopt;
}

std::optional<time_ms> time_of(const json& object, const char* name) {
  return parse_rfc3339(text_of(object, name));
}

std::vector<std::pair<std::string, std::string>> key_of(const json& object, const char* name) {
  std::vector<std::pair<std::string, std::string>> key;
  const auto* values = find(object, name);
  if (values == nullptr || !values->is_object())
    return key;
  for (const auto& [dimension, value] : values->items()) {
    if (value.is_null())
      key.emplace_back(dimension, "(none)");
    else
      key.emplace_back(dimension, value.is_string() ? value.get<std::string>() : value.dump());
  }
  return key;
}

void take_family(const json& object, alert_record& record) {
  record.parent_id = text_of(object, "parent_id");
  if (const auto* children = find(object, "children"); children != nullptr && children->is_array())
    for (const auto& child : *children)
      if (child.is_string())
        record.children.push_back(child.get<std::string>());
  const auto* count = find(object, "children_count");
  record.children_count =
      count != nullptr && count->is_number_unsigned() ? count->get<std::size_t>() : record.children.size();
}

void take_cause(const json& object, alert_record& record) {
  const auto* contributors = find(object, "contributors");
  if (contributors == nullptr || !contributors->is_array() || contributors->empty())
    return;
  record.cause = key_of(contributors->front(), "set");
  record.cause_share = number_of(contributors->front(), "share");
}

} // namespace

io::result<alert_record> parse_alert(std::string line) {
  const auto object = json::parse(line, nullptr, false);
  if (object.is_discarded() || !object.is_object())
    return broken(fmt::format("found \"{}\", expected an alert record (a JSON object)", line.substr(0, 60)));
  alert_record record;
  record.id = text_of(object, "id");
  record.kind = text_of(object, "kind");
  record.status = text_of(object, "status");
  const auto tick = time_of(object, "tick");
  for (const auto& [name, present] : {std::pair("id", !record.id.empty()), std::pair("kind", !record.kind.empty()),
                                      std::pair("tick", tick.has_value())})
    if (!present)
      return broken(fmt::format("expected an alert record, but its field \"{}\" is missing or not right", name));
  record.severity = text_of(object, "severity");
  record.monitor = text_of(object, "monitor");
  record.detector = text_of(object, "detector");
  const auto* shadow = find(object, "shadow");
  record.shadow = shadow != nullptr && shadow->is_boolean() && shadow->get<bool>();
  record.key = key_of(object, "key");
  record.tick = *tick;
  record.onset = time_of(object, "onset");
  record.rate = number_of(object, "measured_value");
  record.baseline = number_of(object, "baseline_value");
  record.excess = number_of(object, "excess_failures");
  record.is_volume = text_of(object, "measurement") == "volume";
  if (record.is_volume) {
    const auto events = number_of(object, "sample_size");
    const auto expected = number_of(object, "expected_events");
    if (events && expected)
      record.excess = *events - *expected;
  }
  take_family(object, record);
  take_cause(object, record);
  record.line = std::move(line);
  return record;
}

} // namespace tocsin::tools
