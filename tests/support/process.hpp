#pragma once

#include "tests/support/scratch_directory.hpp"

#include <chrono>
#include <optional>
#include <string>
#include <sys/types.h>
#include <vector>

namespace tocsin::test {

/// A program that runs beside the test; its output goes to files that the test may read at any time. Killed, if it
/// still runs, when the test ends. Owned by one test.
class process {
public:
  /// Starts `arguments[0]` with nothing at its standard input.
  explicit process(const std::vector<std::string>& arguments);
  ~process();
  process(const process&) = delete;
  process& operator=(const process&) = delete;

  /// What it wrote so far.
  std::string out() const { return read_bytes(directory_ / "out"); }
  std::string err() const { return read_bytes(directory_ / "err"); }
  pid_t id() const { return pid_; }
  /// Nothing once wait() has seen its end.
  void signal(int number) const;
  /// Waits until it ends by itself; its exit code, or 128 + the signal that ended it.
  int wait();
  /// The same for at most this time; nothing if it still runs.
  std::optional<int> wait(std::chrono::milliseconds most);
  /// The most memory that it had, after it has ended.
  long max_rss_kib() const { return max_rss_kib_; }
  /// Waits until `text` is in its output; false after 10 seconds.
  bool wait_for(const std::string& text) const;

private:
  std::optional<int> reap(int options);

  scratch_directory directory_;
  pid_t pid_ = -1;
  long max_rss_kib_ = 0;
};

/// A program that has ended.
struct finished_process {
  int code = 0;
  std::string out;
  std::string err;
  long max_rss_kib = 0;
};
finished_process run_process(const std::vector<std::string>& arguments);

} // namespace tocsin::test
