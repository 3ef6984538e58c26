#pragma once

#include "detectors/values/time.hpp"
#include "io/words.hpp"

#include <string>

namespace tocsin::tools {

using io::how_often;
using io::percent;
using io::quantity;

/// `2016-05-04 12:03:10` (UTC).
std::string clock_time(time_ms time);

} // namespace tocsin::tools
