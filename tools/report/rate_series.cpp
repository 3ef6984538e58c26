#include "tools/report/rate_series.hpp"

#include <algorithm>
#include <cmath>

namespace tocsin::tools {

namespace {

std::optional<double> sum_of(const std::optional<double>& a, const std::optional<double>& b) {
  return a && b ? std::optional(*a + *b) : std::nullopt;
}

} // namespace

void bucket_counts::add(const bucket_counts& other) {
  const bool is_empty = total == 0;
  expected = is_empty ? other.expected : sum_of(expected, other.expected);
  guarded = is_empty ? other.guarded : sum_of(guarded, other.guarded);
  total += other.total;
  failed += other.failed;
}

void rate_series::add(time_ms at, const bucket_counts& counts) {
  if (counts.total <= 0)
    return;
  buckets_[index_of(at)].add(counts);
  while (buckets_.size() > most_)
    widen(2);
}

void rate_series::widen(std::int64_t times) {
  std::map<std::int64_t, bucket_counts> wide;
  for (const auto& [index, counts] : buckets_)
    wide[tick_of(index, times)].add(counts);
  buckets_ = std::move(wide);
  bucket_ *= times;
}

void rate_series::smooth(double events, std::size_t least) {
  if (buckets_.size() <= least || least == 0)
    return;
  const auto average = static_cast<double>(sum().total) / static_cast<double>(buckets_.size());
  const auto wanted = std::ceil(events / std::max(average, 1e-9));
  const auto most = buckets_.size() / least;
  const auto possible = static_cast<double>(most);
  const auto times = static_cast<std::int64_t>(std::min(wanted, possible));
  if (times > 1)
    widen(times);
}

void rate_series::cut(time_ms end) {
  buckets_.erase(buckets_.upper_bound(index_of(end - 1)), buckets_.end());
}

bucket_counts rate_series::sum() const {
  bucket_counts all;
  for (const auto& [index, counts] : buckets_)
    all.add(counts);
  return all;
}

} // namespace tocsin::tools
