#pragma once

#include "io/config/config.hpp"

#include <string>

namespace tocsin::io {

/// XXH3-128, in hex, of a canonical rendering of everything that can change a verdict: the decode plan, the monitors
/// with their capacities, the rules of event time, and the version of the time zone data if a zone is used. Paths,
/// sinks, workers, block size, idle_timeout (its effects are journal entries) and limits of memory are not part of it.
std::string fingerprint_of(const config& built);

/// Version of the machine's time zone data, for example "2024a"; "unknown" where it is not told.
std::string time_zone_data_version();

} // namespace tocsin::io
