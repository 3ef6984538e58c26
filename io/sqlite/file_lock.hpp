#pragma once

#include "io/result.hpp"

#include <string>

namespace tocsin::io {

/// Exclusive use of a file among processes: an advisory lock (flock) on `<file>.lock`, which also names the holder. The
/// kernel drops it when the process ends, however it ends; the lock file itself stays.
/// A value, owned by what it protects. Errors: held by another process (fatal), or the lock file cannot be made.
class file_lock {
public:
  static result<file_lock> acquire(const std::string& file);
  file_lock(file_lock&& other) noexcept;
  file_lock& operator=(file_lock&& other) noexcept;
  ~file_lock();

private:
  explicit file_lock(int descriptor) : descriptor_(descriptor) {}
  int descriptor_ = -1;
};

} // namespace tocsin::io
