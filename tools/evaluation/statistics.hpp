#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

namespace tocsin::evaluation {

struct interval {
  double low = 0;
  double high = 0;
};

/// Exact 95 % interval of a Poisson mean from one count (Garwood 1936).
interval poisson_interval(std::uint64_t count);
/// 95 % interval of a share (Wilson 1927); [0, 1] without trials.
interval share_interval(std::uint64_t hits, std::uint64_t trials);

/// Delays of trials, those that were never found among them.
class delays {
public:
  void add(double delay) { found_.push_back(delay); }
  void add_not_found() { ++not_found_; }
  std::size_t found() const { return found_.size(); }
  std::size_t trials() const { return found_.size() + not_found_; }
  /// Share of trials found, and found within `limit`; 0 without trials.
  double power() const;
  double share_within(double limit) const;
  /// Over all trials, the missed ones beyond every delay: nothing where they reach that far.
  std::optional<double> quantile(double share) const;
  /// Over the found ones.
  std::optional<double> mean() const;

private:
  std::vector<double> found_;
  std::size_t not_found_ = 0;
};

/// The most sensitive setting whose rate of false alarms, and that of every less sensitive one, does not exceed the
/// target. A grid begins with its most sensitive setting; one that is so sensitive that its incidents never close has
/// few false alarms, too, and is not meant. Nothing if even the last exceeds it.
std::optional<std::size_t> matched_setting(const std::vector<double>& rates, double target);

/// The least threshold that at most `allowed` of the peaks reach.
double matched_threshold(std::vector<double> peaks, std::size_t allowed);

} // namespace tocsin::evaluation
