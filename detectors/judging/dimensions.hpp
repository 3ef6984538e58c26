#pragma once

#include "detectors/values/alert.hpp"
#include "detectors/values/monitor_spec.hpp"

#include <string_view>
#include <vector>

namespace tocsin {

/// The dimensions and values of a level's key (level byte first), scope first.
std::vector<dimension_value> name_dimensions(const monitor_spec& monitor, std::uint32_t level, std::string_view key);

} // namespace tocsin
