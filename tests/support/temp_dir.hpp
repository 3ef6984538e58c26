#pragma once

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <stdexcept>
#include <string>
#include <string_view>

namespace tocsin::test {

/// A fresh directory that is removed, with all that is in it, when the test ends.
class temp_dir {
public:
  temp_dir() {
    std::string pattern = (std::filesystem::temp_directory_path() / "tocsin-XXXXXX").string();
    if (::mkdtemp(pattern.data()) == nullptr)
      throw std::runtime_error("no temporary directory: " + pattern);
    path_ = pattern;
  }
  ~temp_dir() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  temp_dir(const temp_dir&) = delete;
  temp_dir& operator=(const temp_dir&) = delete;

  const std::string& path() const { return path_; }
  /// Path of a file in the directory.
  std::string file(const std::string& name) const { return path_ + "/" + name; }
  /// Writes a file anew; gives its path.
  std::string write(const std::string& name, std::string_view text) const { return put(name, text, std::ios::trunc); }
  /// Adds to the end of a file; gives its path.
  std::string append(const std::string& name, std::string_view text) const { return put(name, text, std::ios::app); }
  std::string read(const std::string& name) const {
    std::ifstream in(file(name), std::ios::binary);
    std::ostringstream text;
    text << in.rdbuf();
    return text.str();
  }

private:
  std::string put(const std::string& name, std::string_view text, std::ios::openmode mode) const {
    std::ofstream out(file(name), std::ios::binary | std::ios::out | mode);
    out.write(text.data(), static_cast<std::streamsize>(text.size()));
    out.close();
    if (!out)
      throw std::runtime_error("cannot write " + file(name));
    return file(name);
  }
  std::string path_;
};

} // namespace tocsin::test
