#include "io/key_json.hpp"

#include <nlohmann/json.hpp>

namespace tocsin::io {

named_values read_key(const nlohmann::ordered_json& object, std::optional<key_mistake>& wrong) {
  named_values out;
  const auto complain = [&](const std::string& pointer, const nlohmann::ordered_json& found, const char* expected) {
    if (!wrong)
      wrong = key_mistake{pointer, found.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace), expected};
  };
  const auto found = object.find("key");
  if (found == object.end())
    return out;
  if (!found->is_object()) {
    complain("key", *found, R"(an object such as {"cdn": "fastly"})");
    return out;
  }
  for (const auto& [dimension, value] : found->items()) {
    if (value.is_string())
      out.emplace_back(dimension, value.get<std::string>());
    else
      complain("key/" + dimension, value, "text (\"(none)\" for a missing value)");
  }
  return out;
}

} // namespace tocsin::io
