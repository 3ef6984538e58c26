#pragma once

#include "detectors/judging/alarm_budget.hpp"
#include "detectors/judging/detector.hpp"
#include "detectors/judging/slab.hpp"
#include "detectors/judging/volume_drop/key_state.hpp"

#include <tsl/robin_map.h>

#include <string>
#include <utility>
#include <vector>

namespace tocsin::volume_drop {

/// Detector `volume_drop`: opens when the evidence that a key has fewer events than it should have reaches 1, closes
/// when the volume is back, or has stayed away so long that it is accepted as normal. docs/detectors.md explains it.
///
/// A key is looked at in ticks with events and when its reminder is due. It then first scores the silent ticks since
/// the last look, tick by tick, with what was known then; then hours that have passed are learned; then the tick at
/// hand is judged. A key that is watched always has one reminder, at most an hour ahead, and never behind the first
/// tick at which silence alone could bring its evidence to 1. Other reminders of it mean nothing. The pooled tail has
/// no volume of its own (what it counts depends on who was evicted) and is not watched.
class detector final : public tocsin::detector {
public:
  detector(const monitor_spec& monitor, const volume_drop_spec& settings, const keyed_state& keys);

  void resize(std::size_t slots) override;
  void advance(const closed_tick& tick) override;
  void step(const closed_tick& tick, const std::vector<key_slot>& reminded, judge& out) override;
  void forget(const std::vector<bool>& slots) override;
  void absorb(key_slot, key_slot, judge&) override {}
  bool accept(key_slot slot, double rate, judge& out) override;
  bool accept_calm(key_slot slot, const incident_counts& seen) override;
  /// Expected events an hour.
  void withdraw(key_slot slot) override { open_.erase(slot); }
  double expected_rate(key_slot slot) const override;
  double expected_events(key_slot slot) const override;
  std::string closes_when(key_slot slot) const override;
  std::vector<std::pair<std::string, std::string>> explain(key_slot slot) const override;
  void save(key_slot slot, state_writer& out) const override;
  bool load(key_slot slot, state_reader& in) override;
  void save_changed_pages(const page_writer&) override {}
  bool load_page(std::int64_t, state_reader&) override { return false; }
  bool loaded(tick_index last_tick, judge& out) override;
  std::size_t memory_bytes() const override;

private:
  void welcome(key_slot slot, tick_index when);
  full_state* full_of(key_slot slot);
  alarm_budget& budget_of(key_slot slot) { return budgets_[keys_of_[(*keys_)[slot].root].scope]; }
  const alarm_budget& budget_of(key_slot slot) const { return budgets_[keys_of_[(*keys_)[slot].root].scope]; }
  double alarms_a_tick(key_slot slot, const full_state& full) const;
  season_position place_in_week(tick_index tick) const;
  volume_forecast forecast_of(const full_state& full, tick_index tick) const;
  bool is_judged(const volume_forecast& forecast) const;

  // What has passed since the last look: silence is scored, then hours are learned.
  void catch_up(key_slot slot);
  void turn_hour(key_slot slot);
  void learn(key_slot slot, full_state& full, std::int32_t hour, double events);
  void begin_watch(key_slot slot, full_state& full);

  // The tick at hand.
  void look(key_slot slot, std::int64_t count, judge& out);
  void score(key_slot slot, full_state& full, tick_index tick, std::int64_t count, double mass);
  void follow_open(full_state& full, open_drop& open, tick_index tick, std::int64_t count);
  void raise(key_slot slot, full_state& full, judge& out);
  void judge_open(key_slot slot, full_state& full, const open_drop& open, judge& out);
  void close(key_slot slot, full_state& full, const open_drop& open, bool is_back, judge& out);
  void remind(key_slot slot, full_state& full, judge& out);
  tick_index next_look(key_slot slot, const full_state& full) const;

  const monitor_spec* monitor_;
  volume_drop_spec settings_;
  const keyed_state* keys_;
  double ticks_a_day_;
  double tick_hours_;
  double hour_hours_;        ///< length of an hour of learning, in hours: 1, or a tick where that is longer
  tick_index ticks_an_hour_; ///< of learning
  double budget_a_tick_;

  std::vector<key_state> keys_of_; ///< by slot
  slab<full_state> fulls_;
  slab<alarm_budget> budgets_;
  tsl::robin_map<key_slot, open_drop> open_;

  tick_index now_ = 0;
  std::int32_t hour_ = 0;
};

} // namespace tocsin::volume_drop
