#include "io/file/line_framer.hpp"

#include "io/file/stored_file.hpp"

#include <algorithm>
#include <cstring>

namespace tocsin::io {

namespace {

constexpr std::size_t excerpt_bytes = 200;
constexpr std::size_t probe_bytes = 4096;
constexpr std::size_t discard_bytes = 64 * 1024;

/// Makes room for `size` bytes and their padding. Never shrinks, so that a recycled block is not zeroed again.
void reserve(std::string& data, std::size_t size) {
  if (data.size() < size + block_padding)
    data.resize(size + block_padding);
}

/// Index of the first newline, or npos.
std::size_t find_newline(const char* data, std::size_t size) {
  const auto* at = static_cast<const char*>(std::memchr(data, '\n', size));
  return at == nullptr ? std::string::npos : static_cast<std::size_t>(at - data);
}

/// Length of the whole lines at the beginning.
std::size_t whole_lines(const char* data, std::size_t size) {
  const auto* at = static_cast<const char*>(::memrchr(data, '\n', size));
  return at == nullptr ? 0 : static_cast<std::size_t>(at - data) + 1;
}

} // namespace

line_framer::line_framer(byte_stream& stream, const framing_options& options, stream_offset base,
                         std::optional<std::uint64_t> limit)
    : stream_(stream), options_(options), base_(base), limit_(limit) {}

result<stream_chunk> line_framer::read_stream(char* out, std::size_t size, bool may_wait) {
  if (limit_)
    size = static_cast<std::size_t>(std::min<std::uint64_t>(size, *limit_ - streamed_));
  if (size == 0)
    return stream_chunk{};
  auto chunk = stream_.read(out, size, may_wait);
  if (!chunk)
    return chunk;
  if (head_.size() == streamed_ && head_.size() < head_limit)
    head_.append(out, std::min(chunk->size, head_limit - head_.size()));
  streamed_ += chunk->size;
  return chunk;
}

result<bool> line_framer::read_ahead(std::size_t size, bool may_wait, bool& waiting) {
  char probe[probe_bytes];
  const auto chunk = read_stream(probe, std::min(size, probe_bytes), may_wait);
  if (!chunk)
    return chunk.failure();
  waiting = chunk->waiting;
  keep(probe, chunk->size, pending_size());
  return chunk->size > 0;
}

std::size_t line_framer::take_pending(char* out, std::size_t room) const {
  const auto count = std::min(room, pending_size());
  std::memcpy(out, pending_.data() + pending_begin_, count);
  return count;
}

/// Puts bytes behind the last `from_pending` bytes of what is pending; the ones before are consumed.
void line_framer::keep(const char* data, std::size_t size, std::size_t from_pending) {
  pending_begin_ = pending_.size() - from_pending;
  if (size == 0 && from_pending > 0)
    return;
  pending_.erase(0, pending_begin_);
  pending_begin_ = 0;
  pending_.append(data, size);
}

void line_framer::deliver(raw_block& out, std::size_t size) {
  out.begin = offset();
  out.size = size;
  std::memset(out.data.data() + size, 0, block_padding);
  delivered_ += size;
  out.next_offset = offset();
  out.header = header_;
}

result<bool> line_framer::read_header(bool& waiting) {
  for (;;) {
    const auto at = find_newline(pending_.data() + pending_begin_, pending_size());
    const auto length = std::min(at, pending_size());
    if (length > options_.max_record_bytes)
      return source_error(options_.name + ": the header line at byte " + std::to_string(base_) + " is longer than " +
                              std::to_string(options_.max_record_bytes) + " bytes; the first line must name the fields",
                          true);
    if (at != std::string::npos) {
      std::string line = pending_.substr(pending_begin_, at);
      if (!line.empty() && line.back() == '\r')
        line.pop_back();
      header_ = std::make_shared<const std::string>(std::move(line));
      pending_begin_ += at + 1;
      delivered_ += at + 1;
      return true;
    }
    auto more = read_ahead(probe_bytes, true, waiting);
    if (!more || !*more)
      return more;
  }
}

result<framing> line_framer::next(std::size_t max_bytes, raw_block& out) {
  bool waiting = false;
  bool may_wait = pending_size() == 0;
  if (options_.has_header && !header_) {
    const auto complete = read_header(waiting);
    if (!complete)
      return complete.failure();
    if (!*complete)
      return waiting ? framing::waiting : framing::end;
  }
  if (in_oversized_)
    return skip_oversized(out, true);

  // A follower asks often and mostly in vain: then touch neither the block nor the incomplete line.
  if (starved_) {
    const auto more = read_ahead(probe_bytes, true, waiting);
    if (!more)
      return more.failure();
    if (!*more)
      return waiting ? framing::waiting : framing::end;
    may_wait = false;
  }

  max_bytes = std::max<std::size_t>(max_bytes, 1);
  reserve(out.data, max_bytes);
  char* data = out.data.data();
  const auto from_pending = take_pending(data, max_bytes);
  auto filled = from_pending;
  std::optional<error> failure;
  while (filled < max_bytes) {
    const auto chunk = read_stream(data + filled, max_bytes - filled, may_wait);
    if (!chunk)
      failure = chunk.failure();
    if (!chunk || chunk->size == 0) {
      waiting = chunk && chunk->waiting;
      break;
    }
    filled += chunk->size;
    may_wait = false;
  }

  const auto lines = whole_lines(data, filled);
  const auto good = first_oversized(data, lines);
  if (good > 0) {
    keep(data + std::max(good, from_pending), filled - std::max(good, from_pending),
         pending_size() - std::min(good, from_pending));
    starved_ = false;
    deliver(out, good);
    return framing::block;
  }
  if (lines > 0 || filled > options_.max_record_bytes) {
    begin_oversized(out, filled, from_pending);
    return skip_oversized(out, false);
  }
  if (filled == max_bytes && !failure)
    return grow(out, filled, from_pending);
  keep(data + from_pending, filled - from_pending, pending_size());
  starved_ = pending_size() > 0;
  if (failure)
    return *failure;
  return waiting ? framing::waiting : framing::end;
}

/// The block is full and holds one incomplete line: reads on until the line ends or is too long.
result<framing> line_framer::grow(raw_block& out, std::size_t filled, std::size_t from_pending) {
  for (;;) {
    const auto target = std::min(std::max<std::size_t>(2 * filled, probe_bytes), options_.max_record_bytes + 1);
    reserve(out.data, target);
    char* data = out.data.data();
    std::size_t added = std::min(target - filled, pending_size() - from_pending);
    std::memcpy(data + filled, pending_.data() + pending_begin_ + from_pending, added);
    from_pending += added;
    result<stream_chunk> chunk = stream_chunk{};
    if (added == 0) {
      chunk = read_stream(data + filled, target - filled, false);
      added = chunk ? chunk->size : 0;
    }
    const auto at = find_newline(data + filled, added);
    const auto before = filled;
    filled += added;
    if (at != std::string::npos) {
      const auto size = before + at + 1;
      keep(data + std::max(size, from_pending), filled - std::max(size, from_pending),
           pending_size() - std::min(size, from_pending));
      starved_ = false;
      deliver(out, size);
      return framing::block;
    }
    if (filled > options_.max_record_bytes) {
      begin_oversized(out, filled, from_pending);
      return skip_oversized(out, false);
    }
    if (added == 0) {
      keep(data + from_pending, filled - from_pending, pending_size());
      starved_ = true;
      if (!chunk)
        return chunk.failure();
      return chunk->waiting ? framing::waiting : framing::end;
    }
  }
}

/// Where the first line longer than max_record_bytes begins in whole lines; `size` if there is none.
std::size_t line_framer::first_oversized(const char* data, std::size_t size) const {
  const auto window = options_.max_record_bytes + 1;
  std::size_t begin = 0;
  while (size - begin > window) {
    const auto lines = whole_lines(data + begin, window);
    if (lines == 0)
      return begin;
    begin += lines;
  }
  return size;
}

/// `out` begins with `size` bytes that begin with an oversized line.
void line_framer::begin_oversized(const raw_block& out, std::size_t size, std::size_t from_pending) {
  excerpt_.assign(out.data, 0, std::min({size, excerpt_bytes, options_.max_record_bytes}));
  keep(out.data.data() + from_pending, size - from_pending, pending_size());
  in_oversized_ = true;
  oversized_bytes_ = 0;
}

result<framing> line_framer::skip_oversized(raw_block& out, bool may_wait) {
  const auto end_line = [&](std::size_t newline) {
    in_oversized_ = false;
    starved_ = false;
    oversized_bytes_ += newline + 1;
    return deliver_oversized(out);
  };
  const auto at = find_newline(pending_.data() + pending_begin_, pending_size());
  if (at != std::string::npos) {
    pending_begin_ += at + 1;
    return end_line(at);
  }
  oversized_bytes_ += pending_size();
  keep("", 0, 0);

  reserve(out.data, discard_bytes);
  for (;;) {
    const auto chunk = read_stream(out.data.data(), discard_bytes, may_wait);
    if (!chunk)
      return chunk.failure();
    if (chunk->size == 0)
      return chunk->waiting ? framing::waiting : framing::end;
    const auto newline = find_newline(out.data.data(), chunk->size);
    if (newline != std::string::npos) {
      keep(out.data.data() + newline + 1, chunk->size - newline - 1, 0);
      return end_line(newline);
    }
    oversized_bytes_ += chunk->size;
  }
}

framing line_framer::deliver_oversized(raw_block& out) {
  reserve(out.data, excerpt_.size());
  std::memcpy(out.data.data(), excerpt_.data(), excerpt_.size());
  deliver(out, excerpt_.size());
  delivered_ += oversized_bytes_ - excerpt_.size();
  out.next_offset = offset();
  out.oversized = true;
  return framing::block;
}

bool line_framer::finish(raw_block& out) {
  if (options_.has_header && !header_) {
    delivered_ += pending_size();
    keep("", 0, 0);
    return false;
  }
  if (in_oversized_) {
    in_oversized_ = false;
    deliver_oversized(out);
    return true;
  }
  if (pending_size() == 0)
    return false;
  const auto size = pending_size();
  reserve(out.data, size);
  take_pending(out.data.data(), size);
  keep("", 0, 0);
  starved_ = false;
  deliver(out, size);
  return true;
}

result<bool> line_framer::skip_to(stream_offset offset) {
  bool waiting = false;
  if (options_.has_header && !header_) {
    const auto complete = read_header(waiting);
    if (!complete)
      return complete.failure();
  }
  const auto target = std::max(static_cast<std::uint64_t>(offset - base_), delivered_);
  while (streamed_ < std::min<std::uint64_t>(target, head_limit)) {
    const auto more = read_ahead(head_limit, true, waiting);
    if (!more)
      return more.failure();
    if (!*more)
      break;
  }
  if (streamed_ < target && streamed_ >= head_limit) {
    const auto end = limit_ ? std::min(*limit_, target) : target;
    const auto skipped = stream_.skip(end - streamed_);
    if (!skipped)
      return skipped.failure();
    streamed_ += *skipped;
    keep("", 0, 0);
    delivered_ = streamed_;
  }
  const auto step = std::min(target, streamed_) - delivered_;
  pending_begin_ += static_cast<std::size_t>(step);
  delivered_ += step;
  return delivered_ == target;
}

} // namespace tocsin::io
