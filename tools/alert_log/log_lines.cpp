#include "tools/alert_log/log_lines.hpp"

#include <cerrno>
#include <fcntl.h>
#include <sys/stat.h>
#include <system_error>
#include <unistd.h>

namespace tocsin::tools {

namespace {

constexpr std::size_t chunk_bytes = std::size_t{1} << 16;

io::error unreadable(const std::string& path, int number) {
  return {io::error_code::source, path + ": cannot be read: " + std::generic_category().message(number), false, false};
}

} // namespace

log_lines::~log_lines() {
  close();
}

void log_lines::close() {
  if (descriptor_ > STDERR_FILENO)
    ::close(descriptor_);
  descriptor_ = -1;
  read_ = 0;
  pending_.clear();
  begin_ = searched_ = 0;
  line_ = 0;
}

io::result<bool> log_lines::open() {
  descriptor_ = path_ == "-" ? STDIN_FILENO : ::open(path_.c_str(), O_RDONLY | O_CLOEXEC);
  if (descriptor_ < 0 && errno == ENOENT && follow_)
    return false;
  if (descriptor_ < 0)
    return unreadable(path_, errno);
  struct stat status {};
  if (::fstat(descriptor_, &status) != 0)
    return unreadable(path_, errno);
  inode_ = status.st_ino;
  device_ = status.st_dev;
  return true;
}

bool log_lines::is_replaced() const {
  struct stat status {};
  // While a rotated file has no successor yet, it stays the one to read.
  if (path_ == "-" || ::stat(path_.c_str(), &status) != 0)
    return false;
  return status.st_ino != inode_ || status.st_dev != device_ || (S_ISREG(status.st_mode) && status.st_size < read_);
}

io::result<bool> log_lines::read_more() {
  pending_.erase(0, begin_);
  searched_ -= begin_;
  begin_ = 0;
  const auto had = pending_.size();
  pending_.resize(had + chunk_bytes);
  ssize_t got = 0;
  do
    got = ::read(descriptor_, pending_.data() + had, chunk_bytes);
  while (got < 0 && errno == EINTR);
  const auto number = errno;
  pending_.resize(had + (got > 0 ? static_cast<std::size_t>(got) : 0));
  if (got < 0)
    return unreadable(path_, number);
  read_ += got;
  return got > 0;
}

io::result<std::optional<std::string>> log_lines::next() {
  using line = std::optional<std::string>;
  for (;;) {
    const auto end = pending_.find('\n', searched_);
    if (end != std::string::npos) {
      line found = pending_.substr(begin_, end - begin_);
      begin_ = searched_ = end + 1;
      ++line_;
      return found;
    }
    searched_ = pending_.size();
    if (descriptor_ < 0) {
      const auto opened = open();
      if (!opened)
        return opened.failure();
      if (!*opened)
        return line();
    }
    // Asked before the read: what the old file got until it was replaced is read first.
    const bool replaced = follow_ && is_replaced();
    const auto more = read_more();
    if (!more)
      return more.failure();
    if (*more)
      continue;
    if (!replaced)
      return line();
    close();
  }
}

} // namespace tocsin::tools
