#pragma once

#include "io/config/config.hpp"
#include "io/result.hpp"
#include "io/source.hpp"

#include <cstdint>
#include <string>
#include <utility>

namespace tocsin::bench {

/// Ends the program with a line on standard error.
[[noreturn]] void give_up(const std::string& message);
/// What `outcome` holds; ends the program with its message if it is an error.
template <class T>
T value_or_exit(io::result<T> outcome) {
  if (!outcome)
    give_up(outcome.failure().message);
  return std::move(*outcome);
}

/// The configuration in a file, with room for `keys` keys instead of its own capacity (0: its own). Ends the program if
/// it is not valid.
io::config load_or_exit(const std::string& path, std::uint64_t keys = 0);

/// Makes blocks of views, about 250 bytes of NDJSON each, that visit a known number of leaf keys: 100 properties, each
/// title in one CDN, country and property. A hundredth of the views fail. Deterministic. Value.
class view_maker {
public:
  explicit view_maker(std::uint64_t leaf_keys) : leaf_keys_(leaf_keys) {}
  /// Replaces `out` with `count` views spread evenly over `tick`; keys one after the other, or random ones.
  void make(std::int64_t tick, std::uint64_t count, bool random, io::raw_block& out);

private:
  std::uint64_t leaf_keys_;
  std::uint64_t next_key_ = 0;
  std::uint64_t random_ = 1;
  std::int64_t offset_ = 0;
};

} // namespace tocsin::bench
