#pragma once

#include <nlohmann/json_fwd.hpp>

#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace tocsin::io {

/// Dimension and value, in the order of the file.
using named_values = std::vector<std::pair<std::string, std::string>>;

/// What is wrong with a key that a person wrote.
struct key_mistake {
  std::string pointer; ///< `key`, or `key/cdn`
  std::string found;
  std::string expected;
};

/// Member `key` of an object, `{"cdn": "fastly"}`; empty if there is none. The first mistake is told in `wrong`, unless
/// it holds one already.
named_values read_key(const nlohmann::ordered_json& object, std::optional<key_mistake>& wrong);

} // namespace tocsin::io
