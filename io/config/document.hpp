#pragma once

#include "io/config/config.hpp"

#include <nlohmann/json.hpp>

#include <optional>
#include <string_view>
#include <vector>

namespace tocsin::io {

/// Parses JSON with comments. Nothing on a syntax error (told with line and column); a key that an object has twice is
/// told too, since one of its values would be silently lost. Never throws.
std::optional<nlohmann::json> parse_document(std::string_view text, std::vector<config_issue>& issues);

/// `key` appended to a JSON pointer, escaped.
std::string child_pointer(const std::string& pointer, std::string_view key);
std::string child_pointer(const std::string& pointer, std::size_t index);

/// A value as a message shows it: short ones as written, long ones cut, objects and lists by their size.
std::string shown(const nlohmann::json& value);

} // namespace tocsin::io
