#pragma once

#include "detectors/values/operator_action.hpp"
#include "io/result.hpp"

#include <string>
#include <string_view>

namespace tocsin::io {

/// An action as one line of JSON, as the journal keeps it: {"kind":"exclude","monitor":"m","key":{"cdn":"fastly"},
/// "from":"2016-05-04T12:00:00.000Z","to":"...","author":"...","comment":"...","in_force":"..."}. An acceptance has
/// "incident" instead of the range. `in_force` is absent where the action holds from the beginning.
std::string to_json(const operator_action& action);

/// Reads it. The error tells what is wrong with it, not where it is.
result<operator_action> parse_action(std::string_view line);

} // namespace tocsin::io
