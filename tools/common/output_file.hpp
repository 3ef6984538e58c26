#pragma once

#include "io/result.hpp"

#include <string>
#include <string_view>

namespace tocsin::tools {

/// A file that is written from the start, or standard output (`-`), through a buffer of 1 MiB. Owned by one command;
/// one thread. Every failure (full disk, closed pipe) is an error that names the file; after one, writing goes nowhere.
/// Call close(): only then is everything written and checked.
class output_file {
public:
  static io::result<output_file> open(const std::string& path);
  output_file(output_file&& other) noexcept;
  output_file& operator=(output_file&& other) = delete;
  ~output_file();

  /// Room of at least `bytes` in the buffer to write into; `commit` tells how much was used.
  io::result<char*> room(std::size_t bytes);
  void commit(const char* end) { used_ = static_cast<std::size_t>(end - buffer_.data()); }
  io::result<void> write(std::string_view bytes);
  io::result<void> flush();
  io::result<void> close();
  /// The last failure was a reader that went away.
  bool reader_gone() const { return reader_gone_; }

private:
  output_file(int descriptor, std::string name) : descriptor_(descriptor), name_(std::move(name)) {}
  io::error failed(const char* what, int number);

  int descriptor_;
  std::string name_;
  std::string buffer_;
  std::size_t used_ = 0;
  bool reader_gone_ = false;
};

} // namespace tocsin::tools
