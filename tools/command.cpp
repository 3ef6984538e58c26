#include "tools/command.hpp"

#include <algorithm>
#include <cstdio>

namespace tocsin::tools {

void print_error(const std::string& message) {
  auto line = message;
  std::replace(line.begin(), line.end(), '\n', ' ');
  std::fprintf(stderr, "tocsin: %s\n", line.c_str());
}

exit_code fail(const io::error& failure) {
  if (failure.code != io::error_code::reader_gone)
    print_error(failure.message);
  return exit_code_of(failure.code);
}

} // namespace tocsin::tools
