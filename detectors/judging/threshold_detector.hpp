#pragma once

#include "detectors/judging/detector.hpp"
#include "detectors/judging/window_pages.hpp"
#include "models/sliding_window.hpp"

#include <limits>
#include <string>
#include <utility>
#include <vector>

namespace tocsin {

/// Detector `threshold`: opens when the failure rate over a sliding window has been at least `rate` for `hold` without
/// a break, closes when it has been below `resolve_rate` for `resolve_hold`. A window with fewer than `min_events`
/// events is not above; any window with events may be below, so that a key that became quiet can still close. Where the
/// stream has viewers, the failures capped by distinct viewers must reach the rate too.
///
/// The user set the limit, so the monitor's gates do not apply. Onset: the beginning of the first window that was
/// above.
class threshold_detector final : public detector {
public:
  threshold_detector(const monitor_spec& monitor, const threshold_spec& settings, const keyed_state& keys);

  void resize(std::size_t slots) override;
  void step(const closed_tick& tick, const std::vector<key_slot>& reminded, judge& out) override;
  std::optional<tick_index> next_due() const override { return window_.next_eviction(); }
  void forget(const std::vector<bool>& slots) override;
  void absorb(key_slot, key_slot, judge&) override {}
  double expected_rate(key_slot) const override { return settings_.rate; }
  std::string closes_when(key_slot slot) const override;
  std::vector<std::pair<std::string, std::string>> explain(key_slot slot) const override;
  void save(key_slot slot, state_writer& out) const override;
  bool load(key_slot slot, state_reader& in) override;
  void save_changed_pages(const page_writer& write) override;
  bool load_page(std::int64_t page, state_reader& in) override;
  bool loaded(tick_index last_tick, judge& out) override;
  std::size_t memory_bytes() const override;

private:
  struct column {
    tick_index above_since = never;
    tick_index below_since = never;
    window_counts since;       ///< counts since the onset, while above
    std::uint64_t viewers = 0; ///< bitmap of failing viewers since the rate is above
  };
  static constexpr tick_index never = std::numeric_limits<tick_index>::min();

  void judge_key(key_slot slot, tick_index tick, std::uint64_t viewers, judge& out);
  bool is_above(const window_counts& counts) const;
  bool is_below(const window_counts& counts) const;
  tick_index onset_of(key_slot slot) const;

  threshold_spec settings_;
  bool has_viewers_;
  tick_index hold_ticks_;
  tick_index resolve_hold_ticks_;
  const keyed_state* keys_;
  sliding_window window_;
  std::vector<column> columns_;
  struct look {
    key_slot slot = no_slot;
    std::uint64_t viewers = 0;
  };
  std::vector<key_slot> evicted_;        ///< scratch
  std::vector<look> looks_;              ///< scratch: keys to judge in this tick
  std::vector<tick_index> looked_at_in_; ///< by slot: the last tick in which it was put there
  window_pages pages_;
};

} // namespace tocsin
