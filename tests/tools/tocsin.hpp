#pragma once

#include "tests/support/process.hpp"

#include <fstream>
#include <string>
#include <vector>

namespace tocsin::test {

/// The command line of the executable under test.
inline std::vector<std::string> tocsin_command(std::vector<std::string> arguments) {
  arguments.insert(arguments.begin(), TOCSIN_EXECUTABLE);
  return arguments;
}

/// Runs `tocsin` with these arguments to its end.
inline finished_process run_tocsin(std::vector<std::string> arguments) {
  return run_process(tocsin_command(std::move(arguments)));
}

/// Writes a file anew; gives its path.
inline std::string written(const scratch_directory& directory, const std::string& name, const std::string& text) {
  write_bytes(directory / name, text);
  return directory / name;
}

/// Adds to the end of a file.
inline void append(const scratch_directory& directory, const std::string& name, const std::string& text) {
  std::ofstream(directory / name, std::ios::binary | std::ios::app) << text;
}

/// Exactly one line, begun by the program's name.
inline bool is_one_error_line(const std::string& text) {
  return text.rfind("tocsin: ", 0) == 0 && text.find('\n') == text.size() - 1;
}

} // namespace tocsin::test
