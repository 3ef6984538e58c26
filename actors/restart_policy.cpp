#include "actors/restart_policy.hpp"

#include <algorithm>

namespace tocsin::actors {

void restart_policy::restored(time_ms now, time_ms judged_through) {
  running_since_ = now;
  if (judged_through > judged_through_)
    without_progress_ = 0;
  judged_through_ = judged_through;
}

std::optional<time_ms> restart_policy::failed(time_ms now) {
  const bool was_healthy = running_since_ && now - *running_since_ >= numbers_.healthy_after;
  running_since_.reset();
  if (++without_progress_ > numbers_.max_without_progress)
    return std::nullopt;
  const auto delay = was_healthy || next_delay_ == 0 ? numbers_.first_delay : next_delay_;
  next_delay_ = std::min(2 * delay, numbers_.longest_delay);
  return delay;
}

} // namespace tocsin::actors
