#include "detectors/values/key.hpp"

#include <xxhash.h>

#include <cstdio>

namespace tocsin {

void append_null(std::string& key) {
  key.push_back(static_cast<char>(value_tag::null));
}

void append_pooled(std::string& key) {
  key.push_back(static_cast<char>(value_tag::pooled));
}

bool append_text(std::string& key, std::string_view value) {
  char hashed[34];
  const bool too_long = value.size() > max_value_bytes;
  if (too_long) {
    const auto h = hash_key(value);
    std::snprintf(hashed, sizeof hashed, "#%016llx%016llx", static_cast<unsigned long long>(h.high),
                  static_cast<unsigned long long>(h.low));
    value = std::string_view(hashed, 33);
  }
  key.push_back(static_cast<char>(value_tag::text));
  key.push_back(static_cast<char>(value.size() & 0xff));
  key.push_back(static_cast<char>(value.size() >> 8));
  key.append(value);
  return too_long;
}

bool key_reader::next(key_value& out) {
  if (rest_.empty())
    return false;
  const auto tag = static_cast<std::uint8_t>(rest_[0]);
  std::size_t size = 1;
  out.text = {};
  if (tag == static_cast<std::uint8_t>(value_tag::text)) {
    if (rest_.size() < 3)
      return valid_ = false;
    const auto length = static_cast<std::size_t>(static_cast<std::uint8_t>(rest_[1])) |
                        static_cast<std::size_t>(static_cast<std::uint8_t>(rest_[2])) << 8;
    size = 3 + length;
    if (rest_.size() < size)
      return valid_ = false;
    out.text = rest_.substr(3, length);
  } else if (tag > static_cast<std::uint8_t>(value_tag::text)) {
    return valid_ = false;
  }
  out.tag = static_cast<value_tag>(tag);
  out.encoded = rest_.substr(0, size);
  rest_.remove_prefix(size);
  return true;
}

std::string_view shown(const key_value& value) {
  switch (value.tag) {
  case value_tag::null: return "(none)";
  case value_tag::pooled: return "(other)";
  case value_tag::text: break;
  }
  return value.text;
}

key_hash hash_key(std::string_view key) {
  const auto h = XXH3_128bits(key.data(), key.size());
  return {h.low64, h.high64};
}

std::uint32_t shard_of(std::string_view scope_bytes) {
  return static_cast<std::uint32_t>(XXH3_64bits(scope_bytes.data(), scope_bytes.size()) % shard_count);
}

} // namespace tocsin
