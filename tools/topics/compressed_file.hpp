#pragma once

#include "io/result.hpp"
#include "tools/common/output_file.hpp"

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

struct ZSTD_CCtx_s;

namespace tocsin::tools {

/// A zstd file that is written from the start. Owned by one command; one thread. Call close(): only then is everything
/// written, and on the disk.
class compressed_file {
public:
  static io::result<compressed_file> open(const std::string& path);

  io::result<void> write(std::string_view bytes);
  io::result<void> close();
  /// Before compression.
  std::uint64_t size() const { return size_; }

private:
  struct free_context {
    void operator()(ZSTD_CCtx_s* context) const;
  };
  compressed_file(output_file file, std::string path);
  /// `last`: ends the frame.
  io::result<void> compress(std::string_view bytes, bool last);

  output_file file_;
  std::string path_;
  std::unique_ptr<ZSTD_CCtx_s, free_context> context_;
  std::uint64_t size_ = 0;
};

/// Writes a file or a folder's list of names through to the disk.
io::result<void> sync_path(const std::string& path);

} // namespace tocsin::tools
