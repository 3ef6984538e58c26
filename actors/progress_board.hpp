#pragma once

#include "actors/pipeline.hpp"
#include "io/result.hpp"

#include <chrono>
#include <condition_variable>
#include <mutex>
#include <optional>
#include <utility>

namespace tocsin::actors {

/// Where the actors of a pipeline write how far they are, and where its owner reads it and waits for the end.
/// Shared by all of them; every call is thread-safe and short.
class progress_board {
public:
  /// Changes the progress under the lock: `change(pipeline_progress&)`.
  template <class Change>
  void update(Change change) {
    const std::lock_guard<std::mutex> lock(mutex_);
    change(progress_);
  }
  pipeline_progress read() const;

  /// The pipeline has come to its end. Only the first call counts.
  void finish(std::optional<io::error> failure);
  bool finished() const;
  /// Present when finished within the time.
  std::optional<pipeline_outcome> wait_for(std::chrono::milliseconds timeout) const;

private:
  mutable std::mutex mutex_;
  mutable std::condition_variable ended_;
  pipeline_progress progress_;
  bool finished_ = false;
  std::optional<io::error> failure_;
};

} // namespace tocsin::actors
