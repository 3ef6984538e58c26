#pragma once

#include "io/alert_sink.hpp"

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace tocsin::io {

/// The alert log: newline-delimited JSON, one committed record a line, appended to a file or to standard output.
///
/// The table in the state store is the truth and this is its copy: the log is always a prefix of the committed records'
/// bytes, cut anywhere, and complete() writes the rest. So appends need no fsync: whatever a crash or a power failure
/// takes from the end is written again at the next start. A log that was deleted or rotated away is written again from
/// the first record.
///
/// Owned and used by one thread. Errors: a full disk is retriable, call the same append() again (it goes on where it
/// stopped, in the middle of a line if need be) or complete(). A log that is no prefix of the committed records is
/// fatal and stays as it is. A file that is moved or cut while we write is an error that complete() repairs.
class alert_log : public alert_sink {
public:
  enum class start {
    resume, ///< what is in the file must be ours; it is completed
    fresh,  ///< the first complete() empties the file
  };
  /// An empty path and "-" mean standard output. A stream (standard output, a pipe, a device) cannot be read back:
  /// there, complete() writes the committed records that this object has not written yet.
  explicit alert_log(std::string path, start how = start::resume);
  alert_log(const alert_log&) = delete;
  alert_log& operator=(const alert_log&) = delete;
  ~alert_log() override;

  result<void> complete(state_store& store) override;
  result<void> append(const std::vector<std::string>& alerts) override;

private:
  class log_comparison;

  result<void> open_file();
  /// Finds out how much of the committed records the file holds; refuses a file that holds anything else.
  result<void> compare(state_store& store);
  result<void> cut_after(log_comparison& present);
  result<void> write_missing(state_store& store);
  result<void> check_unchanged() const;
  /// Writes records whose bytes begin at `position_`, except for what is out already.
  result<void> write_lines(std::string_view lines, std::uint64_t records);
  error failure(const std::string& what, int number) const;
  void close_file();

  std::string path_;
  std::string name_; ///< for messages
  bool empty_first_ = false;
  bool is_stream_ = false;
  bool is_complete_ = false; ///< complete() succeeded
  int descriptor_ = -1;
  std::uint64_t records_ = 0;  ///< records that are wholly written
  std::uint64_t position_ = 0; ///< their bytes
  std::uint64_t sent_ = 0;     ///< bytes written; beyond position_ after a write that failed midway
};

} // namespace tocsin::io
