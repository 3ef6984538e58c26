#include "models/linear_counting.hpp"

#include <doctest/doctest.h>

#include <cmath>
#include <cstdint>
#include <random>

using namespace tocsin;

namespace {

std::uint64_t lowest_bits(int count) {
  return count == 64 ? ~std::uint64_t{0} : (std::uint64_t{1} << count) - 1;
}

} // namespace

TEST_CASE("linear counting: every entry is the rounded formula") {
  for (int set = 0; set < 64; ++set)
    CHECK(distinct_from_bitmap(lowest_bits(set)) == std::llround(-64.0 * std::log((64 - set) / 64.0)));
  CHECK(distinct_from_bitmap(lowest_bits(64)) == std::llround(-64.0 * std::log(0.5 / 64)));
}

TEST_CASE("linear counting: which bits are set does not matter") {
  std::mt19937_64 random(1);
  for (int i = 0; i < 1000; ++i) {
    const auto bitmap = random() & random();
    CHECK(distinct_from_bitmap(bitmap) == distinct_from_bitmap(lowest_bits(__builtin_popcountll(bitmap))));
  }
}

TEST_CASE("linear counting: only a full bitmap is saturated") {
  CHECK(saturated(~std::uint64_t{0}));
  CHECK_FALSE(saturated(0));
  for (int bit = 0; bit < 64; ++bit)
    CHECK_FALSE(saturated(~(std::uint64_t{1} << bit)));
}

TEST_CASE("linear counting: mean and standard error are those of the source") {
  std::mt19937_64 random(7);
  constexpr int repeats = 20'000;
  for (const int distinct : {1, 10, 64, 128}) {
    CAPTURE(distinct);
    double sum = 0;
    double squares = 0;
    for (int r = 0; r < repeats; ++r) {
      std::uint64_t bitmap = 0;
      for (int i = 0; i < distinct; ++i)
        bitmap |= std::uint64_t{1} << (random() % 64);
      const auto estimate = static_cast<double>(distinct_from_bitmap(bitmap));
      sum += estimate;
      squares += (estimate - distinct) * (estimate - distinct);
    }
    const auto load = distinct / 64.0;
    const auto expected_error = std::sqrt(64 * (std::exp(load) - load - 1));
    const auto bias = (std::exp(load) - load - 1) / 2; // Whang et al., theorem 3
    CHECK(std::abs(sum / repeats - distinct - bias) < 0.02 * distinct + 0.3);
    CHECK(std::sqrt(squares / repeats) < 1.15 * expected_error + 0.3);
    CHECK(std::sqrt(squares / repeats) > 0.85 * expected_error - 0.3);
  }
}
