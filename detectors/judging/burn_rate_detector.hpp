#pragma once

#include "detectors/judging/detector.hpp"
#include "detectors/judging/window_pages.hpp"
#include "models/sliding_window.hpp"

#include <cstdint>
#include <limits>
#include <string>
#include <utility>
#include <vector>

namespace tocsin {

/// Detector `burn_rate`: a service level objective allows the share 1 - objective of the events to fail. The burn rate
/// of a window is its failure rate divided by that share. A rule *holds* when the burn rates of both its long and its
/// short window are at least its factor, and the short window has at least `min_events` events: the long window says
/// that it matters, the short one that it still happens. Where the stream names viewers, failures capped by distinct
/// viewers must reach the factor too.
///
/// Opens as soon as any rule holds. Closes at the first look at which, for each rule that has held since, the short
/// window has events and burns below the rule's factor: rules that never held do not keep an incident open, and silence
/// closes nothing.
///
/// The user set the limits, so the monitor's gates do not apply; the expected rate is 1 - objective. Onset: the
/// beginning of the short window of the rule (of several that hold, the first listed), not before the key's creation.
///
/// Windows of the same length are kept once. Each is cut into at least `buckets_a_window` buckets, so a key that is
/// active all the time keeps 12 to 23 entries of 32 bytes a distinct length (63 entries, 2.0 kB, for the five lengths
/// of the default rules at ticks of 10 s), and 28 bytes of sums for each length. Buckets are saved once, when they are
/// complete; the present ones are part of the key's record (at most 33 bytes a length).
///
/// Source: Beyer et al., "The Site Reliability Workbook", O'Reilly 2018, chapter 5, "Multiwindow, Multi-Burn-Rate
/// Alerts".
class burn_rate_detector final : public detector {
public:
  static constexpr std::int64_t buckets_a_window = 12;
  static constexpr std::size_t most_rules = 32; ///< bits of `held`

  burn_rate_detector(const monitor_spec& monitor, const burn_rate_spec& settings, const keyed_state& keys);

  void resize(std::size_t slots) override;
  void step(const closed_tick& tick, const std::vector<key_slot>& reminded, judge& out) override;
  std::optional<tick_index> next_due() const override;
  void forget(const std::vector<bool>& slots) override;
  void absorb(key_slot, key_slot, judge&) override {}
  double expected_rate(key_slot) const override { return budget_; }
  std::string closes_when(key_slot slot) const override;
  std::vector<std::pair<std::string, std::string>> explain(key_slot slot) const override;
  void save(key_slot slot, state_writer& out) const override;
  bool load(key_slot slot, state_reader& in) override;
  void save_changed_pages(const page_writer& write) override;
  bool load_page(std::int64_t page, state_reader& in) override;
  bool loaded(tick_index last_tick, judge& out) override;
  std::size_t memory_bytes() const override;

private:
  struct burn_window {
    time_ms length = 0;
    sliding_window counts;
    window_pages pages;
  };
  struct rule {
    std::size_t long_window = 0; ///< index in windows_
    std::size_t short_window = 0;
    double factor = 1;
    double rate = 0; ///< failure rate at that factor
  };
  /// What a key's record says of a bucket that was not complete then.
  struct open_entry {
    std::size_t window = 0;
    std::int64_t bucket = 0;
    key_slot slot = no_slot;
    window_counts counts;
  };
  struct look {
    key_slot slot = no_slot;
    std::uint64_t viewers = 0;
  };
  static constexpr tick_index never = std::numeric_limits<tick_index>::min();

  std::size_t window_of(time_ms length, time_ms tick);
  bool burns(const window_counts& counts, double rate) const;
  bool holds(const rule& which, key_slot slot) const;
  bool is_calm(const rule& which, key_slot slot) const;
  double burn_of(const window_counts& counts) const;
  bool restore_open_entries(tick_index last_tick);
  void judge_key(key_slot slot, tick_index tick, std::uint64_t viewers, judge& out);
  verdict verdict_of(const rule& which, key_slot slot, tick_index tick) const;

  double budget_; ///< share of events that may fail
  std::int64_t min_events_;
  bool has_viewers_;
  const keyed_state* keys_;
  std::vector<burn_window> windows_; ///< one a distinct length
  std::vector<rule> rules_;
  std::vector<std::uint32_t> held_;      ///< by slot: bits of the rules that held since the incident opened
  std::vector<open_entry> open_entries_; ///< while loading
  std::vector<key_slot> evicted_;        ///< scratch
  std::vector<look> looks_;              ///< scratch: keys to judge in this tick
  std::vector<tick_index> looked_at_in_; ///< by slot: the last tick in which it was put there
};

} // namespace tocsin
