#pragma once

#include <cstdint>

namespace tocsin {

/// DESCRIPTION
/// Number of distinct things behind a 64-bit bitmap in which each thing sets one bit, chosen by a uniform hash.
/// With z the number of zero bits, the maximum likelihood estimate is
///
///     n = -64 ln(z / 64)
///
/// rounded to the nearest integer. Its standard error is sqrt(64 (e^t - t - 1)) with t = n / 64: 0.9 at n = 10,
/// 7 at n = 64, 17 at n = 128.
/// Source: Whang, Vander-Zanden, Taylor, "A linear-time probabilistic counting algorithm for database
/// applications", ACM Transactions on Database Systems 15(2), 1990.
///
/// IMPLEMENTATION DECISIONS
/// A full bitmap has no finite estimate: it counts as half a zero bit, n = 311 (63 bits set give 266). What lies above
/// is not seen; `saturated` tells. The 65 answers are a table of constants.
std::int64_t distinct_from_bitmap(std::uint64_t bitmap);

/// True if the bitmap is full, so that distinct_from_bitmap() is only a lower bound.
constexpr bool saturated(std::uint64_t bitmap) {
  return bitmap == ~std::uint64_t{0};
}

} // namespace tocsin
