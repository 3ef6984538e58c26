#pragma once

#include <Eigen/Core>

#include <cstddef>
#include <cstdint>
#include <deque>
#include <limits>
#include <optional>
#include <utility>
#include <vector>

namespace tocsin {

/// Counts of one key over some time.
struct window_counts {
  std::int64_t total = 0;  ///< events
  std::int64_t failed = 0; ///< failed events
  std::int64_t capped = 0; ///< failed events, at most one a distinct viewer and tick

  window_counts& operator+=(const window_counts& other) {
    total += other.total;
    failed += other.failed;
    capped += other.capped;
    return *this;
  }
  friend bool operator==(const window_counts& a, const window_counts& b) {
    return a.total == b.total && a.failed == b.failed && a.capped == b.capped;
  }
  friend bool operator!=(const window_counts& a, const window_counts& b) { return !(a == b); }
};

/// Resolution of a window: `buckets` buckets of `span_ticks` ticks each.
struct window_shape {
  std::int64_t span_ticks = 1;
  std::size_t buckets = 1;
};

/// Picks the resolution of a window of `length_ms`: buckets of one tick up to 360 ticks, of a minute
/// up to 1440 minutes, of an hour above. A bucket is a whole number of ticks (a minute of 7 s ticks is 8 ticks)
/// and at least one tick. The number of buckets is rounded up, so that the buckets together are never
/// shorter than the length. Lengths below 1 count as 1.
window_shape choose_window(std::int64_t length_ms, std::int64_t tick_ms);

/// A coarser resolution, for long windows on many keys: buckets of as many ticks as leave at least `least_buckets` of
/// them, so that a key that is always active costs about that many entries, however long the window. Rounded up as
/// above: between `length_ms` - one bucket and `length_ms` are seen, a bucket being at most a `least_buckets`-th.
window_shape choose_window(std::int64_t length_ms, std::int64_t tick_ms, std::int64_t least_buckets);

/// Sums of counts over a sliding window, for all keys of a shard.
///
/// DESCRIPTION
/// Time is cut into buckets of `span` ticks: bucket(tick) = floor(tick / span). With c the current bucket and B
/// the number of buckets, the sum of key k is the exact integer
///
///     S_k = sum of x_k,b over b in (c - B, c]
///
/// where x_k,b is what was added for k while b was current. The window thus reaches back between
/// (B - 1) * span + 1 and B * span ticks from its newest tick, exactly B ticks if span = 1.
///
/// IMPLEMENTATION DECISIONS
/// What was added is subtracted when its bucket leaves, on integers, so that no error accumulates. Storage is
/// bucket-major: adding touches the current bucket only, and a bucket lists the keys that had events in it.
/// Memory and time follow the touched (key, bucket) pairs; empty buckets do not exist, so a gap of any length
/// costs its entries only.
/// The sums lie in one array a count, ready for vector arithmetic over all keys.
///
/// Value, owned by one detector of one shard; not thread-safe. Total: no operation fails; slots must be below
/// `size()` (asserted).
class sliding_window {
public:
  using array = Eigen::Array<std::int64_t, Eigen::Dynamic, 1>;
  using array_view = Eigen::Map<const array>;

  /// What one key did in one bucket.
  struct entry {
    std::uint32_t slot = 0;
    window_counts counts;
  };

  /// current_bucket() before the first advance.
  static constexpr std::int64_t no_bucket = std::numeric_limits<std::int64_t>::min() / 2;

  /// Both arguments count as 1 if they are smaller.
  sliding_window(std::int64_t span_ticks, std::size_t buckets);
  explicit sliding_window(window_shape shape) : sliding_window(shape.span_ticks, shape.buckets) {}

  std::int64_t span_ticks() const { return span_; }
  std::int64_t buckets() const { return buckets_; }

  /// Makes room for the slots 0 .. keys-1. Grows only; amortized constant per new key.
  void resize(std::size_t keys);
  std::size_t size() const { return keys_; }

  /// Moves to the bucket of `tick`, never backward. Calls `on_change(slot)` once per evicted entry, in an
  /// unspecified order within a bucket; a slot may be named several times, and its sums are final when
  /// advance() returns. `on_change` must not modify the window.
  template <class F>
  void advance(std::int64_t tick, F&& on_change) {
    move_to(bucket_of(tick));
    while (has_expired_front()) {
      auto& front = live_.front();
      for (const auto& e : front.entries) {
        subtract(e);
        on_change(e.slot);
      }
      drop_front();
    }
  }
  void advance(std::int64_t tick) {
    advance(tick, [](std::uint32_t) {});
  }

