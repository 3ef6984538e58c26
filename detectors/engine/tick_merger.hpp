#pragma once

#include "detectors/counting/partition_counter.hpp"
#include "detectors/counting/tick_slice.hpp"
#include "detectors/engine/tick_gate.hpp"
#include "detectors/values/journal.hpp"

#include <vector>

namespace tocsin {

/// Where a commit may restart each partition, and the journal it must carry.
struct restart_points {
  std::vector<rewind_point> rewinds;  ///< by partition
  std::vector<journal_entry> journal; ///< new since the last call
};

/// Collects what the counters of a world closed and hands out ranges of ticks that all of them have closed; remembers
/// for each partition from where unjudged ticks can be counted again. Pure bookkeeping, owned by the world's
/// coordinator or a `world`.
class tick_merger {
public:
  /// `judged_through` and `starts`: of the commit that the world restarts from. `base_tick`: every tick length is a
  /// multiple of it.
  tick_merger(std::vector<rewind_point> starts, time_ms judged_through, time_ms base_tick);

  void add(counted&& news);
  /// True when next() would give something new to judge.
  bool has_next() const;
  /// All ticks closed since the last call, in judging order.
  closed_range next();
  /// Rewind points and new journal entries for a commit of everything up to the last range given by next().
  restart_points take_restart_points();

  const tick_gate& gate() const { return gate_; }
  time_ms judged_through() const { return judged_through_; }
  /// Closed slices that wait for slower partitions.
  std::size_t waiting() const { return waiting_.size(); }

private:
  time_ms closable() const;

  struct partition_state {
    rewind_point open; ///< rewind for what is still open in the counter
    stream_offset next_offset = 0;
    time_ms watermark = beginning_of_time;
  };
  tick_gate gate_;
  time_ms judged_through_;
  time_ms base_tick_;
  std::vector<tick_slice_ptr> waiting_;
  std::vector<partition_state> partitions_;
  std::vector<journal_entry> journal_;
};

} // namespace tocsin
