#pragma once

#include "detectors/values/key.hpp"

#include <cstddef>
#include <cstring>
#include <string>
#include <string_view>
#include <vector>

namespace tocsin::io {

/// Puts a key together, value by value, in memory that is there already; the bytes are those of tocsin::append_null and
/// append_text. Belongs to one assembler.
class key_builder {
public:
  /// `values`: the most values of any key.
  explicit key_builder(std::size_t values) : room_(values * (header_bytes + max_value_bytes)) {}

  void clear() { size_ = 0; }
  void append_null() { room_[size_++] = static_cast<char>(value_tag::null); }
  /// True if the value is replaced by its hash.
  bool append_text(std::string_view value) {
    if (value.size() > max_value_bytes)
      return append_hashed(value);
    char* to = room_.data() + size_;
    to[0] = static_cast<char>(value_tag::text);
    to[1] = static_cast<char>(value.size() & 0xff);
    to[2] = static_cast<char>(value.size() >> 8);
    if (!value.empty())
      std::memcpy(to + header_bytes, value.data(), value.size());
    size_ += header_bytes + value.size();
    return false;
  }
  std::size_t size() const { return size_; }
  std::string_view bytes() const { return {room_.data(), size_}; }

private:
  static constexpr std::size_t header_bytes = 3;

  bool append_hashed(std::string_view value) {
    std::string encoded;
    const bool hashed = tocsin::append_text(encoded, value);
    std::memcpy(room_.data() + size_, encoded.data(), encoded.size());
    size_ += encoded.size();
    return hashed;
  }

  std::vector<char> room_;
  std::size_t size_ = 0;
};

} // namespace tocsin::io