  /// Adds to the current bucket and to the sums. Precondition: advance() or restore() was called.
  void add(std::uint32_t slot, const window_counts& counts);

  window_counts sums(std::uint32_t slot) const;

  /// The sums of all slots. Views end with the next resize().
  array_view totals() const { return view(totals_); }
  array_view failures() const { return view(failures_); }
  array_view capped() const { return view(capped_); }

  /// failures / max(1, total) of all slots.
  Eigen::ArrayXd rates() const { return failures().cast<double>() / totals().max(std::int64_t{1}).cast<double>(); }

  /// Drops all entries and sums of the marked slots in one pass; marks beyond the end are no marks.
  /// The slots may be used again at once.
  void forget(const std::vector<bool>& slots);

  // -- persistence, bucket by bucket --------------------------------------------------------------------------

  std::int64_t current_bucket() const { return current_; }
  /// What the slot has in the current bucket.
  window_counts current(std::uint32_t slot) const;

  /// First tick whose advance() evicts something; nothing while the window is empty.
  std::optional<std::int64_t> next_eviction() const {
    if (live_.empty())
      return std::nullopt;
    return (live_.front().index + buckets_) * span_;
  }

  /// Calls `f(bucket index, entries)` by ascending index. The order of the entries is unspecified.
  template <class F>
  void for_each_bucket(F&& f) const {
    for (const auto& b : live_)
      f(b.index, b.entries);
  }

  /// Entries of one bucket; empty if it has none.
  const std::vector<entry>& bucket(std::int64_t index) const;

  /// Puts back what a bucket held, in any order of buckets and slots, each (bucket, slot) once. The newest bucket
  /// restored becomes the current one; advance() to the tick of the saved state then continues exactly. What was not
  /// saved as a bucket (see take_completed) makes its bucket one to be written.
  void restore(std::int64_t bucket_index, std::uint32_t slot, const window_counts& counts, bool was_saved = true);

  /// Buckets added to or forgotten from since the last call and still in the window, ascending: those to be
  /// written. A bucket may have become empty through forget().
  std::vector<std::int64_t> take_changed() { return take_changed_until(current_); }
  /// The same without the current bucket, for an owner who saves current() with each key: then a bucket is written
  /// once, when it is complete, and a save costs what was touched since the last one, however long a bucket is.
  std::vector<std::int64_t> take_completed() { return take_changed_until(current_ - 1); }

  /// Buckets that left the window since the last call, ascending: those to be erased. Only buckets that were restored
  /// or named by take_changed() are named, so a window that is never saved keeps no list.
  std::vector<std::int64_t> take_evicted() { return std::exchange(evicted_, {}); }

  std::size_t memory_bytes() const;

private:
  struct time_bucket {
    std::int64_t index = 0;
    bool is_changed = false;
    bool is_saved = false;
    std::vector<entry> entries;
  };

  array_view view(const array& a) const { return {a.data(), static_cast<Eigen::Index>(keys_)}; }
  std::int64_t bucket_of(std::int64_t tick) const;
  void move_to(std::int64_t bucket);
  bool has_expired_front() const { return !live_.empty() && live_.front().index <= current_ - buckets_; }
  void drop_front();
  time_bucket& make_bucket(std::int64_t index);
  std::vector<std::int64_t> take_changed_until(std::int64_t last);
  void put(time_bucket& b, std::uint32_t slot, const window_counts& counts);
  void sum_up(std::uint32_t slot, const window_counts& counts);
  void subtract(const entry& e);

  std::int64_t span_;
  std::int64_t buckets_;
  std::int64_t current_ = no_bucket;
  std::size_t keys_ = 0;
  array totals_, failures_, capped_;    // longer than keys_: room to grow
  std::vector<std::uint32_t> position_; // where the slot's entry in the newest bucket may be; checked at use
  std::deque<time_bucket> live_;        // buckets with entries, ascending by index
  std::vector<entry> spare_;            // storage of an evicted bucket for the next new one
  std::vector<std::int64_t> evicted_;
};

} // namespace tocsin
