#include "io/file/stored_file.hpp"

#include <algorithm>
#include <cerrno>
#include <fcntl.h>
#include <poll.h>
#include <sys/stat.h>
#include <system_error>
#include <unistd.h>

namespace tocsin::io {

namespace {

constexpr int pipe_wait_ms = 50;

template <class Call>
auto repeat_interrupted(Call call) {
  auto outcome = call();
  while (outcome < 0 && errno == EINTR)
    outcome = call();
  return outcome;
}

file_status from(const struct stat& s) {
  file_status status;
  status.id = {static_cast<std::uint64_t>(s.st_dev), static_cast<std::uint64_t>(s.st_ino)};
  status.size = static_cast<std::uint64_t>(s.st_size);
  status.modified_ns = std::int64_t{s.st_mtim.tv_sec} * 1'000'000'000 + s.st_mtim.tv_nsec;
  status.regular = S_ISREG(s.st_mode);
  status.directory = S_ISDIR(s.st_mode);
  return status;
}

} // namespace

error source_error(const std::string& message, bool fatal) {
  return {error_code::source, message, false, fatal};
}

error no_such_file(const std::string& path) {
  return source_error(path + ": no such file; give the path of an existing file, or - for standard input", true);
}

error system_error(const std::string& path, const std::string& what, int error_number) {
  return source_error(path + ": " + what + ": " + std::generic_category().message(error_number));
}

result<file_status> status_of(const std::string& path) {
  struct stat s {};
  if (::stat(path.c_str(), &s) == 0)
    return from(s);
  if (errno == ENOENT || errno == ENOTDIR)
    return file_status{};
  return system_error(path, "cannot be looked up", errno);
}

result<std::unique_ptr<stored_file>> stored_file::open(const std::string& path) {
  // O_NONBLOCK: opening a named pipe without a writer must not hang the thread.
  const int descriptor =
      repeat_interrupted([&] { return ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY); });
  if (descriptor >= 0)
    return adopt(descriptor, path);
  if (errno == ENOENT || errno == ENOTDIR)
    return std::unique_ptr<stored_file>();
  return system_error(path, "cannot be opened", errno);
}

result<std::unique_ptr<stored_file>> stored_file::duplicate(int descriptor, const std::string& name) {
  const int copy = ::fcntl(descriptor, F_DUPFD_CLOEXEC, 0);
  if (copy < 0)
    return system_error(name, "cannot be read", errno);
  return adopt(copy, name);
}

result<std::unique_ptr<stored_file>> stored_file::adopt(int descriptor, const std::string& path) {
  struct stat s {};
  if (::fstat(descriptor, &s) != 0) {
    const int why = errno;
    ::close(descriptor);
    return system_error(path, "cannot be looked up", why);
  }
  if (S_ISDIR(s.st_mode)) {
    ::close(descriptor);
    return source_error(path + ": is a directory; give a file");
  }
  return std::unique_ptr<stored_file>(new stored_file(descriptor, path, from(s)));
}

stored_file::~stored_file() {
  ::close(descriptor_);
}

error stored_file::failure(const std::string& what) const {
  return source_error(path_ + ": " + what);
}

result<file_status> stored_file::status() const {
  struct stat s {};
  if (::fstat(descriptor_, &s) != 0)
    return system_error(path_, "cannot be looked up", errno);
  return from(s);
}

result<stream_chunk> stored_file::read(char* out, std::size_t size, bool may_wait) {
  if (!regular()) {
    pollfd ready{descriptor_, POLLIN, 0};
    const int count = repeat_interrupted([&] { return ::poll(&ready, 1, may_wait ? pipe_wait_ms : 0); });
    if (count == 0)
      return stream_chunk{0, true};
  }
  const auto count = repeat_interrupted([&] { return ::read(descriptor_, out, size); });
  if (count < 0 && (errno == EAGAIN || errno == EWOULDBLOCK))
    return stream_chunk{0, true};
  if (count < 0)
    return system_error(path_, "cannot be read at byte " + std::to_string(offset_), errno);
  offset_ += static_cast<std::uint64_t>(count);
  return stream_chunk{static_cast<std::size_t>(count), false};
}

result<std::uint64_t> stored_file::skip(std::uint64_t count) {
  const auto now = status();
  if (!now)
    return now.failure();
  const auto step = std::min(count, now->size > offset_ ? now->size - offset_ : 0);
  if (::lseek(descriptor_, static_cast<off_t>(step), SEEK_CUR) < 0)
    return system_error(path_, "cannot be positioned", errno);
  offset_ += step;
  return step;
}

result<void> stored_file::rewind() {
  if (::lseek(descriptor_, 0, SEEK_SET) < 0)
    return system_error(path_, "cannot be positioned", errno);
  offset_ = 0;
  return {};
}

result<bool> stored_file::begins_with(std::string_view head) const {
  std::string found(head.size(), '\0');
  const auto count = repeat_interrupted([&] { return ::pread(descriptor_, found.data(), found.size(), 0); });
  if (count < 0)
    return system_error(path_, "cannot be read at byte 0", errno);
  return static_cast<std::size_t>(count) == head.size() && found == head;
}

} // namespace tocsin::io
