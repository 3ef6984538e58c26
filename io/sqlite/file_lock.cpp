#include "io/sqlite/file_lock.hpp"

#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <filesystem>
#include <sys/file.h>
#include <system_error>
#include <unistd.h>
#include <utility>

namespace tocsin::io {
namespace {

/// The file behind symbolic links, so that two names of one file share a lock.
std::string lock_name(const std::string& file) {
  std::error_code failed;
  const auto resolved = std::filesystem::weakly_canonical(file, failed);
  return (failed ? file : resolved.string()) + ".lock";
}

/// `process 123`, as the holder wrote it.
std::string holder(int descriptor) {
  char text[32] = {};
  const auto size = ::pread(descriptor, text, sizeof text - 1, 0);
  std::string id(text, size > 0 ? static_cast<std::size_t>(size) : 0);
  id.erase(id.find_last_not_of('\n') + 1);
  return id.empty() ? "another process" : "process " + id;
}

} // namespace

result<file_lock> file_lock::acquire(const std::string& file) {
  const auto name = lock_name(file);
  const int descriptor = ::open(name.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0644);
  if (descriptor < 0) {
    const bool full = errno == ENOSPC || errno == EDQUOT;
    return error{error_code::state,
                 file + ": cannot create the lock file " + name + ": " + std::generic_category().message(errno) +
                     "; the folder must exist and be writable",
                 full, !full};
  }
  file_lock lock(descriptor);
  if (::flock(descriptor, LOCK_EX | LOCK_NB) != 0) {
    if (errno != EWOULDBLOCK)
      return error{error_code::state, file + ": cannot lock " + name + ": " + std::generic_category().message(errno),
                   false, true};
    return error{error_code::state,
                 file + ": this state is in use by " + holder(descriptor) +
                     "; stop that one or name another state file (state.sqlite)",
                 false, true};
  }
  // Only for people and the message above; the lock itself needs no content, so a full disk does not matter here.
  const auto id = std::to_string(::getpid()) + "\n";
  if (::ftruncate(descriptor, 0) == 0 && ::pwrite(descriptor, id.data(), id.size(), 0) < 0)
    errno = 0;
  return lock;
}

file_lock::file_lock(file_lock&& other) noexcept : descriptor_(std::exchange(other.descriptor_, -1)) {}

file_lock& file_lock::operator=(file_lock&& other) noexcept {
  std::swap(descriptor_, other.descriptor_);
  return *this;
}

file_lock::~file_lock() {
  if (descriptor_ >= 0)
    ::close(descriptor_);
}

} // namespace tocsin::io
