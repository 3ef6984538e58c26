#pragma once

#include "detectors/values/event_batch.hpp"
#include "detectors/values/time.hpp"

#include <vector>

namespace tocsin {

/// Decides up to when a merged world is closed, and which partitions run too far ahead. Pure; owned by the world's
/// coordinator or a `world`.
class tick_gate {
public:
  explicit tick_gate(std::size_t partitions);

  /// A partition's watermark rose, or it ended with `last_tick_end` as the end of its last tick.
  void update(partition_id partition, time_ms watermark, bool ended, time_ms last_tick_end);

  /// Every tick that ends at or before this is closed in all partitions. When all have ended: the end of the last tick.
  time_ms frontier() const;
  /// True while the partition is not more than `lead` ahead of the slowest one that has not ended. The slowest always
  /// may.
  bool may_read(partition_id partition, time_ms lead) const;
  bool all_ended() const;
  bool ended(partition_id partition) const { return partitions_[partition].ended; }
  time_ms watermark(partition_id partition) const { return partitions_[partition].watermark; }

private:
  struct partition_state {
    time_ms watermark = beginning_of_time;
    bool ended = false;
    time_ms last_tick_end = beginning_of_time;
  };
  time_ms slowest() const;
  std::vector<partition_state> partitions_;
};

} // namespace tocsin
