#include "models/likelihood_ratio.hpp"
#include "tests/support/count_noise.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>
#include <string>
#include <vector>

using namespace tocsin;

namespace {

constexpr auto largest = std::numeric_limits<std::int64_t>::max();
constexpr auto smallest = std::numeric_limits<std::int64_t>::min();
constexpr auto infinity = std::numeric_limits<double>::infinity();
constexpr auto not_a_number = std::numeric_limits<double>::quiet_NaN();

// The definitions, term by term in long double.
long double reference(std::int64_t total, std::int64_t failed, double null_rate, long double q, double dispersion) {
  const auto n = static_cast<long double>(total);
  const auto e = static_cast<long double>(failed);
  const auto p = static_cast<long double>(null_rate);
  const auto k = static_cast<long double>(dispersion);
  const auto distance = (q - p) / (1 - p);
  if (k * n * (n - 1) * distance * distance <= 1e-3L)
    return e * std::log(q / p) + (n - e) * (std::log1p(-q) - std::log1p(-p));
  if (null_rate <= 0.05)
    return e * std::log(q / p) + (1 / k + e) * std::log((1 + k * n * p) / (1 + k * n * q));
  const auto s = std::max(0.5L, (1 - p) / (p * k) - 1);
  const auto log_mass = [&](long double rate) {
    return std::lgamma(e + rate * s) + std::lgamma(n - e + (1 - rate) * s) - std::lgamma(rate * s) -
           std::lgamma((1 - rate) * s);
  };
  return log_mass(q) - log_mass(p);
}

long double raised(double rate, double theta) {
  const auto p = static_cast<long double>(rate);
  return p * static_cast<long double>(theta) / (1 + p * (static_cast<long double>(theta) - 1));
}

// The expectation of each ratio of a tick of n events.
per_alternative expectations(const std::vector<double>& pmf, double rate, double dispersion) {
  per_alternative result = per_alternative::Zero();
  const auto n = static_cast<std::int64_t>(pmf.size()) - 1;
  for (std::int64_t e = 0; e <= n; ++e)
    result += pmf[static_cast<std::size_t>(e)] * likelihood_ratios(n, e, rate, dispersion);
  return result;
}

struct grid_point {
  int n;
  double rate;
  double dispersion;
};

// What the Bernoulli form's expectation may exceed 1 by where it is chosen: k n (n - 1) d^2 / 2 and a little for terms
// of higher order. The other forms may not.
double let_through(const grid_point& at, Eigen::Index j) {
  const auto distance = (static_cast<double>(raised(at.rate, odds_ratios()[j])) - at.rate) / (1 - at.rate);
  const auto excess = at.dispersion * at.n * (at.n - 1) * distance * distance;
  return excess <= 1e-3 ? 0.6 * excess : 0;
}

std::vector<grid_point> grid(const std::vector<double>& rates) {
  std::vector<grid_point> points;
  for (const auto n : {1, 2, 5, 10, 30, 100, 300})
    for (const auto rate : rates)
      for (const auto dispersion : {1e-4, 1e-3, 0.01, 0.05, 0.2, 1.0})
        points.push_back({n, rate, dispersion});
  return points;
}

} // namespace

