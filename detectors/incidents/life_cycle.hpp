#pragma once

#include "detectors/incidents/cause_finder.hpp"
#include "detectors/incidents/incident.hpp"
#include "detectors/judging/detector.hpp"
#include "detectors/judging/keyed_state.hpp"
#include "detectors/values/alert.hpp"
#include "detectors/values/monitor_spec.hpp"

#include <tsl/robin_map.h>

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace tocsin {

/// Turns the verdicts of one detector into few, stable incidents and writes their records: open (behind the gates),
/// update, resolve, expire. See docs/alerts.md. One per detector of a monitor in a shard; owned by a monitor_shard; not
/// thread-safe; total.
///
/// In each tick: begin_tick, then verdicts and reminders, then end_tick.
class life_cycle {
public:
  using source_offsets = std::vector<std::pair<partition_id, stream_offset>>;

  life_cycle(const world_spec& world, std::uint32_t monitor, std::uint32_t detector, keyed_state& keys);

  /// Adds the tick's counts to the open incidents.
  void begin_tick(const closed_tick& tick, const detector& judging, const source_offsets& offsets,
                  std::vector<alert>& out);
  void hear(const verdict& what, const detector& judging);
  /// Adds counts to the key's open incident, if there is one.
  void count(const key_counts& counts, const detector& judging);
  /// A reminder asked for through `remind` is due.
  void reminded(key_slot slot);
  /// Tells what is worth telling of the open incidents that changed.
  void end_tick(const detector& judging);
  /// The key had no events for too long: its open incident ends.
  void expire(key_slot slot, const detector& judging);

  const incident* open_incident(key_slot slot) const;
  std::size_t open_count() const { return open_.size(); }
  /// Puts back the open incident of a key.
  void restore(key_slot slot, incident&& open);
  /// `remind(tick, slot)` is called for each open incident, after restoring and whenever a record is written.
  void on_remind(std::function<void(tick_index, key_slot)> remind) { remind_ = std::move(remind); }
  /// Who is asked for causes; nobody at first. Must outlive this.
  void attribute_by(const cause_finder& finder) { finder_ = &finder; }
  /// After restoring; `last_tick` was judged last. False if an incident cannot have been open then.
  bool remind_all(tick_index last_tick);

private:
  void follow(incident& what, key_slot slot, const detector& judging) const;
  double hours_since_onset(const incident& what) const;
  double excess_per_hour(const incident& what) const;
  severity severity_of(const incident& what) const;
  bool passes_gates(const verdict& what) const;
  void measure(alert& record, const incident& what, const verdict* closing) const;
  void measure_volume(alert& record, const incident& what, const verdict* closing) const;
  void open(const verdict& what, const detector& judging);
  void refresh_severity(incident& what);
  bool is_look_due(const incident& what) const;
  /// Looks for the causes of an incident; true if they have changed.
  bool attribute(incident& what, key_slot slot) const;
  void remind_of_looks(const incident& what, key_slot slot, tick_index after) const;
  bool is_news(const incident& what) const;
  void tell(key_slot slot, incident& what, alert_kind kind, alert_status status, const detector& judging,
            const verdict* closing);
  void close(key_slot slot, alert_kind kind, const detector& judging, const verdict* closing);

  const world_spec* world_;
  const monitor_spec* monitor_;
  std::uint32_t monitor_index_;
  std::uint32_t detector_index_;
  measurement measures_;
  keyed_state* keys_;
  tick_index update_ticks_;
  tsl::robin_map<key_slot, incident> open_;
  std::function<void(tick_index, key_slot)> remind_;
  const cause_finder* finder_ = nullptr;
  // The tick at hand.
  tick_index tick_ = 0;
  time_ms tick_end_ = 0;
  const source_offsets* offsets_ = nullptr;
  std::vector<alert>* out_ = nullptr;
  std::vector<key_slot> touched_;
};

} // namespace tocsin
