#pragma once

#include "actors/pipeline.hpp"

#include <chrono>
#include <string>

namespace tocsin::tools {

/// One line on a terminal that shows where a replay is: bytes, events a second, event time, open incidents. Writes to
/// standard error; silent where that is no terminal. Owned by the thread that waits for the pipeline.
class progress_bar {
public:
  explicit progress_bar(bool quiet);
  void show(const actors::pipeline_progress& now);
  void clear() const;
  /// Measures the speed anew: another pass begins.
  void restart() { start_ = std::chrono::steady_clock::now(); }

private:
  bool visible_;
  std::chrono::steady_clock::time_point start_;
};

/// The table at the end of a replay or a run: what was read, what became of it, what it cost.
std::string summary_table(const actors::pipeline_progress& final, double seconds);

} // namespace tocsin::tools
