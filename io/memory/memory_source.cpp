#include "io/memory/memory_source.hpp"

#include <algorithm>
#include <cassert>
#include <cstring>
#include <mutex>
#include <utility>

namespace tocsin::io {

/// One partition: its text, which other threads append to, and where its reader is.
class memory_source::tape final : public byte_stream {
public:
  tape(memory_partition partition, const memory_source_options& options)
      : name_(std::move(partition.name)),
        text_(std::move(partition.text)), framing_{options.has_header, options.max_record_bytes, name_},
        open_(options.follow) {
    rewind();
  }

  void append(std::string_view text) {
    const std::lock_guard<std::mutex> lock(mutex_);
    text_.append(text);
  }
  void close() {
    const std::lock_guard<std::mutex> lock(mutex_);
    open_ = false;
  }
  std::uint64_t size() const {
    const std::lock_guard<std::mutex> lock(mutex_);
    return text_.size();
  }
  bool may_grow() const {
    const std::lock_guard<std::mutex> lock(mutex_);
    return open_;
  }
  const std::string& name() const { return name_; }
  line_framer& lines() { return *lines_; }
  std::uint64_t taken() const { return taken_; }
  void rewind() {
    taken_ = 0;
    ended = false;
    lines_ = std::make_unique<line_framer>(*this, framing_, 0);
  }

  result<stream_chunk> read(char* out, std::size_t size, bool) override {
    const std::lock_guard<std::mutex> lock(mutex_);
    const auto count = std::min(size, text_.size() - taken_);
    std::memcpy(out, text_.data() + taken_, count);
    taken_ += count;
    return stream_chunk{count, false};
  }
  result<std::uint64_t> skip(std::uint64_t count) override {
    const std::lock_guard<std::mutex> lock(mutex_);
    const auto step = std::min<std::uint64_t>(count, text_.size() - taken_);
    taken_ += static_cast<std::size_t>(step);
    return step;
  }

  bool ended = false; ///< `ended` was given; stays so

private:
  const std::string name_;
  mutable std::mutex mutex_;
  std::string text_;
  std::size_t taken_ = 0;
  framing_options framing_;
  bool open_;
  std::unique_ptr<line_framer> lines_;
};

memory_source::memory_source(std::vector<memory_partition> partitions, memory_source_options options)
    : options_(options) {
  for (auto& partition : partitions)
    tapes_.push_back(std::make_unique<tape>(std::move(partition), options_));
}

memory_source::~memory_source() = default;

void memory_source::append(partition_id partition, std::string_view text) {
  tapes_.at(partition)->append(text);
}

void memory_source::close() {
  for (auto& one : tapes_)
    one->close();
}

const std::string& memory_source::name(partition_id partition) const {
  return tapes_.at(partition)->name();
}

result<void> memory_source::seek(partition_id partition, stream_offset offset, const std::string&) {
  auto& one = *tapes_.at(partition);
  one.rewind();
  const auto reached = one.lines().skip_to(offset);
  if (!reached)
    return reached.failure();
  if (!*reached)
    return error{error_code::source,
                 one.name() + ": holds " + std::to_string(one.size()) + " bytes and byte " + std::to_string(offset) +
                     " is needed",
                 false, true};
  return {};
}

result<read_outcome> memory_source::read(partition_id partition, std::size_t max_bytes, raw_block& out) {
  auto& one = *tapes_.at(partition);
  out.clear();
  out.partition = partition;
  if (one.ended)
    return read_outcome::ended;
  // Asked before reading: what is appended before close() is read.
  const bool may_grow = one.may_grow();
  const auto framed = one.lines().next(max_bytes, out);
  if (!framed)
    return framed.failure();
  if (*framed == framing::block)
    return read_outcome::block;
  if (may_grow)
    return read_outcome::idle;
  if (one.lines().finish(out))
    return read_outcome::block;
  one.ended = true;
  return read_outcome::ended;
}

std::optional<std::uint64_t> memory_source::bytes_total() const {
  std::uint64_t sum = 0;
  for (const auto& one : tapes_)
    sum += one->size();
  return sum;
}

std::uint64_t memory_source::bytes_read() const {
  std::uint64_t sum = 0;
  for (const auto& one : tapes_)
    sum += one->taken();
  return sum;
}

} // namespace tocsin::io
