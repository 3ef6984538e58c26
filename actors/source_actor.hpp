#pragma once

#include "actors/progress_board.hpp"
#include "actors/protocol.hpp"
#include "actors/recycler.hpp"

namespace tocsin::actors {

struct source_setup {
  std::shared_ptr<io::source> source;      ///< outlives its actors, used by one at a time
  std::vector<io::partition_point> starts; ///< by partition
  std::uint64_t incarnation = 0;
  std::size_t block_bytes = 0;
  std::shared_ptr<recycler<io::raw_block>> blocks;
  std::shared_ptr<progress_board> board;
  std::vector<decoder_actor> decoders;
  std::vector<counter_actor> counters; ///< by partition
  sink_actor sink;
  supervisor_actor supervisor;
};

/// Reads each partition from its start as long as it has credit, and hands the blocks to the decoders in turn. The
/// first error is told to the supervisor; nothing is read afterwards.
source_actor spawn_source(caf::local_actor* host, bool detached, source_setup setup);

} // namespace tocsin::actors
