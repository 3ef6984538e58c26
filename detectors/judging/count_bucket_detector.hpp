#pragma once

#include "detectors/judging/detector.hpp"
#include "detectors/judging/window_pages.hpp"
#include "models/sliding_window.hpp"

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

namespace tocsin {

/// Detector `count_bucket`: the method that Mux described in 2016. The events of a key, ordered by time, fill buckets
/// of a fixed number of events (`scope_bucket` at the root of the scope, `key_bucket` below); a bucket ends at the
/// first tick close with enough events. Each is compared with the scope's moving failure rate p: it opens when it is an
/// extreme outlier, P(X >= failures) <= `outlier` for X ~ Binomial(events, p), and closes when it is normal again, P(X
/// >= failures) >= `normal`.
///
/// The moving rate is that of the scope's root over the last `baseline`, without the tick at hand.
/// Source: "Real-time alerting on video playback errors with Apache Flink", Mux engineering, 2016.
class count_bucket_detector final : public detector {
public:
  count_bucket_detector(const monitor_spec& monitor, const count_bucket_spec& settings, const keyed_state& keys);

  void resize(std::size_t slots) override;
  void advance(const closed_tick& tick) override { baseline_.advance(tick.tick); }
  void step(const closed_tick& tick, const std::vector<key_slot>& reminded, judge& out) override;
  void forget(const std::vector<bool>& slots) override;
  void absorb(key_slot from, key_slot into, judge& out) override;
  double expected_rate(key_slot slot) const override;
  std::string closes_when(key_slot slot) const override;
  std::vector<std::pair<std::string, std::string>> explain(key_slot slot) const override;
  void save(key_slot slot, state_writer& out) const override;
  bool load(key_slot slot, state_reader& in) override;
  void save_changed_pages(const page_writer& write) override;
  bool load_page(std::int64_t page, state_reader& in) override { return pages_.load(page, in); }
  bool loaded(tick_index last_tick, judge& out) override;
  std::size_t memory_bytes() const override;

private:
  struct bucket {
    tick_index begin = 0; ///< tick of its first events
    window_counts counts;
    std::uint64_t viewers = 0; ///< bitmap of failing viewers
  };

  void judge_bucket(key_slot slot, const bucket& full, judge& out) const;
  std::int64_t size_of(key_slot slot) const;

  count_bucket_spec settings_;
  bool has_viewers_;
  const keyed_state* keys_;
  sliding_window baseline_; ///< counts of root keys only
  std::vector<bucket> buckets_;
  window_pages pages_;
};

} // namespace tocsin
