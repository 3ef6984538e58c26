#pragma once

#include "actors/protocol.hpp"

namespace tocsin::actors {

struct shard_setup {
  std::shared_ptr<const world_spec> spec;
  std::vector<std::uint32_t> numbers;    ///< the logical shards it owns
  std::vector<state_record> state;       ///< of these shards
  std::vector<operator_action> actions;  ///< all that operators have told so far
  std::optional<time_ms> judged_through; ///< absent: nothing was ever judged
  coordinator_actor coordinator;
  supervisor_actor supervisor;
};

/// Owns some of the logical shards and judges closed ticks. Damaged state is told to the supervisor as a fatal error.
shard_actor spawn_shard(caf::local_actor* host, shard_setup setup);

} // namespace tocsin::actors
