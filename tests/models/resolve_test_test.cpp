#include "models/resolve_test.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <initializer_list>
#include <limits>
#include <random>
#include <vector>

using namespace tocsin;

namespace {

constexpr auto infinity = std::numeric_limits<double>::infinity();
constexpr auto not_a_number = std::numeric_limits<double>::quiet_NaN();

// A failure rate with slow noise (an hour's memory, sd 8 %) and a factor for each tick (dispersion 0.05); a day's swing
// of 30 %. The test knows the swing.
class noisy_rate {
public:
  explicit noisy_rate(std::uint64_t seed) : random_(seed), slow_(normal_(random_)) {}

  double expected(int tick) const { return 0.01 * std::exp(0.3 * std::sin(2 * 3.14159265 * tick / 8'640)); }

  double actual(int tick) {
    const auto memory = std::exp(-10.0 / 3'600);
    slow_ = memory * slow_ + std::sqrt(1 - memory * memory) * normal_(random_);
    return expected(tick) * std::exp(0.08 * slow_ - 0.0032) * factor_(random_);
  }

  std::int64_t events() { return volume_(random_); }
  std::int64_t failures(std::int64_t events, double rate) {
    return std::binomial_distribution<std::int64_t>(events, std::min(rate, 0.95))(random_);
  }

private:
  std::mt19937_64 random_;
  std::normal_distribution<double> normal_;
  std::gamma_distribution<double> factor_{20, 0.05};
  std::poisson_distribution<std::int64_t> volume_{100};
  double slow_;
};

// Ticks from the incident's end to its resolve; negative if resolved before, `limit` if not at all.
int resolve_delay(std::uint64_t seed, double times, int limit) {
  constexpr int incident = 360; // an hour of 10 s ticks
  constexpr int opened = incident * 15 / 100;
  const auto start = static_cast<int>(seed * 997 % 8'640);
  noisy_rate rate(seed);
  resolve_test test;
  auto failed_so_far = 0.5;
  auto expected_so_far = 0.5;
  for (int i = 0; i < incident + limit; ++i) {
    const auto expected = rate.expected(start + i);
    const auto events = rate.events();
    const auto failed = rate.failures(events, rate.actual(start + i) * (i < incident ? times : 1));
    if (i < incident) {
      failed_so_far += static_cast<double>(failed);
      expected_so_far += static_cast<double>(events) * expected;
    }
    if (i < opened)
      continue;
    const auto observed = expected * failed_so_far / expected_so_far;
    test.observe(events, failed, expected, resolve_rate(expected, observed), 0.05);
    if (test.evidence() >= resolve_test::threshold)
      return i - incident + 1;
  }
  return limit;
}

} // namespace

TEST_CASE("incidents of 10 events a second, 1 % to 3 %, resolve after they end and soon") {
  constexpr int trials = 500;
  std::vector<int> delays;
  int early = 0;
  for (std::uint64_t seed = 1; seed <= trials; ++seed) {
    const auto delay = resolve_delay(seed, 3, 6 * 360);
    if (delay <= 0)
      ++early;
    else
      delays.push_back(delay);
  }
  std::sort(delays.begin(), delays.end());
  const auto median = delays[delays.size() / 2];
  MESSAGE("early " << early << " of " << trials << ", median " << median / 6.0 << " min, longest "
                   << delays.back() / 6.0 << " min");
  CHECK(early <= trials / 100);
  CHECK(median <= 30); // 5 min
  CHECK(delays.back() < 6 * 360);
}

TEST_CASE("the bound lies half way to what was observed, at least 1.3 times the expected rate and at most 0.9") {
  CHECK(resolve_rate(0.01, 0.03) == doctest::Approx(0.02));
  CHECK(resolve_rate(0.01, 0.012) == doctest::Approx(0.013));
  CHECK(resolve_rate(0.01, 0) == doctest::Approx(0.013));
  CHECK(resolve_rate(0.8, 1) == doctest::Approx(0.9));
  CHECK(resolve_rate(0.01, not_a_number) == doctest::Approx(0.013));
  for (const auto expected : {-infinity, -1.0, 0.0, 1e-300, 0.01, 0.9, 1.0, infinity, not_a_number})
    for (const auto observed : {-infinity, -1.0, 0.0, 1e-300, 0.01, 0.9, 1.0, infinity, not_a_number}) {
      const auto bound = resolve_rate(expected, observed);
      CHECK((bound > 0 && bound <= 0.9));
    }
}

TEST_CASE("evidence begins at 1, rises at the expected rate and falls back to 1 at the bound and above") {
  resolve_test test;
  CHECK(test.evidence() == 1);
  test.observe(1'000, 10, 0.01, 0.02, 0);
  CHECK(test.evidence() == doctest::Approx(std::exp(10 * std::log(0.5) + 990 * std::log(0.99 / 0.98))));
  const auto before = test.evidence();
  test.observe(1'000, 10, 0.01, 0.02, 0);
  CHECK(test.evidence() == doctest::Approx(before * before));
  test.observe(1'000, 60, 0.01, 0.02, 0);
  CHECK(test.evidence() == 1);
  test.observe(0, 0, 0.01, 0.02, 0);
  CHECK(test.evidence() == 1);
}

TEST_CASE("evidence stays between 1 and 1e12 for any input") {
  const auto rates = {-1.0, 0.0, 1e-9, 0.5, 1.0, infinity, not_a_number};
  for (const auto total : {std::int64_t{-1}, std::int64_t{1}, std::numeric_limits<std::int64_t>::max()})
    for (const auto failed : {std::int64_t{-1}, std::int64_t{1}, std::numeric_limits<std::int64_t>::max()})
      for (const auto expected : rates)
        for (const auto bound : rates)
          for (const auto dispersion : rates) {
            resolve_test test;
            for (int i = 0; i < 3; ++i) {
              test.observe(total, failed, expected, bound, dispersion);
              CHECK((test.evidence() >= 1 && test.evidence() <= 1e12));
            }
            test.reset();
            CHECK(test.evidence() == 1);
          }
}

TEST_CASE("stored resolve evidence is taken over exactly or refused") {
  resolve_test test;
  CHECK(test.load(57.25));
  CHECK(test.evidence() == 57.25);
  for (const auto wrong : {0.99, -1.0, 2e12, infinity, not_a_number}) {
    CHECK_FALSE(test.load(wrong));
    CHECK(test.evidence() == 57.25);
  }
}
