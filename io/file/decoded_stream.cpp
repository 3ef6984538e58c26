#include "io/file/decoded_stream.hpp"

#include <zlib.h>
#include <zstd.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <limits>
#include <string_view>

namespace tocsin::io {

namespace {

constexpr std::size_t input_bytes = 128 * 1024;
constexpr std::size_t magic_bytes = 4;

/// Whether `found` is the beginning of a magic number, or a magic number is the beginning of it.
bool agrees(std::string_view found, std::string_view magic) {
  const auto common = std::min(found.size(), magic.size());
  return found.substr(0, common) == magic.substr(0, common);
}

/// A skippable frame (as parallel compressors write first): 0x5? 2A 4D 18.
bool agrees_with_skippable(std::string_view found) {
  return !found.empty() && (static_cast<unsigned char>(found[0]) & 0xf0) == 0x50 &&
         agrees(found.substr(1), std::string_view("\x2a\x4d\x18", 3));
}

/// The encoding of a file that begins with `found`; unknown if more bytes are needed.
encoding encoding_of(std::string_view found) {
  const std::string_view gzip_magic("\x1f\x8b\x08", 3);
  const std::string_view zstd_magic("\x28\xb5\x2f\xfd", 4);
  if (agrees(found, gzip_magic))
    return found.size() >= gzip_magic.size() ? encoding::gzip : encoding::unknown;
  if (agrees(found, zstd_magic) || agrees_with_skippable(found))
    return found.size() >= magic_bytes ? encoding::zstd : encoding::unknown;
  return encoding::plain;
}

} // namespace

class decoded_stream::codec {
public:
  struct step {
    std::size_t consumed = 0;
    std::size_t produced = 0;
    const char* failure = nullptr;
  };
  virtual ~codec() = default;
  virtual step decode(const char* in, std::size_t in_size, char* out, std::size_t out_size) = 0;
  /// Between two members or frames: the input may end here.
  virtual bool at_boundary() const = 0;
};

namespace {

class gzip_codec final : public decoded_stream::codec {
public:
  gzip_codec() { ready_ = inflateInit2(&state_, 15 + 16) == Z_OK; }
  ~gzip_codec() override { inflateEnd(&state_); }
  gzip_codec(const gzip_codec&) = delete;
  gzip_codec& operator=(const gzip_codec&) = delete;

  step decode(const char* in, std::size_t in_size, char* out, std::size_t out_size) override {
    if (!ready_)
      return {0, 0, "out of memory"};
    // Tape and block devices pad with zeros behind the last member; gzip(1) ignores them too.
    if (boundary_ && any_member_)
      if (const auto zeros = leading_zeros(in, in_size); zeros > 0)
        return {zeros, 0, nullptr};
    if (boundary_)
      inflateReset(&state_);
    boundary_ = false;
    constexpr std::size_t most = std::numeric_limits<uInt>::max();
    state_.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(in)); // zlib does not write to its input
    state_.avail_in = static_cast<uInt>(std::min(in_size, most));
    state_.next_out = reinterpret_cast<Bytef*>(out);
    state_.avail_out = static_cast<uInt>(std::min(out_size, most));
    const auto given = state_.avail_in;
    const auto room = state_.avail_out;
    const int code = inflate(&state_, Z_NO_FLUSH);
    step done{given - state_.avail_in, room - state_.avail_out, nullptr};
    if (code == Z_STREAM_END)
      boundary_ = any_member_ = true;
    else if (code != Z_OK && code != Z_BUF_ERROR)
      done.failure = state_.msg != nullptr ? state_.msg : "unreadable";
    return done;
  }
  bool at_boundary() const override { return boundary_; }

private:
  static std::size_t leading_zeros(const char* in, std::size_t size) {
    return static_cast<std::size_t>(std::find_if(in, in + size, [](char c) { return c != '\0'; }) - in);
  }
  z_stream state_{};
  bool ready_ = false;
  bool boundary_ = true;
  bool any_member_ = false;
};

class zstd_codec final : public decoded_stream::codec {
public:
  step decode(const char* in, std::size_t in_size, char* out, std::size_t out_size) override {
    if (!state_)
      return {0, 0, "out of memory"};
    ZSTD_inBuffer input{in, in_size, 0};
    ZSTD_outBuffer output{out, out_size, 0};
    const auto code = ZSTD_decompressStream(state_.get(), &output, &input);
    if (ZSTD_isError(code))
      return {input.pos, output.pos, ZSTD_getErrorName(code)};
    boundary_ = code == 0;
    return {input.pos, output.pos, nullptr};
  }
  bool at_boundary() const override { return boundary_; }

private:
  struct free_state {
    void operator()(ZSTD_DStream* state) const { ZSTD_freeDStream(state); }
  };
  std::unique_ptr<ZSTD_DStream, free_state> state_{ZSTD_createDStream()};
  bool boundary_ = true;
};

} // namespace

