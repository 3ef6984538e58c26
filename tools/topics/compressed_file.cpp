#include "tools/topics/compressed_file.hpp"

#include <zstd.h>

#include <cerrno>
#include <fcntl.h>
#include <system_error>
#include <unistd.h>
#include <utility>

namespace tocsin::tools {

void compressed_file::free_context::operator()(ZSTD_CCtx_s* context) const {
  ZSTD_freeCCtx(context);
}

compressed_file::compressed_file(output_file file, std::string path)
    : file_(std::move(file)), path_(std::move(path)), context_(ZSTD_createCCtx()) {
  ZSTD_CCtx_setParameter(context_.get(), ZSTD_c_checksumFlag, 1);
}

io::result<compressed_file> compressed_file::open(const std::string& path) {
  auto file = output_file::open(path);
  if (!file)
    return file.failure();
  return compressed_file(std::move(*file), path);
}

io::result<void> compressed_file::compress(std::string_view bytes, bool last) {
  ZSTD_inBuffer in{bytes.data(), bytes.size(), 0};
  for (;;) {
    auto room = file_.room(ZSTD_CStreamOutSize());
    if (!room)
      return room.failure();
    ZSTD_outBuffer out{*room, ZSTD_CStreamOutSize(), 0};
    const auto left = ZSTD_compressStream2(context_.get(), &out, &in, last ? ZSTD_e_end : ZSTD_e_continue);
    if (ZSTD_isError(left) != 0)
      return io::error{io::error_code::sink, path_ + ": cannot be compressed: " + ZSTD_getErrorName(left), false, true};
    file_.commit(*room + out.pos);
    if (last ? left == 0 : in.pos == in.size)
      return {};
  }
}

io::result<void> compressed_file::write(std::string_view bytes) {
  size_ += bytes.size();
  return compress(bytes, false);
}

io::result<void> compressed_file::close() {
  if (auto ended = compress({}, true); !ended)
    return ended;
  if (auto closed = file_.close(); !closed)
    return closed;
  return sync_path(path_);
}

io::result<void> sync_path(const std::string& path) {
  const int descriptor = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  const bool synced = descriptor >= 0 && ::fsync(descriptor) == 0;
  const int number = errno;
  if (descriptor >= 0)
    ::close(descriptor);
  if (synced)
    return {};
  return io::error{io::error_code::sink, path + ": cannot be written: " + std::generic_category().message(number),
                   false, false};
}

} // namespace tocsin::tools
