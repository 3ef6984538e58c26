#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace tocsin {

/// A key is a sequence of dimension values in the order of the monitor's dimensions, as bytes:
/// one tag byte a value (`value_tag`), and for text a 16-bit little-endian length and the text.
/// Keys compare and sort as bytes; two keys are equal exactly when their bytes are.
enum class value_tag : std::uint8_t {
  null = 0,   ///< the field is missing or null; shown `(none)`
  pooled = 1, ///< stands for every value that found no room; shown `(other)`
  text = 2,
};

/// Longer values are replaced by their hash, see `append_text`.
inline constexpr std::size_t max_value_bytes = 256;

void append_null(std::string& key);
void append_pooled(std::string& key);
/// Appends a value. A value of more than 256 bytes becomes `sha-like` text `#` + 32 hex digits of its
/// XXH3-128; returns true in that case, so that the caller can count it.
bool append_text(std::string& key, std::string_view value);

/// One value of a key, as a view into the key's bytes.
struct key_value {
  value_tag tag = value_tag::null;
  std::string_view text;    ///< empty unless tag is text
  std::string_view encoded; ///< tag, length and text
};

/// Walks the values of a key. Stops at the first malformed byte (`valid()` is false then).
class key_reader {
public:
  explicit key_reader(std::string_view key) : rest_(key) {}
  /// False at the end or at a malformed value.
  bool next(key_value& out);
  bool valid() const { return valid_; }

private:
  std::string_view rest_;
  bool valid_ = true;
};

/// How a value is shown to people: its text, `(none)` or `(other)`.
std::string_view shown(const key_value& value);

/// 128-bit hash of a key (XXH3-128, fixed seed): equal keys always have equal hashes, and we treat equal
/// hashes as equal keys (collision odds at 1e9 keys: about 1e-21).
struct key_hash {
  std::uint64_t low = 0;
  std::uint64_t high = 0;
  friend bool operator==(const key_hash& a, const key_hash& b) { return a.low == b.low && a.high == b.high; }
  friend bool operator!=(const key_hash& a, const key_hash& b) { return !(a == b); }
  friend bool operator<(const key_hash& a, const key_hash& b) {
    return a.high != b.high ? a.high < b.high : a.low < b.low;
  }
};
key_hash hash_key(std::string_view key);

/// For hash maps: the hash is already uniform.
struct key_hash_hasher {
  std::size_t operator()(const key_hash& h) const { return static_cast<std::size_t>(h.low); }
};

/// Logical shards of a world; fixed, because shard numbers are part of the stored state.
inline constexpr std::uint32_t shard_count = 64;
/// The shard that owns a scope value (the bytes of the scope dimensions, a prefix of every key).
std::uint32_t shard_of(std::string_view scope_bytes);

} // namespace tocsin
