#pragma once

#include "actors/protocol.hpp"

namespace tocsin::actors {

struct counter_setup {
  std::shared_ptr<const world_spec> spec;
  partition_id partition = 0;
  rewind_point start;
  time_ms judged_through = beginning_of_time;
  std::vector<journal_entry> journal; ///< this partition's, to obey
  coordinator_actor coordinator;
};

/// Puts a partition's batches back in order, counts them and tells the coordinator what closed. Never fails.
counter_actor spawn_counter(caf::local_actor* host, counter_setup setup);

} // namespace tocsin::actors
