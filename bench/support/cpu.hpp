#pragma once

#include <cstdint>
#include <vector>

namespace tocsin::bench {

/// Nanoseconds of CPU time that this process, or the calling thread, has used.
std::int64_t process_cpu_ns();
std::int64_t thread_cpu_ns();
std::int64_t wall_ns();

/// Keeps the calling thread, and threads it starts later, on the machine's first `cores` cores (0: any core).
void use_cores(int cores);

/// Middle value; 0 if there is none.
double median(std::vector<double> values);

/// What a piece of work cost: CPU time of the process beside wall time, and how busy others kept the machine. Value.
class stopwatch {
public:
  stopwatch();
  double cpu_ns() const { return static_cast<double>(process_cpu_ns() - cpu_); }
  double wall() const { return static_cast<double>(wall_ns() - wall_); }
  /// Cores' worth of work that other processes did meanwhile (from /proc/stat).
  double foreign_cores() const;

private:
  std::int64_t cpu_;
  std::int64_t wall_;
  double busy_;
};

} // namespace tocsin::bench
