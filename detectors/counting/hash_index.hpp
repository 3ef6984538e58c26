#pragma once

#include "detectors/values/key.hpp"

#include <cstddef>
#include <cstdint>
#include <vector>

namespace tocsin {

/// Finds the position of a key in a table that somebody else owns and only appends to: open addressing with linear
/// probing over entries of 8 bytes, a quarter of a general hash map's, so that ten thousand keys stay in the cache. The
/// owner tells the hash at a position (`hash_at(position)`); there is no erase but clear().
///
/// Value, owned by a table; not thread-safe. Holds at most 2^31 keys.
class hash_index {
public:
  static constexpr std::uint32_t none = ~std::uint32_t{0};

  /// Position of the key, or none.
  template <class HashAt>
  std::uint32_t find(const key_hash& hash, const HashAt& hash_at) const {
    if (entries_.empty())
      return none;
    for (auto i = home_of(hash);; i = (i + 1) & mask_) {
      const auto& found = entries_[i];
      if (found.next_position == 0)
        return none;
      if (found.tag == tag_of(hash) && hash_at(found.next_position - 1) == hash)
        return found.next_position - 1;
    }
  }

  /// Adds the key of the owner's last position, which must be size(). Precondition: find() gives none.
  template <class HashAt>
  void append(const key_hash& hash, const HashAt& hash_at) {
    if (2 * (std::size_t{size_} + 1) > entries_.size())
      grow(hash_at);
    put(hash, size_++);
  }

  /// Hide the memory's latency: prefetch() fetches what find() will read first; some keys later guess() tells, without
  /// a look at the owner's table, at which position the key probably is, so that the owner can fetch that. Inlined by
  /// force, as callers that do nothing else should be: gcc drops calls of functions that only prefetch.
  [[gnu::always_inline]] void prefetch(const key_hash& hash) const {
    if (!entries_.empty())
      __builtin_prefetch(&entries_[home_of(hash)]);
  }
  std::uint32_t guess(const key_hash& hash) const {
    return entries_.empty() ? none : entries_[home_of(hash)].next_position - 1;
  }

  std::size_t size() const { return size_; }
  /// Forgets every key. A table that was much larger than needed is given back, since clearing costs its size.
  void clear() {
    constexpr std::size_t small = 2048;
    if (entries_.size() > small && size_ < entries_.size() / 32)
      entries_ = std::vector<entry>(); // `= {}` would keep the memory
    entries_.assign(entries_.size(), entry{});
    mask_ = entries_.empty() ? 0 : entries_.size() - 1;
    size_ = 0;
  }
  std::size_t memory_bytes() const { return entries_.capacity() * sizeof(entry); }

private:
  struct entry {
    std::uint32_t tag = 0;
    std::uint32_t next_position = 0; ///< position + 1; 0: free
  };

  std::size_t home_of(const key_hash& hash) const { return static_cast<std::size_t>(hash.low) & mask_; }
  static std::uint32_t tag_of(const key_hash& hash) { return static_cast<std::uint32_t>(hash.high); }

  void put(const key_hash& hash, std::uint32_t position) {
    auto i = home_of(hash);
    while (entries_[i].next_position != 0)
      i = (i + 1) & mask_;
    entries_[i] = {tag_of(hash), position + 1};
  }

  template <class HashAt>
  void grow(const HashAt& hash_at) {
    constexpr std::size_t first = 64;
    const auto room = entries_.empty() ? first : 2 * entries_.size();
    entries_.assign(room, entry{});
    mask_ = room - 1;
    for (std::uint32_t position = 0; position < size_; ++position)
      put(hash_at(position), position);
  }

  std::vector<entry> entries_; ///< none, or a power of two of them, at most half in use
  std::size_t mask_ = 0;
  std::uint32_t size_ = 0;
};

} // namespace tocsin
