#pragma once

#include "detectors/incidents/cause_finder.hpp"
#include "detectors/incidents/incident.hpp"
#include "detectors/incidents/late_ledger.hpp"
#include "detectors/judging/detector.hpp"
#include "detectors/judging/keyed_state.hpp"
#include "detectors/values/alert.hpp"
#include "detectors/values/monitor_spec.hpp"

#include <tsl/robin_map.h>
#include <tsl/robin_set.h>

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace tocsin {

/// Turns the verdicts of one detector into few, stable incidents and writes their records: open (behind the gates),
/// update, resolve, expire, rebase, retract. See docs/alerts.md. One per detector of a monitor in a shard; owned by a
/// monitor_shard; not thread-safe; total.
///
/// In each tick: begin_tick, then verdicts and reminders, then end_tick. Alarms that wait for others of their cause are
/// opened by incident_groups once all monitors have judged the ticks that end at the same time.
class life_cycle {
public:
  using source_offsets = std::vector<std::pair<partition_id, stream_offset>>;

  life_cycle(const world_spec& world, std::uint32_t monitor, std::uint32_t detector, keyed_state& keys,
             const late_ledger& late);

  /// Adds the tick's counts to the open incidents.
  void begin_tick(const closed_tick& tick, const detector& judging, const source_offsets& offsets,
                  std::vector<alert>& out);
  void hear(const verdict& what, const detector& judging);
  /// Adds counts to the key's open incident, if there is one.
  void count(const key_counts& counts, const detector& judging);
  /// A reminder asked for through `remind` is due.
  void reminded(key_slot slot);
  /// Tells what is worth telling of the open incidents that changed. Withdraws from the detector what late events have
  /// shown to be no incident.
  void end_tick(detector& judging);
  /// An operator has accepted the calm incident of a key: it closes at once.
  void accept_calm(key_slot slot, const detector& judging);
  /// The key had no events for too long: its open incident ends.
  void expire(key_slot slot, const detector& judging);
  /// These slots (marked true) hold other keys from now on; none of their incidents is open.
  void forget(const std::vector<bool>& slots);

  // ---- Grouping.

  measurement measures() const { return measures_; }
  /// Keys whose alarm waits to be opened, in no order.
  const tsl::robin_set<key_slot>& waiting() const { return waiting_; }
  /// True if the detector took the waiting key's alarm back in this tick.
  bool has_ended(key_slot slot) const { return ended_.find(slot) != ended_.end(); }
  /// What has been counted since the onset still passes the gates.
  bool is_convincing(const incident& what) const;
  /// A waiting alarm is over before it was told, and what came after it has shown it to be nothing.
  void drop(key_slot slot);
  /// Excess failures since the onset (volumes: events missing).
  double excess_of(const incident& what) const;
  /// True if an incident of the scope with this root is not closed.
  bool is_troubled(key_slot root) const { return alive_.find(root) != alive_.end(); }
  /// `visit(slot, incident)` for all of the scope that are not closed, in no order.
  template <class Visit>
  void for_each_alive(key_slot root, const Visit& visit) const {
    if (const auto scope = alive_.find(root); scope != alive_.end())
      for (const auto slot : scope->second)
        visit(slot, open_.find(slot)->second);
  }
  /// Opens what waits: as a child of `parent`, or as a page that has these children.
  struct opened_child {
    std::string id;        ///< may be that of an earlier excursion
    bool is_again = false; ///< the parent has it among its children already
  };
  opened_child open_as_child(key_slot slot, const std::string& parent, const detector& judging);
  void open_as_page(key_slot slot, const std::vector<std::string>& children, const detector& judging);
  /// An open incident explains another one; it is told when the next tick after `end` closes.
  void adopt(key_slot slot, const std::string& child, time_ms end);
  /// Pages with children that turned out to be none: root of the scope, id. Each is returned once.
  std::vector<std::pair<key_slot, std::string>> take_refuted_pages() { return std::exchange(refuted_pages_, {}); }
  /// An open child whose page turned out to be none becomes a page; that is told when the next tick after `end` closes.
  void promote(key_slot slot, time_ms end);
  /// ... or the child of another page.
  void move_under(key_slot slot, const std::string& parent);

  // ---- Looking in, and state.

  /// The key's incident that is open (or about to be), for people; nullptr if there is none.
  const incident* open_incident(key_slot slot) const;
  /// True while the detector has raised an alarm that it has not taken back.
  bool is_ongoing(key_slot slot) const;
  /// Also what is only remembered.
  const incident* held(key_slot slot) const;
  std::size_t open_count() const { return alive_count_; }
  /// Puts back what was held of a key.
  void restore(key_slot slot, incident&& held);
  /// `remind(tick, slot)` is called for each open incident, after restoring and whenever a record is written.
  void on_remind(std::function<void(tick_index, key_slot)> remind) { remind_ = std::move(remind); }
  /// Who is asked for causes; nobody at first. Must outlive this.
  void attribute_by(const cause_finder& finder) { finder_ = &finder; }
  /// Who is asked for error types; nobody at first. Must outlive this.
  void name_types_by(const type_finder& finder) { types_ = &finder; }
  /// After restoring; `last_tick` was judged last. False if an incident cannot have been open then.
  bool remind_all(tick_index last_tick);

private:
  /// Late events of a tick that belong into an open incident.
  struct correction {
    key_slot slot = no_slot;
    std::int64_t total = 0;
    std::int64_t failed = 0;
  };

  bool groups() const;
  void correct(const closed_tick& tick);
  verdict corrected(const verdict& what) const;
  void follow(incident& what, key_slot slot, const detector& judging) const;
  double hours_since_onset(const incident& what) const;
  double excess_per_hour(const incident& what) const;
  severity severity_of(const incident& what) const;
  bool passes_gates(const verdict& what) const;
  bool pass_gates(std::int64_t total, std::int64_t failed, std::int64_t capped, double baseline, double expected) const;
  void measure(alert& record, const incident& what, const closing_counts* closing) const;
  void measure_volume(alert& record, const incident& what, const closing_counts* closing) const;
  incident excursion_of(const verdict& what) const;
  void raise(const verdict& what, const detector& judging);
  void go_on(incident& held, incident&& excursion) const;
  void open(key_slot slot, incident& what, alert_kind kind, const detector& judging);
  incident& stop_waiting(key_slot slot);
  void enter(key_slot slot);
  void leave(key_slot slot);
  void end(key_slot slot, const verdict& what, const detector& judging);
  void end_if_over(key_slot slot, const detector& judging);
  tick_index calm_ticks(const incident& what) const;
  bool is_due(const incident& what) const;
  void in_order_of_onset(std::vector<key_slot>& slots) const;
  void refresh(key_slot slot, incident& what, detector& judging);
  void refresh_severity(incident& what) const;
  bool attributes() const { return finder_ != nullptr && measures_ == measurement::error_rate; }
  bool is_look_due(const incident& what) const;
  /// Looks for the causes of an incident; true if they have changed.
  bool attribute(incident& what, key_slot slot) const;
  bool names_types() const { return types_ != nullptr && measures_ == measurement::error_rate; }
  /// Looks for the error types of an incident; true if they have changed.
  bool name_types(incident& what, key_slot slot) const;
  bool looks() const { return attributes() || names_types(); }
  bool look_again(incident& what, key_slot slot) const;
  bool is_news(const incident& what) const;
  void look_for_new_normal(incident& what);
  bool is_refuted(key_slot slot, const incident& what) const;
  void tell(key_slot slot, incident& what, alert_kind kind, alert_status status, const detector& judging,
            const closing_counts* closing);
  void close(key_slot slot, alert_kind kind, const detector& judging, const closing_counts* closing);
  void remind(const incident& what, key_slot slot) const;
  bool can_have_been(const incident& what, tick_index last_tick) const;

  const world_spec* world_;
  const monitor_spec* monitor_;
  std::uint32_t monitor_index_;
  std::uint32_t detector_index_;
  measurement measures_;
  keyed_state* keys_;
  const late_ledger* late_;
  tick_index update_ticks_;
  tick_index reopen_ticks_;
  tick_index look_ticks_; ///< how long a rate is looked at; two stretches make a stable one
  tsl::robin_map<key_slot, incident> open_;
  /// By root of their scope: those that are not closed. Whoever asks for a scope must not look at all others.
  tsl::robin_map<key_slot, tsl::robin_set<key_slot>> alive_;
  std::size_t alive_count_ = 0;
  tsl::robin_set<key_slot> waiting_;
  std::function<void(tick_index, key_slot)> remind_;
  const cause_finder* finder_ = nullptr;
  const type_finder* types_ = nullptr;
  // The tick at hand.
  tick_index tick_ = 0;
  time_ms tick_end_ = 0;
  const source_offsets* offsets_ = nullptr;
  std::vector<alert>* out_ = nullptr;
  std::vector<key_slot> touched_;
  std::vector<correction> corrections_;     ///< sorted by slot
  tsl::robin_map<key_slot, verdict> ended_; ///< of those that wait
  std::vector<std::pair<key_slot, std::string>> refuted_pages_;
};

} // namespace tocsin
