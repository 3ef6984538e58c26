#include "tools/common/output_file.hpp"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <system_error>
#include <unistd.h>
#include <utility>

namespace tocsin::tools {

namespace {
constexpr std::size_t buffer_bytes = std::size_t{1} << 20;
} // namespace

io::result<output_file> output_file::open(const std::string& path) {
  if (path == "-")
    return output_file(STDOUT_FILENO, "standard output");
  const int descriptor = ::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
  if (descriptor < 0)
    return io::error{io::error_code::sink, path + ": cannot be created: " + std::generic_category().message(errno),
                     false, false};
  return output_file(descriptor, path);
}

output_file::output_file(output_file&& other) noexcept
    : descriptor_(std::exchange(other.descriptor_, -1)), name_(std::move(other.name_)),
      buffer_(std::move(other.buffer_)), used_(std::exchange(other.used_, 0)), reader_gone_(other.reader_gone_) {}

output_file::~output_file() {
  if (descriptor_ > STDERR_FILENO)
    ::close(descriptor_);
}

io::error output_file::failed(const char* what, int number) {
  reader_gone_ = number == EPIPE;
  used_ = 0;
  return {reader_gone_ ? io::error_code::reader_gone : io::error_code::sink,
          name_ + ": " + what + ": " +
              (reader_gone_ ? "the reader went away" : std::generic_category().message(number)),
          false, false};
}

io::result<char*> output_file::room(std::size_t bytes) {
  if (buffer_.size() - used_ < bytes) {
    if (auto flushed = flush(); !flushed)
      return flushed.failure();
    buffer_.resize(std::max(buffer_bytes, bytes));
  }
  return buffer_.data() + used_;
}

io::result<void> output_file::write(std::string_view bytes) {
  auto space = room(bytes.size());
  if (!space)
    return space.failure();
  std::memcpy(*space, bytes.data(), bytes.size());
  commit(*space + bytes.size());
  return {};
}

io::result<void> output_file::flush() {
  const char* from = buffer_.data();
  auto left = used_;
  while (left > 0) {
    const auto written = ::write(descriptor_, from, left);
    if (written < 0 && errno == EINTR)
      continue;
    if (written < 0)
      return failed("cannot be written", errno);
    from += written;
    left -= static_cast<std::size_t>(written);
  }
  used_ = 0;
  return {};
}

io::result<void> output_file::close() {
  if (auto flushed = flush(); !flushed)
    return flushed;
  const int descriptor = std::exchange(descriptor_, -1);
  // Some file systems tell of a full disk only here.
  if (descriptor > STDERR_FILENO && ::close(descriptor) != 0)
    return failed("cannot be written", errno);
  return {};
}

} // namespace tocsin::tools
