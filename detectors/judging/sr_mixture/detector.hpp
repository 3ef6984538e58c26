#pragma once

#include "detectors/judging/detector.hpp"
#include "detectors/judging/error_types/type_watch.hpp"
#include "detectors/judging/slab.hpp"
#include "detectors/judging/sr_mixture/key_state.hpp"
#include "detectors/judging/sr_mixture/scope_state.hpp"
#include "detectors/judging/window_pages.hpp"
#include "models/hourly_learning.hpp"
#include "models/resolve_test.hpp"
#include "models/sliding_window.hpp"

#include <tsl/robin_map.h>

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace tocsin::sr_mixture {

/// Detector `sr_mixture`: opens when the evidence that a key's failure rate has risen above its guarded baseline
/// reaches 1, where the false-alarm budget of the scope decides how slowly evidence may start; closes by the resolve
/// test, or when the new rate has lasted so long that it is accepted as normal. docs/detection.md explains it.
///
/// A closed tick goes through the keys level by level, parents first, because a key inherits what its parent expects.
class detector final : public tocsin::detector {
public:
  detector(const monitor_spec& monitor, const sr_mixture_spec& settings, const keyed_state& keys);

  void resize(std::size_t slots) override;
  void advance(const closed_tick& tick) override;
  void step(const closed_tick& tick, const std::vector<key_slot>& reminded, judge& out) override;
  void forget(const std::vector<bool>& slots) override;
  void absorb(key_slot from, key_slot into, judge& out) override;
  void withdraw(key_slot slot) override;
  bool accept(key_slot slot, double rate, judge& out) override;
  bool accept_calm(key_slot slot, const incident_counts& seen) override;
  double expected_rate(key_slot slot) const override;
  std::string closes_when(key_slot slot) const override;
  std::vector<std::pair<std::string, std::string>> explain(key_slot slot) const override;
  std::optional<explanation> explain_key(std::string_view key) const override;
  void watch(const std::vector<key_slot>& slots) override { watched_ = slots; }
  const explanation* noted(key_slot slot) const override;
  void save(key_slot slot, state_writer& out) const override;
  bool load(key_slot slot, state_reader& in) override;
  void save_changed_pages(const page_writer& write) override;
  bool load_page(std::int64_t page, state_reader& in) override;
  bool loaded(tick_index last_tick, judge& out) override;
  std::size_t memory_bytes() const override;

private:
  /// A key with an open incident.
  struct open_state {
    tick_index opened = 0;
    tick_index accept_at = 0;
    bool learned = false; ///< the key's incidents pass all the time: learning goes on
    double total = 0;     ///< since the onset
    double failed = 0;
    double calm_total = 0; ///< since the resolve test last began anew: perhaps the end, no part of the above
    double calm_failed = 0;
    double rate = 0;           ///< expected now
    double bound = 0;          ///< the resolve test's rate
    tick_index calm_since = 0; ///< first tick of the calm counts
    resolve_test back;
  };
  /// What evicted keys left to a tail, not yet judged.
  struct pooled_keys {
    key_counts counts;
    shiryaev_roberts_mixture moved; ///< their evidence
  };
  /// An hour of a key that leaves quarantine.
  struct due_hour {
    std::uint32_t level = 0;
    std::uint32_t place = 0; ///< in the tick's counts of the level
    std::int32_t hour = 0;
    hour_sums sums;
    float events = 0;      ///< 0: not known
    bool whole = false;    ///< not winsorised
    bool in_shape = false; ///< exposure counts events times season
  };

  // Keys come.
  void welcome(key_slot slot, tick_index when);
  scope_state& scope_of(key_slot slot) { return scopes_[keys_of_[(*keys_)[slot].root].place]; }
  const scope_state& scope_of(key_slot slot) const { return scopes_[keys_of_[(*keys_)[slot].root].place]; }
  tick_index grown_up_at(key_slot slot) const { return (*keys_)[slot].created + ticks_an_hour_; }

  // The tick: time and budget, learning, expecting, judging, counting.
  void turn_hour(key_slot slot, std::uint32_t level, std::uint32_t place);
  void end_day(key_slot slot, std::uint32_t level);
  std::size_t class_of(const key_state& key, std::uint32_t level) const;
  double alarms_a_day(const key_state& key, const scope_state& scope) const;
  double alarms_a_learned_day(const key_state& key, const scope_state& scope) const;
  double threshold(const key_state& key, std::uint32_t level, const scope_state& scope) const;
  void hold_back(key_slot slot, std::uint32_t level, std::uint32_t place);
  bool is_left_out_of_hours(key_slot slot, std::int32_t first, std::int32_t count) const;
  void leave_out(key_slot root, root_baseline& baseline) const;
  void grow_up(key_slot slot);
  double start_mass(key_slot slot, tick_index until);
  void learn_level(std::uint32_t level, const closed_tick& tick);
  void learn(const due_hour& what, key_slot slot, const expectation* parent, double robust);
  void expect_level(std::uint32_t level, const closed_tick& tick);
  expectation expect_root(key_slot slot);
  /// Baseline `sliding`: the rate of the window, without a season. A slot without key has none of its own.
  void expect_sliding(key_slot slot, const expectation* parent, double strength, expectation& out) const;
  static double visible_misfit(const key_state& key, double shared);
  expectation expect_child(const key_state& key, key_slot slot, const level_prior& prior, const expectation& parent,
                           const season_position& at) const;
  double guard_of(const key_state& key, const scope_state& scope, const expectation& expected) const;
  excess_counts counts_of(const excursion& run, tick_index created, tick_index last) const;
  void judge_key(const key_counts& counts, const expectation& expected, judge& out);
  /// Evidence of the resolve test that closes the incident.
  double calm_from(const open_state& open) const;
  void judge_open(const key_counts& counts, const expectation& expected, open_state& open, judge& out);
  std::vector<named_number> model_of(key_slot slot, const expectation& expected, double guard,
                                     const excess_counts& excess) const;
  void raise(const key_counts& counts, const expectation& expected, double guard, judge& out);
  void count(const key_counts& counts, const expectation& expected, lesson how);
  void spoil(key_state& key);
  void take_as_normal(key_slot slot, double failed, double total, const expectation& expected);
  void take_as_vouched(key_slot slot, double failed, double total, const expectation& expected);
  void judge_types(const closed_tick& tick, judge& out);
  void turn_tail(key_slot slot, judge& out);
  void judge_tail(key_slot slot, judge& out);

  // For people (explanation.cpp).
  void note(const key_counts& counts, const expectation& expected);
  explanation explain_state(const key_state& key, key_slot slot, std::uint32_t level, const scope_state& scope,
                            const expectation& expected, tick_index tick) const;
  std::optional<expectation> expect_from_state(std::string_view key, tick_index tick) const;
  double events_an_hour(const key_state& key, tick_index created, tick_index last) const;

  const monitor_spec* monitor_;
  sr_mixture_spec settings_;
  const keyed_state* keys_;
  double budget_a_tick_;
  double ticks_a_day_;
  tick_index ticks_an_hour_; ///< an hour, or one tick where that is longer
  std::int32_t hours_a_day_; ///< hours of learning after which a day of evidence ends
  baseline_clock clock_;
  double kept_a_tick_; ///< of what decays over an hour
  double dispersion_kept_;
  std::vector<std::uint32_t> order_; ///< of the levels, parents first
  std::vector<std::uint32_t> parents_;

  std::vector<key_state> keys_of_; ///< by slot
  slab<full_state> fulls_;
  slab<scope_state> scopes_;
  tsl::robin_map<key_slot, open_state> open_;
  tsl::robin_map<key_slot, pooled_keys> pooled_; ///< by tail

  std::optional<error_types::type_watch> types_; ///< where events name error types

  std::optional<sliding_window> window_; ///< of all keys, for the baseline `sliding`
  window_pages pages_;

  // The tick at hand.
  tick_index now_ = 0;
  std::int32_t hour_ = 0;
  double seconds_ = 0;
  double local_seconds_ = 0;
  season_position season_;
  std::vector<std::vector<expectation>> expected_; ///< by level and place
  std::vector<due_hour> due_;
  std::size_t learned_ = 0; ///< how many of due_ have been learned
  learning_columns columns_;
  std::vector<key_slot> watched_;
  std::vector<std::pair<key_slot, explanation>> noted_; ///< of the watched keys with events
};

/// Until the root has a shape, exposure counts the failures that the root expects; then events times season.
void take_shape(key_state& key, const expectation& parent);
/// What a root's baseline expects, after advance().
expectation expectation_of(const root_baseline& root);
/// The excursion that tells the onset: that of the pace which fits the alternative with the most evidence.
const excursion& latest_excursion(const key_state& key);

} // namespace tocsin::sr_mixture
