#pragma once

#include "detectors/counting/tick_slice.hpp"
#include "detectors/engine/inspection.hpp"
#include "detectors/engine/shard.hpp"
#include "detectors/incidents/incident_groups.hpp"
#include "detectors/incidents/late_ledger.hpp"
#include "detectors/incidents/leaf_history.hpp"
#include "detectors/incidents/life_cycle.hpp"
#include "detectors/incidents/type_history.hpp"
#include "detectors/judging/detector.hpp"
#include "detectors/judging/effective_counts.hpp"
#include "detectors/judging/exclusions.hpp"
#include "detectors/judging/keyed_state.hpp"
#include "detectors/judging/roll_up.hpp"
#include "detectors/judging/timer_wheel.hpp"
#include "detectors/values/alert.hpp"
#include "detectors/values/operator_action.hpp"

#include <cstdint>
#include <functional>
#include <limits>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace tocsin {

/// One monitor in one shard: its keys, detectors, incidents and timers. For each closed tick: roll up, judge
/// (detectors), decide (life cycles), then let go what is too old or too much. Owned by a shard.
class monitor_shard final : private judge {
public:
  monitor_shard(const world_spec& world, std::uint32_t monitor, std::uint32_t shard);

  /// An action of an operator, before the first tick is judged that it holds for; one whose tick is judged already has
  /// been made. After restoring.
  void obey(const operator_action& action);
  /// The ticks of this monitor that the range closes are judged one by one, by run_next().
  void begin(const closed_range& range);
  /// End of the next tick of the range that has counts, or at which something is due without.
  std::optional<time_ms> next_end() const;
  /// Judges that tick.
  void run_next(std::vector<alert>& out);
  /// The tick that was judged last is settled with the other monitors of its scope.
  void settled(const std::vector<alert>& out);
  /// The detectors whose incidents people are told of.
  std::vector<incident_groups::participant> participants();
  void take_changes(std::vector<state_record>& out);

  /// `rest`: the record's key behind shard and monitor number.
  std::optional<std::string> restore(char kind, std::string_view rest, const std::string& bytes);
  std::optional<std::string> finish_restore(time_ms judged_through);

  shard_stats stats() const;
  void for_each_key(const std::function<void(const key_view&)>& visit) const;

  /// What is known of a key (level byte first); nothing if its whole scope is unknown.
  std::optional<key_explanation> explain(std::string_view key) const;
  /// The causes of what a key (level byte first) does since `since`; nothing if its scope is unknown.
  std::optional<attribution_view> attribute(std::string_view key, time_ms since) const;
  /// From now on, how these keys are judged is kept for take_watched().
  void watch(std::vector<std::string> keys);
  std::vector<watched_tick> take_watched();

private:
  struct detector_and_incidents {
    std::unique_ptr<detector> by;
    life_cycle incidents;
    std::vector<key_slot> reminded;          ///< for the detector
    std::vector<key_slot> incident_reminded; ///< for the life cycle
  };

  bool say(verdict&& what) override;
  void counted(const key_counts& counts) override;
  key_slot type_key(key_slot root, std::string_view type) override;
  void changed(key_slot slot) override { keys_.mark_changed(slot); }
  void remind(tick_index tick, key_slot slot) override;
  bool is_open(key_slot slot) const override { return judgings_[current_].incidents.is_ongoing(slot); }

  /// Keys of error types belong to incidents alone: no detector has a column of them.
  bool is_of_type(key_slot slot) const { return keys_[slot].level == type_level_of(*monitor_); }

  /// An operator's acceptance that is still to be made.
  struct acceptance {
    tick_index tick = 0;
    std::optional<key_matcher> key;
    std::string incident; ///< its id; if empty, the key counts
  };
  void take_as_normal(tick_index tick);
  void take_as_normal(const acceptance& what, key_slot slot);
  bool accept(key_slot slot, const incident& open);

  /// A verdict that asked for an incident of a key.
  struct asked_verdict {
    std::size_t detector = 0;
    key_slot slot = no_slot;
    bool gated = true;
    gate_view gates;
  };
  struct watch_state {
    std::vector<std::string> keys;
    std::vector<asked_verdict> asked; ///< in the tick at hand
    std::vector<watched_tick> seen;
  };

  key_explanation identity_of(std::string_view key) const;
  gate_view gates_of(std::int64_t total, std::int64_t failed, std::int64_t capped, double baseline,
                     double expected) const;
  detector_view view_of(std::size_t detector, std::string_view key, const explanation* seen) const;
  void begin_watching();
  void note_verdict(const verdict& what);
  bool is_news_of(const std::string& key, std::optional<key_slot> slot, const std::vector<alert>& out,
                  std::size_t first_alert) const;
  void note_tick(const closed_tick& tick, const std::vector<alert>& out, std::size_t first_alert);
  watched_judgement judgement_of(std::size_t detector, std::string_view key, std::optional<key_slot> slot) const;

  /// Where the failures of a scope are, as far as leaf cells are kept.
  const cause_finder* causes() const { return leaves_.get(); }
  std::optional<tick_index> next_due() const;
  std::optional<tick_index> next_tick() const;
  void run_tick(tick_index tick, const tick_slice* const* slices, std::size_t count, std::vector<alert>& out);
  void fire(const timer& due);
  template <class Do>
  void for_each_past(const Do& what);
  void count_leaves(tick_index tick, const tick_slice* const* slices, std::size_t count);
  /// An incident about failures is open in a scope, of a detector that is not on trial.
  bool is_troubled(std::string_view scope) const;
  void note_ends(const std::vector<alert>& out, std::size_t first_alert);
  void make_room();
  void welcome(key_slot slot);
  void expire_keys(tick_index tick);
  void evict_keys();
  void let_go(const std::vector<key_slot>& slots);
  key_slot pooled_tail(key_slot slot);
  std::optional<std::string> restore_key(std::string_view key, const std::string& bytes);
  std::string record_key(char kind, std::string_view rest) const;
  std::string encode_key(key_slot slot) const;

  const world_spec* world_;
  const monitor_spec* monitor_;
  std::uint32_t monitor_index_;
  std::uint32_t shard_;
  tick_index expire_ticks_;
  keyed_state keys_;
  exclusions left_out_;
  roll_up roll_up_;
  late_ledger late_;
  timer_wheel wheel_;
  effective_counts effective_; ///< used where the monitor has rates without denominators
  closed_tick scaled_;
  std::vector<const tick_slice*> slices_; ///< of the range at hand
  std::size_t next_slice_ = 0;
  tick_index tick_ = 0;                                           ///< at hand
  const closed_tick* judged_ = nullptr;                           ///< last
  std::size_t first_alert_ = 0;                                   ///< of that tick
  tick_index last_tick_ = std::numeric_limits<tick_index>::min(); ///< that the last range closed
  life_cycle::source_offsets offsets_;                            ///< of the tick at hand
  std::vector<detector_and_incidents> judgings_;
  std::size_t current_ = 0; ///< the judging that speaks
  std::vector<acceptance> acceptances_;
  std::unique_ptr<leaf_history> leaves_; ///< absent where nothing is attributed
  std::unique_ptr<type_history> types_;  ///< absent where nothing names error types
  std::vector<key_slot> due_for_expiry_;
  std::vector<tick_index> expiry_due_; ///< by slot: when its expiry timer is due
  shard_stats stats_;
  std::unique_ptr<watch_state> watch_; ///< absent while nobody watches
};

} // namespace tocsin
