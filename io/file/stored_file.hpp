#pragma once

#include "io/file/byte_stream.hpp"
#include "io/result.hpp"

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

namespace tocsin::io {

/// Which file a name stands for, whatever it is called.
struct file_id {
  std::uint64_t device = 0;
  std::uint64_t inode = 0;
  friend bool operator==(const file_id& a, const file_id& b) { return a.device == b.device && a.inode == b.inode; }
  friend bool operator!=(const file_id& a, const file_id& b) { return !(a == b); }
};

/// What the file system says about a path.
struct file_status {
  file_id id;
  std::uint64_t size = 0;
  std::int64_t modified_ns = 0;
  bool regular = false;
  bool directory = false;
};

/// An open file or pipe: its bytes as stored. Owned by one thread; closes its descriptor.
/// Errors name the path; an interrupted call is repeated.
class stored_file {
public:
  /// Opens for reading; null if nothing has that name. A directory is an error.
  static result<std::unique_ptr<stored_file>> open(const std::string& path);
  /// Reads from a duplicate of `descriptor`, named `name` in messages.
  static result<std::unique_ptr<stored_file>> duplicate(int descriptor, const std::string& name);
  ~stored_file();
  stored_file(const stored_file&) = delete;
  stored_file& operator=(const stored_file&) = delete;

  const std::string& path() const { return path_; }
  const file_id& id() const { return opened_.id; }
  /// Can be read again from any offset (no pipe, no terminal).
  bool regular() const { return opened_.regular; }
  /// Stored bytes read or skipped so far.
  std::uint64_t offset() const { return offset_; }
  /// As the open file is now.
  result<file_status> status() const;

  result<stream_chunk> read(char* out, std::size_t size, bool may_wait);
  /// Goes forward, at most to the present end; regular files only.
  result<std::uint64_t> skip(std::uint64_t count);
  /// Goes to the beginning; regular files only.
  result<void> rewind();
  /// Whether the file begins with `head` at this moment; regular files only.
  result<bool> begins_with(std::string_view head) const;
  /// An error of this file: "path: what".
  error failure(const std::string& what) const;

private:
  stored_file(int descriptor, std::string path, const file_status& opened)
      : descriptor_(descriptor), path_(std::move(path)), opened_(opened) {}
  static result<std::unique_ptr<stored_file>> adopt(int descriptor, const std::string& path);

  int descriptor_;
  std::string path_;
  file_status opened_;
  std::uint64_t offset_ = 0;
};

/// An error of a source, not worth a retry unless said so.
error source_error(const std::string& message, bool fatal = false);
/// The error for an input that is not there.
error no_such_file(const std::string& path);
/// "path: what: No such file or directory", from errno.
error system_error(const std::string& path, const std::string& what, int error_number);
/// The status of a path; size 0 and inode 0 if nothing has that name.
result<file_status> status_of(const std::string& path);

} // namespace tocsin::io
