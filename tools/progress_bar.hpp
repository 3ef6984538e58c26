#pragma once

#include "actors/pipeline.hpp"

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>

namespace tocsin::tools {

/// One line on a terminal that shows where a replay is: bytes, events a second, event time, open incidents. Writes to
/// standard error; silent where that is no terminal. Owned by the thread that waits for the pipeline.
class progress_bar {
public:
  explicit progress_bar(bool quiet);
  void show(const actors::pipeline_progress& now);
  /// How much of the whole is done, from 0 to 1, if that is known.
  void show(std::optional<double> share, const std::string& text);
  void clear() const;
  /// Measures the speed anew: another pass begins.
  void restart() { start_ = std::chrono::steady_clock::now(); }

private:
  bool visible_;
  std::chrono::steady_clock::time_point start_;
};

/// `12.3 MiB`
std::string text_of_bytes(std::uint64_t bytes);
/// `12,345,678`: large counts are compared by eye.
std::string grouped(std::uint64_t number);

/// The table at the end of a replay or a run: what was read, what became of it, what it cost.
std::string summary_table(const actors::pipeline_progress& final, double seconds);

} // namespace tocsin::tools
