#pragma once

#include "detectors/values/time.hpp"

#include <cstddef>
#include <optional>

namespace tocsin::actors {

/// Decides which judged range carries a commit, and when a slow sink stops the closing of ticks. At most one commit is
/// on its way; the next one starts no earlier than `interval` after the start of the last, and as soon as that has
/// passed. While a commit is overdue because the sink is still busy with the last one, at most `max_waiting` more
/// ranges are closed.
///
/// A value, owned by the world's coordinator. `now` is any monotonic clock in milliseconds.
class commit_policy {
public:
  commit_policy(time_ms interval, std::size_t max_waiting) : interval_(interval), max_waiting_(max_waiting) {}

  /// True when another range may be closed now.
  bool may_close(time_ms now) const { return !overdue(now) || waiting_ < max_waiting_; }
  /// True when a commit may start now.
  bool due(time_ms now) const { return !in_flight_ && interval_passed(now); }
  bool in_flight() const { return in_flight_; }
  /// Ranges closed since the last commit started.
  std::size_t uncommitted() const { return uncommitted_; }
  /// How long to wait until what is uncommitted must be committed; nothing if there is nothing to wait for.
  std::optional<time_ms> delay(time_ms now) const;

  /// A range was closed, without a commit of its own.
  void closed(time_ms now);
  /// A commit of everything closed so far begins.
  void started(time_ms now);
  /// The sink has committed.
  void finished();

private:
  bool interval_passed(time_ms now) const { return !started_at_ || now - *started_at_ >= interval_; }
  bool overdue(time_ms now) const { return in_flight_ && interval_passed(now); }

  time_ms interval_;
  std::size_t max_waiting_;
  std::optional<time_ms> started_at_;
  bool in_flight_ = false;
  std::size_t uncommitted_ = 0;
  std::size_t waiting_ = 0; ///< ranges closed while a commit was overdue
};

} // namespace tocsin::actors
