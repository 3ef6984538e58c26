#include "models/volume_ratio.hpp"
#include "tests/support/count_noise.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>
#include <vector>

using namespace tocsin;

namespace {

constexpr auto largest = std::numeric_limits<std::int64_t>::max();
constexpr auto smallest = std::numeric_limits<std::int64_t>::min();
constexpr auto infinity = std::numeric_limits<double>::infinity();
constexpr auto not_a_number = std::numeric_limits<double>::quiet_NaN();

per_alternative expectations(const std::vector<double>& pmf, double mean, double dispersion) {
  per_alternative result = per_alternative::Zero();
  for (std::size_t c = 0; c < pmf.size(); ++c)
    result += pmf[c] * log_volume_ratios(static_cast<std::int64_t>(c), mean, dispersion).exp();
  return result;
}

} // namespace

TEST_CASE("volume ratios agree with their definition") {
  for (const auto mean : {1e-3, 0.5, 20.0, 3e4, 1e9})
    for (const auto dispersion : {1e-12, 1e-6, 1e-3, 0.1, 5.0})
      for (const auto share : {0.0, 0.01, 0.5, 1.0, 1.5}) {
        const auto count = static_cast<std::int64_t>(share * mean);
        const auto logs = log_volume_ratios(count, mean, dispersion);
        for (Eigen::Index j = 0; j < alternatives; ++j) {
          const auto c = static_cast<long double>(count);
          const auto theta = static_cast<long double>(volume_shares()[j]);
          const auto k = static_cast<long double>(dispersion);
          const auto m = static_cast<long double>(mean);
          const auto growth = std::log1p(k * m * (theta - 1) / (1 + k * m));
          const auto expected = std::clamp(c * std::log(theta) - (1 / k + c) * growth, -1e4L, 1e4L);
          CAPTURE(mean);
          CAPTURE(dispersion);
          CAPTURE(count);
          CAPTURE(j);
          CHECK(logs[j] ==
                doctest::Approx(static_cast<double>(expected)).epsilon(1e-11).scale(std::max(1.0, mean * 1e-3)));
        }
      }
}

TEST_CASE("one volume ratio is that of the eight, and its inverse turns it round") {
  for (const std::int64_t count : {0, 3, 400})
    for (const double expected : {0.2, 5.0, 300.0})
      for (const double dispersion : {1e-6, 0.05, 2.0}) {
        const auto all = log_volume_ratios(count, expected, dispersion);
        for (Eigen::Index j = 0; j < alternatives; ++j) {
          const auto share = volume_shares()[j];
          CHECK(log_volume_ratio(count, expected, share, dispersion) == doctest::Approx(all[j]).epsilon(1e-6));
          CHECK(log_volume_ratio(count, expected * share, 1 / share, dispersion) ==
                doctest::Approx(-all[j]).epsilon(1e-6));
        }
      }
}

TEST_CASE("without dispersion a volume ratio is that of Poisson counts") {
  for (const auto mean : {0.2, 3.0, 100.0})
    for (const auto count : {0, 1, 50}) {
      const auto logs = log_volume_ratios(count, mean, 0);
      for (Eigen::Index j = 0; j < alternatives; ++j) {
        const auto theta = volume_shares()[j];
        CHECK(logs[j] == doctest::Approx(count * std::log(theta) + mean * (1 - theta)).epsilon(1e-8));
      }
    }
}

TEST_CASE("the expected volume ratio is 1 under its own null and at most 1 where counts vary less") {
  for (const auto mean : {0.01, 0.3, 3.0, 30.0, 300.0})
    for (const auto dispersion : {1e-5, 1e-3, 0.02, 0.1, 0.5}) {
      const auto spread = std::sqrt(mean + dispersion * mean * mean);
      const auto last = static_cast<int>(mean + 60 * spread + 100);
      CAPTURE(mean);
      CAPTURE(dispersion);
      const auto own = expectations(negative_binomial_pmf(mean, dispersion, last), mean, dispersion);
      CHECK(own.maxCoeff() <= 1 + 1e-6);
      CHECK(own.minCoeff() >= 1 - 1e-6);
      CHECK(expectations(negative_binomial_pmf(mean, dispersion / 3, last), mean, dispersion).maxCoeff() <= 1 + 1e-9);
      CHECK(expectations(poisson_pmf(mean, last), mean, dispersion).maxCoeff() <= 1 + 1e-9);
    }
}

TEST_CASE("ratios of Poisson counts are a trap for volumes that vary more") {
  const auto mean = 300.0;
  const auto dispersion = 6e-5; // k m = 0.018
  const auto pmf = negative_binomial_pmf(mean, dispersion, 1'500);
  CHECK(expectations(pmf, mean, 0).maxCoeff() > 2);
  CHECK(expectations(pmf, mean, dispersion).maxCoeff() <= 1 + 1e-6);
}

TEST_CASE("volume ratios are finite for any input") {
  const auto numbers = {-infinity, -1.0, 0.0, 1e-300, 1e-9, 0.5, 100.0, 1e18, 1e300, infinity, not_a_number};
  for (const auto count : {smallest, std::int64_t{-1}, std::int64_t{0}, std::int64_t{1}, std::int64_t{1'000}, largest})
    for (const auto mean : numbers)
      for (const auto dispersion : numbers) {
        CAPTURE(count);
        CAPTURE(mean);
        CAPTURE(dispersion);
        const auto logs = log_volume_ratios(count, mean, dispersion);
        CHECK(std::all_of(logs.data(), logs.data() + alternatives, [](double x) { return x >= -1e4 && x <= 1e4; }));
      }
  CHECK((log_volume_ratios(10, not_a_number, 0.1) == 0).all());
  CHECK((log_volume_ratios(0, 0, 0.1) == 0).all());
}
