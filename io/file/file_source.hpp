#pragma once

#include "io/result.hpp"
#include "io/source.hpp"

#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace tocsin::io {

/// What to read, and how.
struct file_source_options {
  std::vector<std::string> paths; ///< "-" is standard input
  bool use_stdin = false;         ///< the same as one more path "-"
  bool sequence = false;          ///< the files follow each other as one partition, named after the first
  /// Wait at the present end for more, and go on with the next file when one is rotated. Otherwise the present end is
  /// the end.
  bool follow = false;
  bool has_header = false; ///< CSV: the first line of each file is the header of its records
  std::size_t max_record_bytes = std::size_t{1} << 20;
  int stdin_descriptor = 0; ///< stays open as long as the source is read
  /// Told of losses that do not stop the reading (a file truncated in place). Called by the reading thread.
  std::function<void(const std::string&)> on_warning;
};

/// A source over files and standard input: plain, gzip (also of several members) or zstd (of several frames), told
/// apart by their first bytes. Each path is a partition (standard input is named "-"), unless `sequence`.
///
/// Offsets are bytes of the decoded stream of a partition: its files one behind the other. A CSV header counts, but is
/// in no block, so that behind it `begin` is greater than the `next_offset` before. A block holds lines of one file.
/// A last line without newline is a record when its file is finished: at its end when not following, when the next
/// file has begun when following.
///
/// Following: a path that does not exist yet is waited for. A file is *rotated* when its path names another, non-empty
/// file; what the old one still got is read first, and rotated files that came in between (`path.1`,
/// `path-20260131.gz`, by modification time) are read before the present one. A file that shrank, or has another
/// beginning (copytruncate), continues as a new file; what it held beyond the bytes read is lost and on_warning is
/// told. Compressed files are not followed beyond the end they had when read.
///
/// A committed position names the files by inode and by their first decoded KiB; seek() finds them again under their
/// path or next to it under a longer name, compressed since or not. Files that are gone are a fatal error that
/// says which bytes are missing. Standard input, and a pipe, cannot be sought; they end when the writer closes them,
/// and read() gives `idle` while the writer is silent, following or not.
///
/// Errors: a missing, unreadable or repeated path, a directory, damaged or cut off compressed data. Single-threaded.
result<std::unique_ptr<source>> open_file_source(file_source_options options);

} // namespace tocsin::io
