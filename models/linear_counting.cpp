#include "models/linear_counting.hpp"

#include <array>
#include <cstddef>

namespace tocsin {

namespace {

// round(-64 ln((64 - k) / 64)) for k bits set; the last one for half a zero bit.
constexpr std::array<std::int16_t, 65> distinct_by_bits_set = {
    0,  1,  2,  3,  4,  5,  6,  7,   9,   10,  11,  12,  13,  15,  16,  17,  18,  20,  21,  23,  24,  25,
    27, 28, 30, 32, 33, 35, 37, 39,  40,  42,  44,  46,  48,  51,  53,  55,  58,  60,  63,  65,  68,  71,
    74, 78, 81, 85, 89, 93, 97, 102, 107, 113, 119, 126, 133, 142, 151, 163, 177, 196, 222, 266, 311,
};

} // namespace

std::int64_t distinct_from_bitmap(std::uint64_t bitmap) {
  return distinct_by_bits_set[static_cast<std::size_t>(__builtin_popcountll(bitmap))];
}

} // namespace tocsin
