#pragma once

#include "actors/protocol.hpp"
#include "io/alert_sink.hpp"
#include "io/reject_sink.hpp"
#include "io/state_store.hpp"

namespace tocsin::actors {

/// What the sink writes to; outlives its actors, used by one at a time.
struct sink_parts {
  std::unique_ptr<io::state_store> store;
  std::unique_ptr<io::alert_sink> alerts;
  std::unique_ptr<io::reject_sink> rejects; ///< may be absent
};

struct sink_setup {
  std::shared_ptr<sink_parts> parts;
  io::state_identity identity;
  supervisor_actor supervisor;
};

/// Makes commits durable, then visible. The first error is told to the supervisor; afterwards nothing is written any
/// more, because a later commit must not overtake a failed one.
sink_actor spawn_sink(caf::local_actor* host, bool detached, sink_setup setup);

} // namespace tocsin::actors
