#include "io/file/alert_log.hpp"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <poll.h>
#include <sys/stat.h>
#include <system_error>
#include <unistd.h>
#include <utility>

namespace tocsin::io {
namespace {

constexpr std::size_t buffer_size = std::size_t{1} << 20;
/// How long a full pipe may keep us before the append fails (and is tried again).
constexpr int pipe_patience_ms = 1000;

bool is_standard_output(const std::string& path) {
  return path.empty() || path == "-";
}

/// Writes `bytes` and counts in `written` how far it came; errno tells why it stopped.
bool write_all(int descriptor, std::string_view bytes, std::uint64_t& written) {
  while (!bytes.empty()) {
    const auto size = ::write(descriptor, bytes.data(), bytes.size());
    if (size > 0) {
      written += static_cast<std::uint64_t>(size);
      bytes.remove_prefix(static_cast<std::size_t>(size));
      continue;
    }
    if (size < 0 && errno == EINTR)
      continue;
    pollfd ready{descriptor, POLLOUT, 0};
    if (errno != EAGAIN || ::poll(&ready, 1, pipe_patience_ms) == 0)
      return false;
  }
  return true;
}

} // namespace

/// Compares a file, from its beginning, with the bytes that it should hold.
class alert_log::log_comparison {
public:
  explicit log_comparison(int descriptor) : descriptor_(descriptor), buffer_(buffer_size) {}

  /// How many of the next bytes the file holds in the same way: all of them, or less at a difference or at its end.
  std::size_t match(std::string_view expected) {
    std::size_t matched = 0;
    while (matched < expected.size()) {
      if (begin_ == end_ && !refill())
        break;
      const auto size = std::min(end_ - begin_, expected.size() - matched);
      const auto* first = buffer_.data() + begin_;
      const auto same =
          static_cast<std::size_t>(std::mismatch(first, first + size, expected.data() + matched).first - first);
      begin_ += same;
      matched += same;
      if (same < size)
        break;
    }
    return matched;
  }

  /// Nothing but zero bytes is left: what a power failure leaves of appends that did not reach the disk.
  bool only_zeros_left() {
    while (begin_ != end_ || refill()) {
      if (buffer_[begin_++] != '\0')
        return false;
    }
    return true;
  }

  /// The errno of a read that failed, or 0; what failed to be read counts as the end.
  int failed() const { return failed_; }

private:
  bool refill() {
    const auto size = ::pread(descriptor_, buffer_.data(), buffer_.size(), static_cast<off_t>(offset_));
    if (size < 0)
      failed_ = errno;
    begin_ = 0;
    end_ = size > 0 ? static_cast<std::size_t>(size) : 0;
    offset_ += end_;
    return end_ > 0;
  }

