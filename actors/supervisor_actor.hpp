#pragma once

#include "actors/pipeline.hpp"
#include "actors/progress_board.hpp"
#include "actors/protocol.hpp"
#include "actors/sink_actor.hpp"

namespace tocsin::actors {

struct supervisor_setup {
  std::shared_ptr<const pipeline_options> options; ///< with a wall clock and a log
  std::shared_ptr<io::source> source;
  std::function<std::unique_ptr<io::decoder>()> make_decoder;
  std::shared_ptr<sink_parts> sink;
  std::shared_ptr<progress_board> board;
  bool detached = true; ///< source and sink in threads of their own; false in deterministic tests
};

/// Starts the world, watches it, restarts it from its last commit when anything fails, gives up when that cannot help,
/// and ends when the world is done. The end is told by the progress board.
supervisor_actor spawn_supervisor(caf::actor_system& system, supervisor_setup setup);

} // namespace tocsin::actors
