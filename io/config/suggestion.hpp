#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace tocsin::io {

/// How many insertions, deletions, replacements and swaps of neighbours turn one text into the other.
std::size_t edit_distance(std::string_view a, std::string_view b);

/// The candidate that the user probably meant: the nearest one, if it is near enough.
std::optional<std::string> nearest(std::string_view text, const std::vector<std::string>& candidates);

} // namespace tocsin::io