  int descriptor_;
  std::vector<char> buffer_;
  std::size_t begin_ = 0;
  std::size_t end_ = 0;
  std::uint64_t offset_ = 0;
  int failed_ = 0;
};

alert_log::alert_log(std::string path, start how)
    : path_(std::move(path)), name_(is_standard_output(path_) ? "standard output" : path_),
      empty_first_(how == start::fresh) {
  if (is_standard_output(path_)) {
    descriptor_ = STDOUT_FILENO;
    is_stream_ = true;
  }
}

alert_log::~alert_log() {
  close_file();
}

void alert_log::close_file() {
  if (descriptor_ >= 0 && !is_standard_output(path_))
    ::close(std::exchange(descriptor_, -1));
}

error alert_log::failure(const std::string& what, int number) const {
  const bool retriable = number == ENOSPC || number == EDQUOT || number == EFBIG || number == EIO || number == EAGAIN;
  const auto code = number == EPIPE ? error_code::reader_gone : error_code::sink;
  return {code, name_ + ": " + what + ": " + std::generic_category().message(number), retriable, !retriable};
}

result<void> alert_log::complete(state_store& store) {
  is_complete_ = false;
  // A stream cannot be read back: what this object has written is all that is known of it.
  if (!is_stream_ || descriptor_ < 0) {
    if (auto opened = open_file(); !opened)
      return opened;
    if (!is_stream_)
      if (auto compared = compare(store); !compared)
        return compared;
  }
  auto written = write_missing(store);
  is_complete_ = written.ok();
  return written;
}

result<void> alert_log::open_file() {
  close_file();
  descriptor_ = ::open(path_.c_str(), O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
  if (descriptor_ < 0)
    return failure("cannot open the alert log", errno);
  struct stat status {};
  if (::fstat(descriptor_, &status) != 0)
    return failure("cannot look at the alert log", errno);
  is_stream_ = !S_ISREG(status.st_mode);
  if (empty_first_ && !is_stream_ && ::ftruncate(descriptor_, 0) != 0)
    return failure("cannot empty the alert log", errno);
  empty_first_ = false;
  return {};
}

result<void> alert_log::compare(state_store& store) {
  records_ = position_ = sent_ = 0;
  log_comparison present(descriptor_);
  bool ended = false;
  const auto take = [&](const std::string& record) -> result<void> {
    if (ended)
      return {};
    const auto size = record.size() + 1;
    sent_ += present.match(record);
    if (sent_ - position_ == record.size())
      sent_ += present.match("\n");
    ended = sent_ - position_ < size;
    if (!ended) {
      position_ = sent_;
      ++records_;
    }
    return {};
  };
  if (auto given = store.alerts(0, take); !given)
    return given;
  return cut_after(present);
}

result<void> alert_log::cut_after(log_comparison& present) {
  const bool ours = present.failed() || present.only_zeros_left();
  if (present.failed())
    return failure("cannot read the alert log", present.failed());
  if (!ours)
    return error{error_code::sink,
                 name_ + ": this alert log is not the one of the state: what was committed ends or differs at line " +
                     std::to_string(records_ + 1) + " (byte " + std::to_string(sent_) +
                     "); move the file away, and it is written again from the state, or name another one (alerts.file)",
                 false, true};
  if (::ftruncate(descriptor_, static_cast<off_t>(sent_)) != 0)
    return failure("cannot cut the alert log", errno);
  return {};
}

result<void> alert_log::write_missing(state_store& store) {
  std::string lines;
  std::uint64_t records = 0;
  const auto flush = [&]() -> result<void> {
    auto written = write_lines(lines, records);
    lines.clear();
    records = 0;
    return written;
  };
  const auto take = [&](const std::string& record) -> result<void> {
    lines += record;
    lines += '\n';
    ++records;
    return lines.size() < buffer_size ? result<void>{} : flush();
  };
  if (auto given = store.alerts(records_, take); !given)
    return given;
  return flush();
}

result<void> alert_log::append(const std::vector<std::string>& alerts) {
  if (!is_complete_)
    return error{error_code::sink, name_ + ": the alert log must be completed before records are appended", false,
                 true};
  if (alerts.empty())
    return {};
  if (!is_stream_)
    if (auto unchanged = check_unchanged(); !unchanged)
      return unchanged;
  std::string lines;
  for (const auto& record : alerts) {
    lines += record;
    lines += '\n';
  }
  return write_lines(lines, alerts.size());
}

result<void> alert_log::check_unchanged() const {
  struct stat ours {};
  struct stat named {};
  if (::fstat(descriptor_, &ours) != 0)
    return failure("cannot look at the alert log", errno);
  const bool same_file =
      ::stat(path_.c_str(), &named) == 0 && named.st_ino == ours.st_ino && named.st_dev == ours.st_dev;
  if (same_file && static_cast<std::uint64_t>(ours.st_size) == sent_)
    return {};
  return error{error_code::sink,
               name_ + ": the alert log was " +
                   (same_file ? "changed (length found " + std::to_string(ours.st_size) + ", expected " +
                                    std::to_string(sent_) + ")"
                              : std::string("moved or deleted")) +
                   " by another program while we write it; it is written again from the state at the next start",
               false, false};
}

result<void> alert_log::write_lines(std::string_view lines, std::uint64_t records) {
  const auto out_already = std::min<std::uint64_t>(sent_ - position_, lines.size());
  const bool whole = write_all(descriptor_, lines.substr(out_already), sent_);
  if (!whole)
    return failure("cannot write the alert log", errno);
  position_ = sent_;
  records_ += records;
  return {};
}

} // namespace tocsin::io