decoded_stream::decoded_stream(stored_file& file, bool growing) : file_(file), growing_(growing) {}
decoded_stream::~decoded_stream() = default;

error decoded_stream::fail(const std::string& what) {
  const auto at = file_.offset() - (input_end_ - input_begin_);
  failure_ = std::make_unique<error>(source_error(file_.path() + ": " + what + " at stored byte " + std::to_string(at) +
                                                      "; replace the file by an intact copy",
                                                  true));
  return *failure_;
}

result<bool> decoded_stream::detect(bool may_wait, bool& waiting) {
  input_.resize(magic_bytes);
  while (input_end_ < magic_bytes) {
    auto chunk = file_.read(input_.data() + input_end_, magic_bytes - input_end_, may_wait);
    if (!chunk)
      return chunk.failure();
    waiting = chunk->waiting;
    if (chunk->size == 0)
      break;
    input_end_ += chunk->size;
  }
  if (input_end_ == 0)
    return false;
  encoding_ = encoding_of(std::string_view(input_.data(), input_end_));
  if (encoding_ == encoding::unknown && !growing_ && !waiting)
    encoding_ = encoding::plain;
  if (encoding_ == encoding::gzip)
    codec_ = std::make_unique<gzip_codec>();
  if (encoding_ == encoding::zstd)
    codec_ = std::make_unique<zstd_codec>();
  if (codec_)
    input_.resize(input_bytes);
  return encoding_ != encoding::unknown;
}

result<stream_chunk> decoded_stream::read(char* out, std::size_t size, bool may_wait) {
  if (failure_)
    return *failure_;
  if (encoding_ == encoding::unknown) {
    bool waiting = false;
    const auto known = detect(may_wait, waiting);
    if (!known)
      return known.failure();
    if (!*known)
      return stream_chunk{0, waiting};
  }
  return codec_ ? read_compressed(out, size, may_wait) : read_plain(out, size, may_wait);
}

result<stream_chunk> decoded_stream::read_plain(char* out, std::size_t size, bool may_wait) {
  if (input_begin_ == input_end_)
    return file_.read(out, size, may_wait);
  const auto count = std::min(size, input_end_ - input_begin_);
  std::memcpy(out, input_.data() + input_begin_, count);
  input_begin_ += count;
  return stream_chunk{count, false};
}

result<stream_chunk> decoded_stream::read_compressed(char* out, std::size_t size, bool may_wait) {
  while (!ended_) {
    if (input_begin_ == input_end_) {
      auto chunk = file_.read(input_.data(), input_.size(), may_wait);
      if (!chunk || chunk->waiting)
        return chunk;
      input_begin_ = 0;
      input_end_ = chunk->size;
      // Without input the codec may still have decoded bytes to hand out; only then is it the end.
      ended_ = chunk->size == 0;
      if (ended_ && codec_->at_boundary())
        break;
    }
    const auto done = codec_->decode(input_.data() + input_begin_, input_end_ - input_begin_, out, size);
    input_begin_ += done.consumed;
    if (done.failure != nullptr)
      return fail(std::string("damaged ") + (encoding_ == encoding::gzip ? "gzip" : "zstd") + " data (" + done.failure +
                  ")");
    if (done.produced > 0) {
      ended_ = false;
      return stream_chunk{done.produced, false};
    }
    if (ended_ && !codec_->at_boundary())
      return fail(std::string(encoding_ == encoding::gzip ? "gzip" : "zstd") + " data is cut off");
  }
  return stream_chunk{};
}

result<std::uint64_t> decoded_stream::skip(std::uint64_t count) {
  std::uint64_t skipped = 0;
  std::string scratch;
  while (skipped < count) {
    const bool direct = encoding_ == encoding::plain && input_begin_ == input_end_ && file_.regular();
    if (direct) {
      const auto step = file_.skip(count - skipped);
      if (!step)
        return step.failure();
      return skipped + *step;
    }
    scratch.resize(input_bytes);
    const auto want = static_cast<std::size_t>(std::min<std::uint64_t>(scratch.size(), count - skipped));
    const auto chunk = read(scratch.data(), want, true);
    if (!chunk)
      return chunk.failure();
    if (chunk->size == 0)
      break;
    skipped += chunk->size;
  }
  return skipped;
}

} // namespace tocsin::io
