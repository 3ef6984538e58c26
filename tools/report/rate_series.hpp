#pragma once

#include "detectors/values/time.hpp"

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <vector>

namespace tocsin::tools {

/// What happened in a stretch of time. `expected` and `guarded` are failures: at the expected rate of each tick, and at
/// the greatest rate that was taken for normal; nothing where the detector has no model of the rate.
struct bucket_counts {
  std::int64_t total = 0;
  std::int64_t failed = 0;
  std::optional<double> expected;
  std::optional<double> guarded;

  void add(const bucket_counts& other);
};

/// Counts over time in buckets of equal length, as many as are not empty: when there would be more than `most`, the
/// buckets become twice as long. So memory is bounded whatever the length of the recording. Value.
class rate_series {
public:
  /// `origin`: where bucket 0 begins. `bucket`: length of the first buckets, at least 1 ms. `most`: at least 2.
  rate_series(time_ms origin, time_ms bucket, std::size_t most) : origin_(origin), bucket_(bucket), most_(most) {}

  void add(time_ms at, const bucket_counts& counts);
  /// Makes buckets longer (2, 3, 4 ... times) until they hold `events` events on average, but not fewer than `least`
  /// buckets stay: the rates of few events jump, and nobody sees anything.
  void smooth(double events, std::size_t least);
  /// Leaves out what begins at or after `end`.
  void cut(time_ms end);

  time_ms origin() const { return origin_; }
  time_ms bucket() const { return bucket_; }
  /// Number of the bucket that holds `at`.
  std::int64_t index_of(time_ms at) const { return tick_of(at - origin_, bucket_); }
  /// By number: it begins at origin() + number x bucket().
  const std::map<std::int64_t, bucket_counts>& buckets() const { return buckets_; }
  bucket_counts sum() const;

private:
  void widen(std::int64_t times);

  time_ms origin_;
  time_ms bucket_;
  std::size_t most_;
  std::map<std::int64_t, bucket_counts> buckets_;
};

} // namespace tocsin::tools
