#pragma once

#include "detectors/values/time.hpp"

#include <cstddef>
#include <optional>

namespace tocsin::actors {

/// Decides whether and when a failed world restarts: back-off doubles from `first_delay` to `longest_delay` and starts
/// anew after `healthy_after` without failure; more than `max_without_progress` restarts during which no new tick was
/// committed are too many.
///
/// A value, owned by the supervisor. `now` is any monotonic clock in milliseconds.
class restart_policy {
public:
  struct settings {
    time_ms first_delay = 1 * second_ms;
    time_ms longest_delay = 30 * second_ms;
    time_ms healthy_after = 10 * second_ms;
    std::size_t max_without_progress = 10;
  };

  explicit restart_policy(settings numbers) : numbers_(numbers) {}

  /// The world runs again from a commit that has judged everything up to `judged_through`.
  void restored(time_ms now, time_ms judged_through);
  /// The world failed: how long to wait before it restarts; nothing if it must not.
  std::optional<time_ms> failed(time_ms now);

private:
  settings numbers_;
  std::optional<time_ms> running_since_;
  time_ms next_delay_ = 0;
  time_ms judged_through_ = beginning_of_time;
  std::size_t without_progress_ = 0;
};

} // namespace tocsin::actors
