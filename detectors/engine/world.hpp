#pragma once

#include "detectors/counting/partition_counter.hpp"
#include "detectors/engine/shard.hpp"
#include "detectors/engine/tick_merger.hpp"
#include "detectors/values/alert.hpp"
#include "detectors/values/journal.hpp"
#include "detectors/values/monitor_spec.hpp"
#include "detectors/values/operator_action.hpp"
#include "detectors/values/state_record.hpp"

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace tocsin {

/// The durable part of a world: what a commit holds and a restart begins with.
struct world_snapshot {
  time_ms judged_through = beginning_of_time;
  std::vector<rewind_point> rewinds;    ///< by partition
  std::vector<journal_entry> journal;   ///< new entries in a commit; all of them in a restart
  std::vector<operator_action> actions; ///< the same, of operators
  std::vector<state_record> state;      ///< changes in a commit; everything in a restart
};

/// The whole engine of one world without actors: count, close, judge, in the calling thread. The reference that the
/// actor pipeline must equal byte for byte, and the engine of tests and tools.
///
/// Usage: for each decoded block `count(batch)`; `finish(p)` at a partition's end; `take_alerts()` after either.
class world {
public:
  world(std::shared_ptr<const world_spec> spec, std::size_t partitions);
  /// Restarts from a snapshot. Damaged state is told by `error()`.
  world(std::shared_ptr<const world_spec> spec, std::size_t partitions, const world_snapshot& from);

  const std::optional<std::string>& error() const { return error_; }
  void count(const event_batch& batch);
  void advance(partition_id partition, time_ms watermark, journal_kind kind);
  void finish(partition_id partition);
  /// An operator's action; it holds from the next tick on.
  void obey(const operator_action& action);
  /// Alert records decided since the last call, in log order.
  std::vector<alert> take_alerts();
  /// Everything that changed since the last call (state, journal) with the rewind points of this moment.
  world_snapshot take_commit();

  time_ms judged_through() const { return merger_.judged_through(); }
  /// How far each partition is.
  const tick_gate& gate() const { return merger_.gate(); }

  /// What is known of a key of a monitor (level byte first); nothing if its whole scope is unknown.
  std::optional<key_explanation> explain(std::uint32_t monitor, std::string_view key) const;
  /// The causes of what a key (level byte first) does since `since`; nothing if its scope is unknown or the monitor
  /// attributes nothing.
  std::optional<attribution_view> attribute(std::uint32_t monitor, std::string_view key, time_ms since) const;
  /// From now on, each tick in which one of these keys of the monitor has events or records is kept, and of no other
  /// key of it; without keys, nothing is. What is not taken yet is lost. Changes no verdict.
  void watch(std::uint32_t monitor, const std::vector<std::string>& keys);
  /// Ticks kept since the last call; those of a key in order.
  std::vector<watched_tick> take_watched();

  const counting_stats& stats() const { return stats_; }
  shard_stats state_stats() const;
  const std::vector<shard>& shards() const { return shards_; }
  std::vector<reject> take_rejects();

private:
  void settle(partition_id partition);
  std::uint32_t owner_of(std::uint32_t monitor, std::string_view key) const;

  std::shared_ptr<const world_spec> spec_;
  std::vector<partition_counter> counters_;
  tick_merger merger_;
  std::vector<shard> shards_;
  std::vector<alert> alerts_;
  std::vector<operator_action> actions_; ///< since the last commit
  std::vector<reject> rejects_;
  counting_stats stats_;
  std::optional<std::string> error_;
  std::vector<std::vector<std::uint32_t>> watched_; ///< by monitor: the shards that watch keys of it
};

} // namespace tocsin
