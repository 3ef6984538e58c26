#pragma once

#include "detectors/judging/detector.hpp"
#include "models/moving_moments.hpp"
#include "models/sliding_window.hpp"

#include <array>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

namespace tocsin {

/// Detector `z_score`, the method of the textbooks: the failure rate of a window against mean and standard deviation of
/// the windows before it. Windows tumble, aligned to event time; those without events do not exist. A window is judged
/// at the close of its last tick: it opens at z >= `outlier`, where the history has at least `min_history` windows, and
/// closes at z < `normal`. Where the stream names viewers, failures capped by distinct viewers must be an outlier too.
///
/// Learning: a judged window waits until 12 later ones have been judged, then it joins the history. Windows judged
/// while an incident of this detector is open, the one that opens it included, are never learned; those that were
/// waiting when it opened go on waiting. The history forgets exponentially, equivalent to the last `history` windows
/// (moving_moments): 216 bytes a key, however long the history. A window that holds a moment of a range taken out of
/// learning never joins it. The accepted rate of an incident becomes the mean; the deviation stays.
class z_score_detector final : public detector {
public:
  static constexpr std::size_t quarantine = 12; ///< windows

  z_score_detector(const monitor_spec& monitor, const z_score_spec& settings, const keyed_state& keys);

  void resize(std::size_t slots) override;
  void step(const closed_tick& tick, const std::vector<key_slot>& reminded, judge& out) override;
  std::optional<tick_index> next_due() const override;
  void forget(const std::vector<bool>& slots) override;
  void absorb(key_slot from, key_slot into, judge& out) override;
  bool accept(key_slot slot, double rate, judge& out) override;
  bool accept_calm(key_slot slot, const incident_counts& seen) override;
  double expected_rate(key_slot slot) const override { return columns_[slot].history.mean; }
  std::string closes_when(key_slot slot) const override;
  std::vector<std::pair<std::string, std::string>> explain(key_slot slot) const override;
  void save(key_slot slot, state_writer& out) const override;
  bool load(key_slot slot, state_reader& in) override;
  void save_changed_pages(const page_writer&) override {}
  bool load_page(std::int64_t, state_reader&) override { return false; }
  bool loaded(tick_index last_tick, judge& out) override;
  std::size_t memory_bytes() const override;

private:
  struct column {
    window_counts counts;      ///< of the present window
    std::uint64_t viewers = 0; ///< bitmap of its failing viewers
    moving_moments history;
    std::uint32_t waiting = 0;                       ///< rates in quarantine
    std::array<double, quarantine> rates{};          ///< the oldest first
    std::array<std::uint32_t, quarantine> windows{}; ///< their numbers, the low bits
  };

  tick_index last_tick_of_window(tick_index tick) const;
  void judge_window(key_slot slot, tick_index tick, judge& out);
  void learn_later(key_slot slot, tick_index window, double rate);
  bool is_window_left_out(key_slot slot, tick_index window) const;

  z_score_spec settings_;
  tick_index span_; ///< ticks a window
  time_ms tick_ms_;
  double keep_;
  bool has_viewers_;
  const keyed_state* keys_;
  tick_index due_ = 0; ///< last tick of the present window, while filling_ is not empty
  std::vector<column> columns_;
  std::vector<key_slot> filling_; ///< keys with events in the present window, each once
};

} // namespace tocsin
