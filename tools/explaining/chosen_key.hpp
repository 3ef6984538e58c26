#pragma once

#include "detectors/values/monitor_spec.hpp"
#include "io/result.hpp"

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

namespace tocsin::tools {

/// A key that the user names.
struct chosen_key {
  std::uint32_t monitor = 0;
  std::string bytes; ///< level byte first
};

using dimension_values = std::vector<std::pair<std::string, std::string>>;

/// The monitor's number; its name may be left out if there is only one.
io::result<std::uint32_t> choose_monitor(const world_spec& world, const std::string& name);

/// Dimensions and values that keys of at least one level have, whatever else they have. Texts as for choose_key().
io::result<dimension_values> choose_values(const monitor_spec& monitor, const std::vector<std::string>& texts);

/// Finds the monitor (its name may be left out if there is only one) and the level whose dimensions, those of the scope
/// included, are named: `{"cdn=fastly,country=DE"}`, or one text a dimension. `\,` is a comma, `(none)` a missing
/// value,
/// `(other)` the pooled tail. Errors say what there is, with a suggestion where a name is near.
io::result<chosen_key> choose_key(const world_spec& world, const std::string& monitor,
                                  const std::vector<std::string>& texts);

} // namespace tocsin::tools
