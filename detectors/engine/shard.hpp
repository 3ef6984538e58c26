#pragma once

#include "detectors/counting/tick_slice.hpp"
#include "detectors/engine/inspection.hpp"
#include "detectors/incidents/incident_groups.hpp"
#include "detectors/values/alert.hpp"
#include "detectors/values/monitor_spec.hpp"
#include "detectors/values/operator_action.hpp"
#include "detectors/values/state_record.hpp"

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace tocsin {

class monitor_shard;

/// Numbers about a shard's state, for metrics and summaries.
struct shard_stats {
  std::uint64_t keys = 0;
  std::uint64_t open_incidents = 0;
  std::uint64_t open_in_shadow = 0; ///< of them, those of detectors in shadow
  std::uint64_t keys_created = 0;
  std::uint64_t keys_evicted = 0;
  std::uint64_t keys_expired = 0;
  std::uint64_t leaves = 0; ///< leaf keys whose past is kept
  std::uint64_t judged = 0; ///< (key, tick) pairs judged
  std::uint64_t memory_bytes = 0;

  void add(const shard_stats& other);
};

/// One key of a shard as a person may see it.
struct key_view {
  std::string monitor;
  std::vector<dimension_value> key; ///< scope first
  std::vector<std::string> level;
  time_ms last_seen = 0;                                  ///< end of the last tick with events
  std::vector<std::pair<std::string, std::string>> open;  ///< detector, id: of each open incident
  std::vector<std::pair<std::string, std::string>> facts; ///< name, value: what each detector and open incident holds
};

/// One of the 64 logical shards of a world: the keyed state and the incidents of every monitor for the scope values
/// that hash here. Judges closed ticks; what it alerts is a function of the slices alone.
///
/// Owned by one shard actor (which may own several) or by a `world`; not thread-safe. restore() reports damage; judging
/// never fails.
class shard {
public:
  shard(std::shared_ptr<const world_spec> spec, std::uint32_t number);
  ~shard();
  shard(shard&&) noexcept;
  shard& operator=(shard&&) noexcept;

  std::uint32_t number() const { return number_; }
  /// Actions of operators: all of the journal when it begins (restored or new), later each one before the first range
  /// it holds for. Those of other monitors' names mean nothing.
  void obey(const std::vector<operator_action>& actions);
  /// Judges every tick of the range, and whatever is due without events: by end of tick, then monitor, so that nothing
  /// depends on how time is cut into ranges. Appends alerts (unsorted).
  void judge(const closed_range& range, std::vector<alert>& out);
  /// Appends what changed since the last call; applying all changes to an empty store gives the shard's state.
  void take_changes(std::vector<state_record>& out);

  /// Restoring: records in any order into a new shard, then finish_restore. Returns what is wrong with a damaged,
  /// foreign or newer record.
  std::optional<std::string> restore(const state_record& record);
  std::optional<std::string> finish_restore(time_ms judged_through);
  /// The shard that a record belongs to; nothing if its key is malformed.
  static std::optional<std::uint32_t> owner_of(const state_record& record);

  shard_stats stats() const;
  void for_each_key(const std::function<void(const key_view&)>& visit) const;
  /// What is known of a key of a monitor (level byte first): its expectation, evidence, gates, time to detect. A key
  /// that was never seen tells what it would inherit; nothing if its whole scope is unknown.
  std::optional<key_explanation> explain(std::uint32_t monitor, std::string_view key) const;
  /// The causes of what a key does since `since`, from all of its leaf cells; nothing if its scope is unknown or the
  /// monitor attributes nothing.
  std::optional<attribution_view> attribute(std::uint32_t monitor, std::string_view key, time_ms since) const;
  /// From now on, each tick in which one of these keys has events or records is kept for take_watched(). Changes no
  /// verdict.
  void watch(std::uint32_t monitor, std::vector<std::string> keys);
  std::vector<watched_tick> take_watched(std::uint32_t monitor);

private:
  void join_groups();
  std::optional<time_ms> next_end() const;

  std::shared_ptr<const world_spec> spec_;
  std::uint32_t number_;
  std::vector<std::unique_ptr<monitor_shard>> monitors_;
  std::vector<incident_groups> groups_; ///< one for each scope that monitors share
};

} // namespace tocsin
