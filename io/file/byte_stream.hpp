#pragma once

#include "io/result.hpp"

#include <cstddef>
#include <cstdint>

namespace tocsin::io {

/// What one read gave. No bytes and not `waiting`: the present end.
struct stream_chunk {
  std::size_t size = 0;
  bool waiting = false; ///< nothing yet from a pipe whose writer is still there
};

/// A stream of decoded bytes, read from front to back. Owned by one thread. After an error every read fails again.
class byte_stream {
public:
  virtual ~byte_stream() = default;
  /// Up to `size` bytes. Where they come from a pipe and none are there: waits a moment if `may_wait`.
  virtual result<stream_chunk> read(char* out, std::size_t size, bool may_wait) = 0;
  /// Goes forward by `count` bytes, or to the present end; gives how far it went.
  virtual result<std::uint64_t> skip(std::uint64_t count) = 0;
};

} // namespace tocsin::io
