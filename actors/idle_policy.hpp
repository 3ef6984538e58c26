#pragma once

#include "detectors/engine/tick_gate.hpp"
#include "detectors/values/event_batch.hpp"
#include "detectors/values/time.hpp"

#include <optional>
#include <vector>

namespace tocsin::actors {

/// Lets go of silent partitions of a followed stream: one that is at its end and got no record for `idle_timeout` is
/// advanced to the lowest watermark of the others or, if all are silent, to wall clock - idle_timeout - lateness.
/// Never backward, and only when that closes a tick: at most one journal entry a tick and partition.
///
/// A value, owned by the world's coordinator. `now` and `since` are a monotonic clock, `wall` is the wall clock, all in
/// milliseconds.
class idle_policy {
public:
  struct settings {
    time_ms idle_timeout = 30 * second_ms;
    time_ms lateness = 5 * second_ms; ///< with settle
    time_ms tick = 10 * second_ms;    ///< the shortest tick of the world
  };
  struct advance {
    partition_id partition = 0;
    time_ms watermark = 0;
  };

  idle_policy(std::size_t partitions, settings numbers);

  /// The partition gave a record.
  void active(partition_id partition) { partitions_[partition].silent_since.reset(); }
  /// The partition is at its present end; its last record was read at `since`.
  void silent(partition_id partition, time_ms since) { partitions_[partition].silent_since = since; }
  /// What to advance now. Answers are remembered: the same advance is not given twice.
  std::vector<advance> due(const tick_gate& gate, time_ms now, time_ms wall);

private:
  struct state {
    std::optional<time_ms> silent_since;
    time_ms advanced_to = beginning_of_time;
  };
  bool let_go(partition_id partition, time_ms now) const;

  settings numbers_;
  std::vector<state> partitions_;
};

} // namespace tocsin::actors
