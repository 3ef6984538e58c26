#pragma once

#include "detectors/values/time.hpp"

#include <string>

namespace tocsin::tools {

/// `8.41 %`.
std::string percent(double rate);
/// Three digits, all those of thousands: `15.6`, `12345`; very small ones as `2.3e-09`.
std::string quantity(double value);
/// `114 days`, `5 hours`: a time of so many days that nobody will wait for exactly.
std::string long_time(double days);
/// `2016-05-04 12:03:10` (UTC).
std::string clock_time(time_ms time);

} // namespace tocsin::tools
