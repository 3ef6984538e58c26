#pragma once

#include "io/file/byte_stream.hpp"
#include "io/source.hpp"

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

namespace tocsin::io {

/// How a stream is cut into records.
struct framing_options {
  bool has_header = false; ///< the first line is the header of all others (CSV)
  std::size_t max_record_bytes = std::size_t{1} << 20;
  std::string name = {}; ///< of the stream, for messages
};

enum class framing {
  block,   ///< whole lines were delivered
  waiting, ///< nothing complete now; the writer of the pipe is still there
  end,     ///< the present end of the stream, or its limit
};

/// Cuts one stream into blocks of whole lines. Reads straight into the block; only the incomplete line behind the
/// last newline is kept over. The cuts move with the block size, the records do not. Owned by one thread, like the
/// stream, which must outlive it. An error of the stream comes after the whole lines before it are delivered.
class line_framer {
public:
  /// Bytes at the beginning of the stream by which the file is recognised later.
  static constexpr std::size_t head_limit = 1024;

  /// `base`: the partition's offset of the stream's first byte. `limit`: read only so many bytes of the stream.
  line_framer(byte_stream& stream, const framing_options& options, stream_offset base,
              std::optional<std::uint64_t> limit = std::nullopt);

  /// The next whole lines: at most `max_bytes` of them unless the first is longer. A line longer than
  /// max_record_bytes comes alone, as oversized.
  result<framing> next(std::size_t max_bytes, raw_block& out);
  /// The stream is over: delivers the last line if it has no newline. False if there is none.
  bool finish(raw_block& out);
  /// Goes to the record at `offset` of the partition, at least behind the header. False if the stream ends before.
  result<bool> skip_to(stream_offset offset);
  /// Offset of the first byte that is not delivered.
  stream_offset offset() const { return base_ + static_cast<stream_offset>(delivered_); }
  /// Bytes of the limit that the stream has not given yet; 0 without a limit.
  std::uint64_t limit_left() const { return limit_ ? *limit_ - streamed_ : 0; }
  /// The first bytes of the stream, as far as they are read: at most head_limit.
  const std::string& head() const { return head_; }

private:
  result<stream_chunk> read_stream(char* out, std::size_t size, bool may_wait);
  /// Reads a little into `pending_`; false if nothing came.
  result<bool> read_ahead(std::size_t size, bool may_wait, bool& waiting);
  result<bool> read_header(bool& waiting);
  std::size_t take_pending(char* out, std::size_t room) const;
  void keep(const char* data, std::size_t size, std::size_t from_pending);
  void deliver(raw_block& out, std::size_t size);
  framing deliver_oversized(raw_block& out);
  void begin_oversized(const raw_block& out, std::size_t size, std::size_t from_pending);
  result<framing> skip_oversized(raw_block& out, bool may_wait);
  result<framing> grow(raw_block& out, std::size_t filled, std::size_t from_pending);
  std::size_t first_oversized(const char* data, std::size_t size) const;
  std::size_t pending_size() const { return pending_.size() - pending_begin_; }

  byte_stream& stream_;
  framing_options options_;
  stream_offset base_;
  std::optional<std::uint64_t> limit_;
  std::uint64_t streamed_ = 0;  ///< bytes taken from the stream
  std::uint64_t delivered_ = 0; ///< bytes delivered of it, the header included
  std::string pending_;         ///< read and not delivered: from pending_begin_
  std::size_t pending_begin_ = 0;
  bool starved_ = false; ///< the last call found `pending_` without a newline and nothing to add
  std::shared_ptr<const std::string> header_;
  std::string head_;
  bool in_oversized_ = false;
  std::string excerpt_;
  std::uint64_t oversized_bytes_ = 0; ///< of the oversized line, so far
};

} // namespace tocsin::io
