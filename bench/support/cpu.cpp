#include "bench/support/cpu.hpp"

#include <algorithm>
#include <ctime>
#include <fstream>
#include <sched.h>
#include <string>
#include <unistd.h>

namespace tocsin::bench {

namespace {

std::int64_t read_clock(clockid_t clock) {
  timespec now{};
  clock_gettime(clock, &now);
  return std::int64_t{now.tv_sec} * 1'000'000'000 + now.tv_nsec;
}

/// Nanoseconds that all cores together have worked.
double busy_ns() {
  std::ifstream in("/proc/stat");
  std::string name;
  double user = 0, nice = 0, system = 0, idle = 0, waiting = 0, interrupts = 0, soft = 0, stolen = 0;
  in >> name >> user >> nice >> system >> idle >> waiting >> interrupts >> soft >> stolen;
  return (user + nice + system + interrupts + soft + stolen) * 1e9 / static_cast<double>(sysconf(_SC_CLK_TCK));
}

} // namespace

std::int64_t process_cpu_ns() {
  return read_clock(CLOCK_PROCESS_CPUTIME_ID);
}

std::int64_t thread_cpu_ns() {
  return read_clock(CLOCK_THREAD_CPUTIME_ID);
}

std::int64_t wall_ns() {
  return read_clock(CLOCK_MONOTONIC);
}

void use_cores(int cores) {
  cpu_set_t set;
  CPU_ZERO(&set);
  const auto all = static_cast<int>(sysconf(_SC_NPROCESSORS_ONLN));
  for (int i = 0; i < (cores == 0 ? all : std::min(cores, all)); ++i)
    CPU_SET(static_cast<std::size_t>(i), &set);
  sched_setaffinity(0, sizeof set, &set);
}

double median(std::vector<double> values) {
  if (values.empty())
    return 0;
  const auto middle = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
  std::nth_element(values.begin(), middle, values.end());
  return *middle;
}

stopwatch::stopwatch() : cpu_(process_cpu_ns()), wall_(wall_ns()), busy_(busy_ns()) {}

double stopwatch::foreign_cores() const {
  return std::max(0.0, (busy_ns() - busy_ - cpu_ns()) / wall());
}

} // namespace tocsin::bench
