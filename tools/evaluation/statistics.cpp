#include "tools/evaluation/statistics.hpp"

#include "models/binomial.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

namespace tocsin::evaluation {

interval poisson_interval(std::uint64_t count) {
  const auto k = static_cast<std::int64_t>(count);
  // The mean at which P(X >= events) is `tail`; it grows with the mean.
  const auto mean_with_tail = [](std::int64_t events, double tail) {
    double low = 0;
    double high = 2 * static_cast<double>(events) + 20;
    for (int i = 0; i < 100; ++i) {
      const double middle = (low + high) / 2;
      (poisson_upper_tail(events, middle) < tail ? low : high) = middle;
    }
    return low;
  };
  return {count == 0 ? 0 : mean_with_tail(k, 0.025), mean_with_tail(k + 1, 0.975)};
}

interval share_interval(std::uint64_t hits, std::uint64_t trials) {
  if (trials == 0)
    return {0, 1};
  constexpr double z = 1.959963984540054;
  const auto n = static_cast<double>(trials);
  const double share = static_cast<double>(hits) / n;
  const double centre = share + z * z / (2 * n);
  const double half = z * std::sqrt(share * (1 - share) / n + z * z / (4 * n * n));
  const double scale = 1 + z * z / n;
  return {std::max(0.0, (centre - half) / scale), std::min(1.0, (centre + half) / scale)};
}

double delays::power() const {
  return trials() == 0 ? 0 : static_cast<double>(found()) / static_cast<double>(trials());
}

double delays::share_within(double limit) const {
  const auto within = std::count_if(found_.begin(), found_.end(), [&](double delay) { return delay <= limit; });
  return trials() == 0 ? 0 : static_cast<double>(within) / static_cast<double>(trials());
}

std::optional<double> delays::quantile(double share) const {
  const auto rank = static_cast<std::size_t>(share * static_cast<double>(trials()));
  if (rank >= found_.size())
    return std::nullopt;
  auto sorted = found_;
  std::nth_element(sorted.begin(), sorted.begin() + static_cast<std::ptrdiff_t>(rank), sorted.end());
  return sorted[rank];
}

std::optional<double> delays::mean() const {
  if (found_.empty())
    return std::nullopt;
  return std::accumulate(found_.begin(), found_.end(), 0.0) / static_cast<double>(found_.size());
}

std::optional<std::size_t> matched_setting(const std::vector<double>& rates, double target) {
  auto first = rates.size();
  while (first > 0 && rates[first - 1] <= target)
    --first;
  return first == rates.size() ? std::nullopt : std::optional(first);
}

double matched_threshold(std::vector<double> peaks, std::size_t allowed) {
  std::sort(peaks.begin(), peaks.end(), std::greater<>());
  if (allowed >= peaks.size())
    return peaks.empty() ? 0 : peaks.back();
  return std::nextafter(peaks[allowed], std::numeric_limits<double>::infinity());
}

} // namespace tocsin::evaluation
