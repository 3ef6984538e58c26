#include "actors/commit_policy.hpp"

#include <algorithm>

namespace tocsin::actors {

std::optional<time_ms> commit_policy::delay(time_ms now) const {
  if (in_flight_ || uncommitted_ == 0)
    return std::nullopt;
  return started_at_ ? std::max<time_ms>(0, *started_at_ + interval_ - now) : 0;
}

void commit_policy::closed(time_ms now) {
  ++uncommitted_;
  if (overdue(now))
    ++waiting_;
}

void commit_policy::started(time_ms now) {
  started_at_ = now;
  in_flight_ = true;
  uncommitted_ = 0;
  waiting_ = 0;
}

void commit_policy::finished() {
  in_flight_ = false;
}

} // namespace tocsin::actors
