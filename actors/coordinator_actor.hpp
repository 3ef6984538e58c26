#pragma once

#include "actors/pipeline.hpp"
#include "actors/progress_board.hpp"
#include "actors/protocol.hpp"

namespace tocsin::actors {

struct coordinator_setup {
  std::shared_ptr<const pipeline_options> options;
  std::vector<rewind_point> starts; ///< by partition
  time_ms judged_through = beginning_of_time;
  std::vector<action_request> requests; ///< of operators, that waited while nobody ran
  bool keep_rejects = false;            ///< there is a dead-letter sink
  std::shared_ptr<progress_board> board;
  supervisor_actor supervisor;
};

/// The heart of a world: merges what the counters closed, has it judged, orders the alerts, starts commits, lends
/// credit and lets silent partitions go. What may wait here is bounded: closed ticks by credit, requests to shards by
/// a fixed number, commits to one. Begins when it gets its crew; never fails.
coordinator_actor spawn_coordinator(caf::local_actor* host, coordinator_setup setup);

} // namespace tocsin::actors
