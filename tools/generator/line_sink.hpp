#pragma once

#include "io/result.hpp"
#include "tools/common/output_file.hpp"
#include "tools/generator/profile.hpp"

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace tocsin::generator {

/// Indices of a line's dimension values.
using dimension_values = std::array<std::uint32_t, dimensions>;

/// Where the lines of a generated stream go. Owned by the writer of one stream; one thread. An error ends the stream;
/// only after close() is everything there.
class line_sink {
public:
  virtual ~line_sink() = default;
  /// Into how many parts the stream is to be divided, a viewer staying in one.
  virtual std::size_t partitions() const = 0;
  /// Room for one line of a part ...
  virtual io::result<char*> room(std::size_t partition, std::size_t bytes) = 0;
  /// ... which ends there, line end included.
  virtual io::result<void> commit(std::size_t partition, const char* end, const dimension_values& values) = 0;
  virtual io::result<void> close() = 0;
};

/// Files PATH.0, PATH.1 ..., or PATH alone (`-`: standard output), each with this header.
io::result<std::unique_ptr<line_sink>> open_line_files(const std::string& path, std::uint32_t partitions,
                                                       const std::string& header);

} // namespace tocsin::generator
