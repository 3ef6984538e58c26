#include "detectors/counting/hash_index.hpp"

#include <doctest/doctest.h>

#include <string>
#include <vector>

using namespace tocsin;

namespace {

/// A table as its owners keep it: rows of hashes, found by the index.
struct table {
  std::vector<key_hash> rows;
  hash_index index;

  std::uint32_t find(const key_hash& hash) const {
    return index.find(hash, [this](std::uint32_t row) -> const key_hash& { return rows[row]; });
  }
  void append(const key_hash& hash) {
    index.append(hash, [this](std::uint32_t row) -> const key_hash& { return rows[row]; });
    rows.push_back(hash);
  }
  void clear() {
    index.clear();
    rows.clear();
  }
};

} // namespace

TEST_CASE("hash_index: finds each of many keys at its position, and no other") {
  table t;
  for (int i = 0; i < 10'000; ++i) {
    const auto hash = hash_key("key " + std::to_string(i));
    REQUIRE(t.find(hash) == hash_index::none);
    t.append(hash);
  }
  CHECK(t.index.size() == 10'000);
  for (std::uint32_t i = 0; i < 10'000; ++i)
    REQUIRE(t.find(hash_key("key " + std::to_string(i))) == i);
  CHECK(t.find(hash_key("another")) == hash_index::none);
}

TEST_CASE("hash_index: keys that differ in few bits of the hash are told apart") {
  table t;
  // One place, and one tag but for the first: only the owner's row can tell.
  const std::vector<key_hash> alike = {
      {7, 1}, {7, 2}, {7, 2 | std::uint64_t{1} << 40}, {7 | std::uint64_t{1} << 60, 2}};
  for (const auto& hash : alike)
    t.append(hash);
  for (std::uint32_t i = 0; i < alike.size(); ++i)
    CHECK(t.find(alike[i]) == i);
  CHECK(t.find({7, 2 | std::uint64_t{1} << 41}) == hash_index::none);
}

TEST_CASE("hash_index: is empty after clear and gives much unused room back") {
  table t;
  CHECK(t.index.guess({1, 1}) == hash_index::none);
  for (int i = 0; i < 10'000; ++i)
    t.append(hash_key(std::to_string(i)));
  const auto large = t.index.memory_bytes();
  t.clear();
  CHECK(t.index.size() == 0);
  CHECK(t.find(hash_key("1")) == hash_index::none);
  t.append(hash_key("1"));
  CHECK(t.find(hash_key("1")) == 0);
  CHECK(t.index.guess(hash_key("1")) == 0);
  t.clear(); // one key in room for ten thousand
  CHECK(t.index.memory_bytes() < large / 10);
  t.append(hash_key("2"));
  CHECK(t.find(hash_key("2")) == 0);
}
