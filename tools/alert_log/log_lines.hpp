#pragma once

#include "io/result.hpp"
#include "tools/alert_log/alert_lines.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <sys/types.h>

namespace tocsin::tools {

/// The complete lines of a growing file, or of standard input (`-`). A last line without its end is not a line yet.
/// When following, the file may appear later, be replaced by another of its name (the old one is read to its end first)
/// or be cut (it is read from its start). Owned by one command; one thread; does not wait.
class log_lines final : public alert_lines {
public:
  log_lines(std::string path, bool follow) : path_(std::move(path)), follow_(follow) {}
  log_lines(const log_lines&) = delete;
  log_lines& operator=(const log_lines&) = delete;
  ~log_lines() override;

  io::result<std::optional<std::string>> next() override;
  /// `alerts.ndjson:17`
  std::string place() const override { return path_ + ":" + std::to_string(line_); }

private:
  /// False: there is no such file yet.
  io::result<bool> open();
  /// False: nothing to read now.
  io::result<bool> read_more();
  /// A new file has the name, or the file is shorter than what was read.
  bool is_replaced() const;
  void close();

  std::string path_;
  bool follow_;
  int descriptor_ = -1;
  ino_t inode_ = 0;
  dev_t device_ = 0;
  off_t read_ = 0;
  std::string pending_; ///< bytes that are not handed out, from begin_
  std::size_t begin_ = 0;
  std::size_t searched_ = 0; ///< no line end before here
  std::uint64_t line_ = 0;
};

} // namespace tocsin::tools