TEST_CASE("likelihood ratios agree with their definitions in each form") {
  for (const auto n : {1, 2, 17, 300, 100'000})
    for (const auto rate : {1e-6, 1e-3, 0.02, 0.05, 0.051, 0.2, 0.6, 0.95})
      for (const auto dispersion : {1e-6, 1e-3, 0.05, 0.4, 3.0})
        for (const auto failed : {0, 1, n / 100, n / 3, n - 1, n}) {
          const auto logs = log_likelihood_ratios(n, failed, rate, dispersion);
          // What large terms that nearly cancel leave: the counts, and the parameter that grows as dispersion shrinks.
          const auto size = n + 1 / (rate * dispersion);
          const auto rounding = 1e-15 * size * std::log(size) + 1e-12;
          for (Eigen::Index j = 0; j < alternatives; ++j) {
            const auto q = raised(rate, odds_ratios()[j]);
            const auto expected =
                static_cast<double>(std::clamp(reference(n, failed, rate, q, dispersion), -1e4L, 1e4L));
            CAPTURE(n);
            CAPTURE(failed);
            CAPTURE(rate);
            CAPTURE(dispersion);
            CAPTURE(j);
            CHECK(std::abs(logs[j] - expected) <= 1e-12 * std::abs(expected) + rounding);
          }
        }
}

TEST_CASE("ratios that are multiplied are those of their logarithms") {
  for (const auto n : {0, 1, 2, 5, 12, 23, 24, 25, 60, 107, 108, 109, 5'000})
    for (const auto rate : {1e-9, 1e-6, 1e-3, 0.02, 0.05, 0.051, 0.2, 0.6, 0.95})
      for (const auto dispersion : {0.0, 1e-6, 1e-3, 0.02, 0.4, 1000.0})
        for (const auto failed : {0, 1, 2, n / 3, n - 1, n}) {
          CAPTURE(n);
          CAPTURE(failed);
          CAPTURE(rate);
          CAPTURE(dispersion);
          const auto ratios = likelihood_ratios(n, failed, rate, dispersion);
          const auto logs = log_likelihood_ratios(n, failed, rate, dispersion);
          const auto rounding = 1e-9 + 1e-15 * (rate > 0.05 ? 1 / std::max(1e-6, dispersion) : 0) * 100;
          for (Eigen::Index j = 0; j < alternatives; ++j)
            CHECK(std::abs(std::log(ratios[j]) - std::clamp(logs[j], -600.0, 600.0)) <= rounding);
        }
  const auto untold = likelihood_ratios(10, 1, std::nan(""), 0.02);
  CHECK((untold == per_alternative::Ones()).all());
}

TEST_CASE("a given pair of rates is judged as the same pair among the alternatives") {
  for (const auto n : {1, 40, 5'000})
    for (const auto rate : {1e-5, 0.01, 0.1, 0.7})
      for (const auto dispersion : {0.0, 0.02, 0.5})
        for (const auto failed : {0, 1, n / 4, n}) {
          const auto logs = log_likelihood_ratios(n, failed, rate, dispersion);
          for (Eigen::Index j = 0; j < alternatives; ++j) {
            const auto q = static_cast<double>(raised(rate, odds_ratios()[j]));
            if (q <= 0.95)
              CHECK(log_likelihood_ratio(n, failed, rate, q, dispersion) == doctest::Approx(logs[j]).epsilon(1e-9));
          }
        }
}

TEST_CASE("either rate of a pair may be the larger") {
  for (const auto dispersion : {0.0, 0.05})
    for (const auto& rates : {std::pair{0.03, 0.01}, std::pair{0.3, 0.1}, std::pair{0.9, 1e-6}}) {
      const auto expected = reference(200, 9, rates.first, static_cast<long double>(rates.second), dispersion);
      const auto got = log_likelihood_ratio(200, 9, rates.first, rates.second, dispersion);
      CHECK(got == doctest::Approx(static_cast<double>(expected)).epsilon(1e-10));
      CHECK(log_likelihood_ratio(200, 9, rates.first, rates.first, dispersion) == 0);
    }
  CHECK(log_likelihood_ratio(200, 0, 0.03, 0.01, 0.05) > 0);
  CHECK(log_likelihood_ratio(200, 20, 0.03, 0.01, 0.05) < 0);
}

TEST_CASE("rare failures of many events keep their accuracy") {
  for (const auto n : {std::int64_t{1}, std::int64_t{1'000'000}, std::int64_t{1'000'000'000}})
    for (const auto rate : {1e-9, 1e-6, 1e-4}) {
      const auto logs = log_likelihood_ratios(n, 0, rate, 0);
      for (Eigen::Index j = 0; j < alternatives; ++j) {
        const auto x = static_cast<long double>(rate) * (static_cast<long double>(odds_ratios()[j]) - 1);
        const auto expected = static_cast<double>(std::max(-1e4L, -static_cast<long double>(n) * std::log1p(x)));
        CHECK(std::abs(logs[j] - expected) <= 1e-14 * std::abs(expected));
      }
    }
}

TEST_CASE("one event shows no dispersion") {
  for (const auto rate : {1e-4, 0.03, 0.4})
    for (const auto failed : {0, 1})
      CHECK((log_likelihood_ratios(1, failed, rate, 1) == log_likelihood_ratios(1, failed, rate, 0)).all());
}

TEST_CASE("the expected ratio is at most 1 under binomial counts") {
  for (const auto& at : grid({1e-4, 1e-3, 0.01, 0.05, 0.07, 0.2, 0.8}))
    if (at.rate <= 0.05 || at.dispersion <= 0.2) {
      CAPTURE(at.n);
      CAPTURE(at.rate);
      CAPTURE(at.dispersion);
      CHECK(expectations(binomial_pmf(at.n, at.rate), at.rate, at.dispersion).maxCoeff() <= 1 + 1e-6);
    }
}

TEST_CASE("the expected ratio is at most 1 under gamma-distributed rates up to 5 %") {
  auto highest = 0.0;
  for (const auto& at : grid({1e-4, 1e-3, 0.01, 0.05})) {
    CAPTURE(at.n);
    CAPTURE(at.rate);
    CAPTURE(at.dispersion);
    const auto expected = expectations(gamma_binomial_pmf(at.n, at.rate, at.dispersion), at.rate, at.dispersion);
    for (Eigen::Index j = 0; j < alternatives; ++j)
      CHECK(expected[j] <= 1 + let_through(at, j) + 1e-9);
    highest = std::max(highest, expected.maxCoeff());
  }
  MESSAGE("largest expectation under gamma-distributed rates: " << highest);
  CHECK(highest > 0.999);
}

TEST_CASE("the negative binomial's expected ratio is 1 under its own null") {
  for (const auto n : {30, 1'000})
    for (const auto rate : {1e-3, 0.01, 0.05})
      for (const auto dispersion : {0.05, 0.5}) {
        // Counts above n, which the model allows, are judged as if they were possible: the formula, as the code has it.
        const auto mean = n * rate;
        const auto pmf = negative_binomial_pmf(mean, dispersion, 4'000);
        const auto none = log_likelihood_ratios(n, 0, rate, dispersion);
        const per_alternative each = log_likelihood_ratios(n, 1, rate, dispersion) - none;
        per_alternative expected = per_alternative::Zero();
        for (std::size_t e = 0; e < pmf.size(); ++e)
          if (pmf[e] > 0)
            expected += (std::log(pmf[e]) + none + static_cast<double>(e) * each).exp();
        for (Eigen::Index j = 0; j < alternatives; ++j) {
          const auto is_other_form = let_through({n, rate, dispersion}, j) > 0;
          if (is_other_form)
            continue;
          CHECK(expected[j] <= 1 + 1e-6);
          if (j < 4) // farther alternatives need counts beyond the sum
            CHECK(expected[j] >= 1 - 1e-6);
        }
      }
}

TEST_CASE("the beta-binomial's expected ratio is 1 under its own null") {
  for (const auto& at : grid({0.051, 0.1, 0.2, 0.5, 0.95})) {
    CAPTURE(at.n);
    CAPTURE(at.rate);
    CAPTURE(at.dispersion);
    const auto expected = expectations(beta_binomial_pmf(at.n, at.rate, at.dispersion), at.rate, at.dispersion);
    for (Eigen::Index j = 0; j < alternatives; ++j) {
      CHECK(expected[j] <= 1 + let_through(at, j) + 1e-6);
      if (at.n <= 100) // of more events, the outcomes that matter have probabilities below the smallest double
        CHECK(expected[j] >= 1 - 1e-6);
    }
  }
}

TEST_CASE("a negative binomial of shrunk exposure is the trap it is said to be") {
  const auto n = 300;
  const auto rate = 0.05;
  const auto dispersion = 0.05;
  const auto theta = 60.0;
  const auto pmf = gamma_binomial_pmf(n, rate, dispersion);
  const auto exposure = n * std::log1p(rate * (theta - 1)) / (theta - 1);
  auto expected = 0.0;
  for (int e = 0; e <= n; ++e)
    expected += pmf[static_cast<std::size_t>(e)] *
                std::exp(e * std::log(theta) + (1 / dispersion + e) * std::log((1 / dispersion + exposure) /
                                                                               (1 / dispersion + theta * exposure)));
  CHECK(expected > 100);
  CHECK(expectations(pmf, rate, dispersion).maxCoeff() <= 1 + 1e-6);
}

TEST_CASE("the Bernoulli form is a trap where several events show their dispersion") {
  // By the rule k mu <= 0.02 this tick would count as one without dispersion.
  const auto pmf = gamma_binomial_pmf(1'000, 0.01, 0.002);
  auto expected = 0.0;
  for (int e = 0; e <= 1'000; ++e)
    expected +=
        pmf[static_cast<std::size_t>(e)] * std::exp(std::min(600.0, log_likelihood_ratios(1'000, e, 0.01, 0)[4]));
  CHECK(expected > 10);
  CHECK(expectations(pmf, 0.01, 0.002).maxCoeff() <= 1 + 1e-6);
}

TEST_CASE("likelihood ratios are finite for any input") {
  const auto rates = {-infinity, -1.0, 0.0, 1e-300, 1e-9, 0.05, 0.5, 0.95, 1.0, 1e300, infinity, not_a_number};
  const auto dispersions = {-infinity, -1.0, 0.0, 1e-300, 1e-7, 0.02, 1.0, 1e3, 1e300, infinity, not_a_number};
  const auto is_bounded = [](double x) { return x >= -1e4 && x <= 1e4; };
  for (const auto total : {smallest, std::int64_t{-1}, std::int64_t{0}, std::int64_t{1}, std::int64_t{1'000}, largest})
    for (const auto failed : {smallest, std::int64_t{0}, std::int64_t{1}, std::int64_t{500}, largest})
      for (const auto rate : rates)
        for (const auto dispersion : dispersions) {
          CAPTURE(total);
          CAPTURE(failed);
          CAPTURE(rate);
          CAPTURE(dispersion);
          const auto logs = log_likelihood_ratios(total, failed, rate, dispersion);
          CHECK(std::all_of(logs.data(), logs.data() + alternatives, is_bounded));
          if (total <= 0)
            CHECK((logs == 0).all());
          for (const auto alternative : rates)
            CHECK(is_bounded(log_likelihood_ratio(total, failed, rate, alternative, dispersion)));
        }
  CHECK((log_likelihood_ratios(10, 5, not_a_number, 0.1) == 0).all());
  CHECK((log_likelihood_ratios(10, 5, 0.1, not_a_number) == 0).all());
  CHECK(log_likelihood_ratio(10, 5, 0.1, not_a_number, 0.1) == 0);
}
