#pragma once

#include "io/config/config.hpp"

#include <cstdint>
#include <string>
#include <vector>

namespace tocsin::io {

/// One part of the memory that a configuration may come to need.
struct memory_share {
  std::string what; ///< for example `playback-failures: keys`
  std::uint64_t bytes = 0;
};

/// What the process may come to hold when every capacity is full, part by part. An upper estimate, not a reservation:
/// memory is taken as keys appear. Per monitor:
/// - keys: max_keys * (512 bytes of incident, life cycle and table + key text + the state of each detector: 96 bytes
///   and what its kind needs; threshold and burn_rate keep 40 bytes for each bucket of their windows, for keys that are
///   active all the time, z_score 176 bytes, sr_mixture 192 bytes and 576 more for a full key, as which all count);
/// - scopes: max_scopes * (512 bytes + key text + the moving rate of each count_bucket, 40 bytes a bucket, + 2560 bytes
///   for each sr_mixture);
/// - leaf cells: max_leaf_cells * (cell, index entry, key text) for each tick that allowed_lateness and settle hold
///   open, the newest and the one that is being judged, for each partition;
/// - leaves' past: max_leaves * (192 bytes + key text + 205 buckets of 16 bytes, for leaves that are active all the
///   time; and 704 bytes while a tick brings as many new leaves);
/// - roll-up: the cells of one tick, summed up the levels.
/// Beside them: input buffers (8 MiB of credit a partition, raw and decoded), the process with its queues, and what a
/// commit gathers. Partitions are the configured files; `replay` with more inputs needs more.
/// No sum overflows: absurd capacities end at 2^53 bytes a part.
std::vector<memory_share> memory_estimate(const config& built);

/// The sum of all parts, at most 2^63.
std::uint64_t total_of(const std::vector<memory_share>& shares);

} // namespace tocsin::io
