#include "tests/support/scripted_source.hpp"

#include <algorithm>

namespace tocsin::test {

scripted_source::scripted_source(std::vector<std::string> texts, bool follow)
    : texts_(std::move(texts)), next_(texts_.size(), 0), follow_(follow) {
  for (std::size_t p = 0; p < texts_.size(); ++p)
    names_.push_back("p" + std::to_string(p));
}

void scripted_source::append(partition_id partition, const std::string& text) {
  const std::lock_guard<std::mutex> lock(mutex_);
  texts_[partition] += text;
}

void scripted_source::close() {
  const std::lock_guard<std::mutex> lock(mutex_);
  follow_ = false;
}

std::uint64_t scripted_source::handed_out() const {
  const std::lock_guard<std::mutex> lock(mutex_);
  return handed_out_;
}

std::string scripted_source::position(partition_id partition, stream_offset offset) const {
  return names_[partition] + "@" + std::to_string(offset);
}

io::result<void> scripted_source::seek(partition_id partition, stream_offset offset, const std::string& position_text) {
  const std::lock_guard<std::mutex> lock(mutex_);
  if (offset != 0 && position_text != position(partition, offset))
    return io::error{io::error_code::source, "seek to " + std::to_string(offset) + " with position " + position_text,
                     false, true};
  if (!ignore_seek)
    next_[partition] = static_cast<std::size_t>(offset);
  return {};
}

io::result<io::read_outcome> scripted_source::read(partition_id partition, std::size_t max_bytes, io::raw_block& out) {
  if (on_read)
    if (auto done = on_read(partition); !done)
      return done.failure();
  const std::lock_guard<std::mutex> lock(mutex_);
  const auto& text = texts_[partition];
  auto& next = next_[partition];
  // Whole lines up to max_bytes, at least one; what follows the last line end is a record only at the end of input.
  const auto whole = follow_ ? text.rfind('\n') + 1 : text.size();
  if (next >= whole)
    return follow_ ? io::read_outcome::idle : io::read_outcome::ended;
  const auto end_of_line = [&](std::size_t from) { return std::min(text.find('\n', from), whole - 1) + 1; };
  auto end = end_of_line(next);
  while (end < whole && end_of_line(end) - next <= max_bytes)
    end = end_of_line(end);
  out.begin = static_cast<stream_offset>(next);
  out.next_offset = static_cast<stream_offset>(end);
  out.size = end - next;
  out.data.assign(text, next, out.size);
  out.data.append(io::block_padding, '\0');
  handed_out_ += out.size;
  next = end;
  return io::read_outcome::block;
}

} // namespace tocsin::test
