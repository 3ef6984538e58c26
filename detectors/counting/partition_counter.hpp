#pragma once

#include "detectors/counting/leaf_table.hpp"
#include "detectors/counting/tick_slice.hpp"
#include "detectors/values/event_batch.hpp"
#include "detectors/values/journal.hpp"
#include "detectors/values/monitor_spec.hpp"

#include <array>
#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <string>
#include <vector>

namespace tocsin {

/// What became of the records of a partition; sums since the counter was made.
struct counting_stats {
  std::uint64_t events = 0;   ///< decoded records that were counted (weight not considered)
  std::uint64_t filtered = 0; ///< left out by `where`
  std::uint64_t late = 0;     ///< counted into the oldest open tick instead of their own
  std::uint64_t parked = 0;   ///< records that had to wait because they were too far ahead
  std::uint64_t pooled = 0;   ///< observations counted into `(other)` because the tick's leaf cells were full
  std::uint64_t hashed_values = 0;
  std::array<std::uint64_t, reject_reasons> rejected{};

  void add(const counting_stats& other);
};

/// What a counter did since it was asked last.
struct counted {
  partition_id partition = 0;
  std::vector<tick_slice_ptr> slices; ///< newly closed, in judging order
  time_ms watermark = beginning_of_time;
  bool ended = false;
  time_ms last_tick_end = beginning_of_time; ///< end of the last tick that was ever counted into
  rewind_point rewind;                       ///< nothing that is still open or parked began before this
  stream_offset next_offset = 0;
  std::vector<journal_entry> journal; ///< entries made by advance()
  std::vector<reject> rejects;        ///< of the decoder and of the counter
  counting_stats stats;               ///< since the last `counted`
};

/// Counts the events of one partition, in record order, into the leaf cells of open ticks and closes ticks by the
/// partition's watermark (highest event time minus allowed lateness and settle, or a journal entry).
///
/// Owned by the partition's counter actor, or by a `world`; no thread of its own. Never fails: what cannot be counted
/// is a reject. The slices are a function of the records and the journal entries alone; a counter that starts at a
/// rewind point with `judged_through` gives the same slices for all later ticks.
class partition_counter {
public:
  /// `journal`: this partition's entries at or behind the rewind point.
  partition_counter(std::shared_ptr<const world_spec> spec, partition_id partition, rewind_point start,
                    time_ms judged_through, std::vector<journal_entry> journal);
  partition_counter(partition_counter&&) noexcept = default;
  partition_counter& operator=(partition_counter&&) noexcept = default;

  /// Counts a block; blocks must come in order.
  void count(const event_batch& batch);
  /// Raises the watermark without a record, and notes that in the journal (kind). Lower values do nothing. Only at the
  /// end of what was ever counted: an entry before records that were judged already would contradict the verdicts.
  void advance(time_ms watermark, journal_kind kind);
  /// End of input: accepts what is parked and closes every open tick. Nothing may be counted afterwards.
  void finish();
  /// Hands over what happened since the last call.
  counted take();

  time_ms watermark() const { return watermark_; }
  stream_offset next_offset() const { return next_offset_; }

private:
  struct open_tick {
    leaf_table table;
    std::optional<leaf_table> types; ///< failures by leaf key and error type
    rewind_point first;
    stream_offset first_offset = 0;
    time_ms start = 0;
  };
  struct monitor_state {
    time_ms length = 0;
    std::map<tick_index, std::unique_ptr<open_tick>> open;
    open_tick* current = nullptr; ///< the tick that took the last event
    time_ms current_start = 0, current_end = 0;
    std::vector<std::unique_ptr<open_tick>> spare; ///< empty ones, to be used again
  };
  struct parked_event {
    event what;
    std::vector<observation> observations; ///< one a monitor; key_begin points into key_bytes
    std::string key_bytes;
    rewind_point before;
  };

  /// How far an event may be ahead of the watermark and still be believed.
  time_ms lead() const { return spec_->max_ahead + spec_->settle; }
  void count_untold(const event_batch& batch);
  void prefetch(const event_batch& batch, std::size_t i) const;
  void take_event(const event_batch& batch, std::size_t i);
  template <class SeenBy>
  void count_event(const event& what, const SeenBy& seen_by, const std::string& key_bytes, const rewind_point& before);
  void count_observation(std::size_t monitor, const event& what, const observation& seen, const std::string& key_bytes,
                         const rewind_point& before);
  void count_type(open_tick& tick, const observation& seen, const std::string& key_bytes);
  open_tick* tick_for(std::size_t monitor, const event& what, const rewind_point& before);
  void park(const event_batch& batch, std::size_t i, const rewind_point& before);
  void drop_contradicted(time_ms time);
  void release_parked(time_ms limit);
  void raise_watermark(time_ms watermark);
  void raise_without_record(time_ms watermark);
  void apply_journal(stream_offset offset);
  void close_ticks(time_ms through);
  void reject_event(const event& what, reject_reason reason, std::string detail);
  rewind_point rewind() const;

  std::shared_ptr<const world_spec> spec_;
  partition_id partition_;
  time_ms watermark_;
  time_ms judged_through_;
  time_ms next_close_ = end_of_time; ///< earliest end of an open tick
  stream_offset next_offset_;
  std::vector<monitor_state> monitors_;
  std::string typed_key_; ///< scratch
  std::deque<parked_event> parked_;
  std::deque<journal_entry> journal_; ///< still to be applied, by offset
  counted out_;
  time_ms last_tick_end_ = beginning_of_time;
  bool ended_ = false;
};

} // namespace tocsin
