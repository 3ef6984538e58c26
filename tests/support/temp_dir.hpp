#pragma once

#include "tests/support/scratch_directory.hpp"

#include <fstream>
#include <stdexcept>
#include <string>
#include <string_view>

namespace tocsin::test {

/// A scratch directory whose files a test writes, grows and reads by name.
class temp_dir {
public:
  std::string path() const { return directory_ / ""; }
  /// Path of a file in the directory.
  std::string file(const std::string& name) const { return directory_ / name; }
  /// Writes a file anew; gives its path.
  std::string write(const std::string& name, std::string_view text) const { return put(name, text, std::ios::trunc); }
  /// Adds to the end of a file; gives its path.
  std::string append(const std::string& name, std::string_view text) const { return put(name, text, std::ios::app); }
  std::string read(const std::string& name) const { return read_bytes(file(name)); }

private:
  std::string put(const std::string& name, std::string_view text, std::ios::openmode mode) const {
    std::ofstream out(file(name), std::ios::binary | std::ios::out | mode);
    out.write(text.data(), static_cast<std::streamsize>(text.size()));
    out.close();
    if (!out)
      throw std::runtime_error("cannot write " + file(name));
    return file(name);
  }
  scratch_directory directory_;
};

} // namespace tocsin::test
