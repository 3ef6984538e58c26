#pragma once

#include "detectors/values/monitor_spec.hpp"

#include <cstdint>

namespace tocsin::test {

/// A small world over the dimensions d0 .. d2 that a seed chooses: one to three monitors with their own scopes, levels
/// and ticks, one to three detectors each, short windows, holds and expiry, now and then hardly any room. Its purpose
/// is that everything that can happen to a key happens within an hour of event time.
world_spec random_world(std::uint32_t seed);

} // namespace tocsin::test
