#include "bench/support/process.hpp"

#include <fstream>
#include <string>

namespace tocsin::bench {

double resident_bytes() {
  std::ifstream status("/proc/self/statm");
  double total = 0, resident = 0;
  status >> total >> resident;
  return resident * 4096;
}

double written_bytes() {
  std::ifstream in("/proc/self/io");
  std::string name;
  for (double value = 0; in >> name >> value;)
    if (name == "write_bytes:")
      return value;
  return 0;
}

} // namespace tocsin::bench
