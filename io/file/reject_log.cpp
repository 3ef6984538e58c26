#include "io/file/reject_log.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <cerrno>
#include <fcntl.h>
#include <string_view>
#include <sys/stat.h>
#include <system_error>
#include <unistd.h>
#include <utility>

namespace tocsin::io {

namespace {

error sink_error(const std::string& path, const std::string& what, int error_number) {
  return {error_code::sink, path + ": " + what + ": " + std::generic_category().message(error_number), true, false};
}

/// One line of the log, with its line end.
std::string render(const reject& record, const std::vector<std::string>& names) {
  nlohmann::ordered_json line;
  line["partition"] = record.partition < names.size() ? names[record.partition] : std::to_string(record.partition);
  line["offset"] = record.offset;
  line["reason"] = name_of(record.reason);
  line["detail"] = record.detail;
  line["excerpt"] = record.excerpt;
  return line.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace) + "\n";
}

class reject_log final : public reject_sink {
public:
  reject_log(int descriptor, std::string path, std::vector<std::string> names)
      : descriptor_(descriptor), path_(std::move(path)), names_(std::move(names)) {}
  ~reject_log() override { ::close(descriptor_); }
  reject_log(const reject_log&) = delete;
  reject_log& operator=(const reject_log&) = delete;

  result<void> cut_torn_line();
  result<void> write(const std::vector<reject>& rejects) override;

private:
  int descriptor_;
  std::string path_;
  std::vector<std::string> names_;
};

result<void> reject_log::cut_torn_line() {
  struct stat status {};
  if (::fstat(descriptor_, &status) != 0)
    return sink_error(path_, "cannot be looked up", errno);
  if (!S_ISREG(status.st_mode))
    return {};
  off_t end = status.st_size;
  char piece[4096];
  while (end > 0) {
    const off_t begin = std::max<off_t>(0, end - static_cast<off_t>(sizeof piece));
    const auto count = ::pread(descriptor_, piece, static_cast<std::size_t>(end - begin), begin);
    if (count < 0)
      return sink_error(path_, "cannot be read", errno);
    const auto newline = std::string_view(piece, static_cast<std::size_t>(count)).rfind('\n');
    end = newline == std::string_view::npos ? begin : begin + static_cast<off_t>(newline) + 1;
    if (newline != std::string_view::npos)
      break;
  }
  if (end < status.st_size && ::ftruncate(descriptor_, end) != 0)
    return sink_error(path_, "cannot be cut behind its last whole line", errno);
  return {};
}

result<void> reject_log::write(const std::vector<reject>& rejects) {
  std::string lines;
  for (const auto& record : rejects)
    lines += render(record, names_);
  const auto before = ::lseek(descriptor_, 0, SEEK_END);
  std::string_view rest(lines);
  while (!rest.empty()) {
    const auto count = ::write(descriptor_, rest.data(), rest.size());
    if (count < 0 && errno == EINTR)
      continue;
    if (count < 0) {
      const int why = errno;
      // A half written line would make the file invalid. If it cannot be cut now, it is when the file is opened next.
      const bool torn = before >= 0 && rest.size() < lines.size() && ::ftruncate(descriptor_, before) != 0;
      return sink_error(path_, torn ? "cannot be written, its last line is torn" : "cannot be written", why);
    }
    rest.remove_prefix(static_cast<std::size_t>(count));
  }
  return {};
}

} // namespace

result<std::unique_ptr<reject_sink>> open_reject_log(const std::string& path,
                                                     std::vector<std::string> partition_names) {
  const int descriptor = ::open(path.c_str(), O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
  if (descriptor < 0)
    return sink_error(path, "cannot be opened for writing", errno);
  auto log = std::make_unique<reject_log>(descriptor, path, std::move(partition_names));
  if (const auto ready = log->cut_torn_line(); !ready)
    return ready.failure();
  return std::unique_ptr<reject_sink>(std::move(log));
}

} // namespace tocsin::io
