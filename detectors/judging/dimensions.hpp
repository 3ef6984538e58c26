#pragma once

#include "detectors/values/alert.hpp"
#include "detectors/values/monitor_spec.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace tocsin {

/// The dimensions and values of a level's key (level byte first), scope first.
std::vector<dimension_value> name_dimensions(const monitor_spec& monitor, std::uint32_t level, std::string_view key);

/// The key of the parent level that a key (level byte first) belongs to; the root's own bytes for a root.
std::string parent_key(const monitor_spec& monitor, std::string_view key);

} // namespace tocsin
