#include "actors/progress_board.hpp"

namespace tocsin::actors {

pipeline_progress progress_board::read() const {
  const std::lock_guard<std::mutex> lock(mutex_);
  return progress_;
}

void progress_board::finish(std::optional<io::error> failure) {
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    if (finished_)
      return;
    finished_ = true;
    failure_ = std::move(failure);
  }
  ended_.notify_all();
}

bool progress_board::finished() const {
  const std::lock_guard<std::mutex> lock(mutex_);
  return finished_;
}

std::optional<pipeline_outcome> progress_board::wait_for(std::chrono::milliseconds timeout) const {
  std::unique_lock<std::mutex> lock(mutex_);
  if (!ended_.wait_for(lock, timeout, [this] { return finished_; }))
    return std::nullopt;
  pipeline_outcome outcome;
  outcome.failure = failure_;
  outcome.final = progress_;
  return outcome;
}

} // namespace tocsin::actors
