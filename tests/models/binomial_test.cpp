#include "models/binomial.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>
#include <random>

using namespace tocsin;

namespace {

constexpr auto largest = std::numeric_limits<std::int64_t>::max();
constexpr auto smallest = std::numeric_limits<std::int64_t>::min();
constexpr auto log_of_zero = std::numeric_limits<double>::lowest();

// ln P(X >= k) in long double, term by term outward from the mode; the sum of all terms is the norm, so that no
// gamma function is needed. `ratio(i)` is the probability of i + 1 over that of i.
template <class Ratio>
long double log_tail_by_summation(std::int64_t k, std::int64_t mode, std::int64_t last, Ratio&& ratio) {
  constexpr auto negligible = 1e-4900L; // long double ends at 1e-4932
  long double tail = 0;
  long double all = 0;
  const auto take = [&](std::int64_t i, long double term) {
    all += term;
    if (i >= k)
      tail += term;
  };
  auto term = 1.0L;
  for (auto i = mode; term > negligible; ++i) {
    take(i, term);
    if (i == last)
      break;
    term *= ratio(i);
  }
  term = 1.0L;
  for (auto i = mode - 1; i >= 0; --i) {
    term /= ratio(i);
    if (term < 1e-40L)
      break;
    take(i, term);
  }
  return std::log(tail / all);
}

long double reference_binomial(std::int64_t k, std::int64_t n, double p) {
  const auto odds = static_cast<long double>(p) / (1 - static_cast<long double>(p));
  const auto mode = std::min(n, static_cast<std::int64_t>(static_cast<double>(n) * p));
  return log_tail_by_summation(k, mode, n, [&](std::int64_t i) {
    return static_cast<long double>(n - i) / static_cast<long double>(i + 1) * odds;
  });
}

long double reference_poisson(std::int64_t k, double mean) {
  return log_tail_by_summation(k, static_cast<std::int64_t>(mean), largest, [&](std::int64_t i) {
    return static_cast<long double>(mean) / static_cast<long double>(i + 1);
  });
}

// Error of a log tail in units of what the header promises.
double excess(double log_tail, long double reference, double variance) {
  const auto allowed = variance > 1e7 ? 1 / static_cast<long double>(variance) : 1e-13L * (1 + std::abs(reference));
  return static_cast<double>(std::abs(std::expm1(log_tail - reference)) / allowed);
}

constexpr double distances[] = {-8, -3, -1, -0.1, -1e-3, 0, 1e-3, 0.1, 1, 3, 6, 10, 20, 40};

} // namespace

TEST_CASE("binomial tail: small cases by hand") {
  CHECK(binomial_upper_tail(1, 1, 0.25) == doctest::Approx(0.25).epsilon(1e-14));
  CHECK(binomial_upper_tail(1, 2, 0.5) == doctest::Approx(0.75).epsilon(1e-14));
  CHECK(binomial_upper_tail(2, 2, 0.5) == doctest::Approx(0.25).epsilon(1e-14));
  CHECK(binomial_upper_tail(3, 5, 0.1) == doctest::Approx(0.00856).epsilon(1e-13));
  CHECK(log_binomial_upper_tail(1000, 1000, 0.01) == doctest::Approx(1000 * std::log(0.01)).epsilon(1e-14));
  CHECK(poisson_upper_tail(1, 2.0) == doctest::Approx(1 - std::exp(-2.0)).epsilon(1e-14));
  CHECK(poisson_upper_tail(2, 2.0) == doctest::Approx(1 - 3 * std::exp(-2.0)).epsilon(1e-14));
}

TEST_CASE("binomial tail: agrees with summation over the whole grid") {
  double worst = 0;
  for (const std::int64_t n :
       {1L, 2L, 7L, 30L, 100L, 1000L, 31'623L, 1'000'000L, 31'000'000L, 120'000'000L, 1'000'000'000L})
    for (const double p : {1e-6, 1e-5, 1e-3, 0.01, 0.1, 0.3, 0.5, 0.7, 0.9})
      for (const double z : distances) {
        const auto mean = static_cast<double>(n) * p;
        const auto variance = mean * (1 - p);
        const auto k = static_cast<std::int64_t>(std::ceil(mean + z * std::sqrt(variance)));
        if (k < 1 || k > n)
          continue;
        CAPTURE(n);
        CAPTURE(p);
        CAPTURE(k);
        const auto tail = log_binomial_upper_tail(k, n, p);
        const auto error = excess(tail, reference_binomial(k, n, p), variance);
        CHECK(error < 1);
        CHECK(binomial_upper_tail(k, n, p) == std::exp(tail));
        worst = std::max(worst, error);
      }
  MESSAGE("worst error, as a share of the bound: " << worst);
}

TEST_CASE("binomial tail: logarithms far below the smallest double") {
  for (const std::int64_t n : {1000L, 10'000L, 1'000'000L})
    for (const double p : {1e-6, 1e-3, 0.1})
      for (const double rate : {0.003, 0.05, 0.12}) {
        const auto k = static_cast<std::int64_t>(static_cast<double>(n) * rate);
        const auto reference = reference_binomial(k, n, p);
        if (reference < -11'000) // the reference ends there
          continue;
        CAPTURE(n);
        CAPTURE(p);
        CAPTURE(k);
        CHECK(excess(log_binomial_upper_tail(k, n, p), reference, 0) < 1);
      }
  // All of a million at one in a million: p^n exactly.
  CHECK(log_binomial_upper_tail(1'000'000, 1'000'000, 1e-6) == doctest::Approx(1e6 * std::log(1e-6)).epsilon(1e-14));
}

TEST_CASE("poisson tail: agrees with summation") {
  double worst = 0;
  for (const double mean : {1e-6, 0.01, 0.5, 1.0, 3.7, 25.0, 1e3, 1e5, 9e6, 1.01e7, 1e8, 1e9})
    for (const double z : distances) {
      const auto k = static_cast<std::int64_t>(std::ceil(mean + z * std::sqrt(mean)));
      if (k < 1)
        continue;
      CAPTURE(mean);
      CAPTURE(k);
      const auto error = excess(log_poisson_upper_tail(k, mean), reference_poisson(k, mean), static_cast<double>(k));
      CHECK(error < 1);
      worst = std::max(worst, error);
    }
  MESSAGE("worst error, as a share of the bound: " << worst);
}

TEST_CASE("tails: monotone in the count, also where the method changes") {
  std::mt19937_64 random(21);
  for (int i = 0; i < 20'000; ++i) {
    const auto n = static_cast<std::int64_t>(random() >> (1 + random() % 60)) + 1;
    const auto p = std::pow(10.0, -6.0 * static_cast<double>(random() % 1000) / 1000) * 0.9;
    const auto mean = static_cast<double>(n) * p;
    const auto sd = std::sqrt(mean * (1 - p)) + 1;
    const auto near = mean + (static_cast<double>(random() % 2000) / 100 - 8) * sd;
    const auto k = static_cast<std::int64_t>(std::clamp(near, 0.0, static_cast<double>(n / 2 + 1)));
    const auto next = k + 1 + static_cast<std::int64_t>(random() % 3 == 0 ? sd / 10 : 0);
    CAPTURE(n);
    CAPTURE(p);
    CAPTURE(k);
    CAPTURE(next);
    const auto slack = mean > 1e7 ? 1e-7 : 1e-13;
    const auto here = log_binomial_upper_tail(k, n, p);
    REQUIRE(log_binomial_upper_tail(next, n, p) <= here + slack * (1 - here));
    const auto poisson_here = log_poisson_upper_tail(k, mean);
    REQUIRE(log_poisson_upper_tail(next, mean) <= poisson_here + slack * (1 - poisson_here));
  }
}

TEST_CASE("tails: neighbouring counts differ by the probability between them, for small totals exactly monotone") {
  for (std::int64_t n = 1; n <= 60; ++n)
    for (const double p : {1e-6, 0.02, 0.5, 0.9})
      for (std::int64_t k = 0; k <= n; ++k)
        REQUIRE(log_binomial_upper_tail(k + 1, n, p) <= log_binomial_upper_tail(k, n, p));
}

TEST_CASE("tails: continuous where the uniform expansion takes over") {
  // Binomial(n, 1/2) has variance 1e7 at n = 4e7.
  for (const double z : {-2.0, 0.0, 0.01, 1.0, 6.0, 30.0}) {
    CAPTURE(z);
    for (const std::int64_t n : {39'999'900L, 40'000'100L}) {
      const auto k = n / 2 + static_cast<std::int64_t>(z * std::sqrt(1e7));
      CHECK(excess(log_binomial_upper_tail(k, n, 0.5), reference_binomial(k, n, 0.5), 2e7) < 1);
    }
  }
}

TEST_CASE("tails: any input gives a probability") {
  constexpr auto nan = std::numeric_limits<double>::quiet_NaN();
  constexpr auto infinity = std::numeric_limits<double>::infinity();
  const std::int64_t counts[] = {smallest, -1, 0, 1, 2, 1000, 1L << 40, largest / 2, largest - 1, largest};
  const double numbers[] = {nan,  -infinity, -1.0, -0.0,      0.0, 5e-324, 1e-300, 1e-20, 1e-6,
                            0.25, 0.5,       0.9,  1 - 1e-16, 1.0, 2.0,    1e9,    1e300, infinity};
  for (const auto k : counts)
    for (const auto number : numbers) {
      CAPTURE(k);
      CAPTURE(number);
      const auto poisson = poisson_upper_tail(k, number);
      CHECK((poisson >= 0 && poisson <= 1));
      CHECK(std::isfinite(log_poisson_upper_tail(k, number)));
      for (const auto n : counts) {
        CAPTURE(n);
        const auto binomial = binomial_upper_tail(k, n, number);
        CHECK((binomial >= 0 && binomial <= 1));
        CHECK(std::isfinite(log_binomial_upper_tail(k, n, number)));
        const auto bounds = jeffreys_interval(k, n, number);
        CHECK((bounds.low >= 0 && bounds.low <= bounds.high && bounds.high <= 1));
      }
    }
  CHECK(binomial_upper_tail(0, 10, 0.0) == 1);
  CHECK(binomial_upper_tail(0, -5, 0.5) == 1);
  CHECK(binomial_upper_tail(1, 10, 0.0) == 0);
  CHECK(binomial_upper_tail(11, 10, 0.5) == 0);
  CHECK(log_binomial_upper_tail(11, 10, 0.5) == log_of_zero);
  CHECK(log_binomial_upper_tail(11, 10, 1.0) == log_of_zero);
  CHECK(binomial_upper_tail(10, 10, 1.0) == 1);
  CHECK(binomial_upper_tail(5, 10, nan) == 1);
  CHECK(binomial_upper_tail(11, 10, nan) == 0);
  CHECK(poisson_upper_tail(5, nan) == 1);
  CHECK(poisson_upper_tail(5, -1.0) == 0);
}

TEST_CASE("jeffreys interval: ends are the quantiles of the posterior") {
  // With whole parameters a = e + 1/2 the beta distribution is no finite sum; integrate its density instead,
  // in the logit, where it is smooth and falls off exponentially at both ends.
  const auto posterior_below = [](double end, std::int64_t e, std::int64_t n) {
    const auto a = static_cast<long double>(e) + 0.5L;
    const auto b = static_cast<long double>(n - e) + 0.5L;
    const auto log_density = [&](long double t) { return -a * std::log1p(std::exp(-t)) - b * std::log1p(std::exp(t)); };
    const auto centre = std::log(a / b);
    const auto scale = std::sqrt(1 / a + 1 / b);
    const auto limit = std::log(static_cast<long double>(end)) - std::log1p(-static_cast<long double>(end));
    const auto integral = [&](long double from, long double to) {
      constexpr int steps = 4000; // Simpson
      const auto h = (to - from) / steps;
      long double sum = 0;
      for (int i = 0; i <= steps; ++i)
        sum += (i == 0 || i == steps ? 1
                : i % 2 == 1         ? 4
                                     : 2) *
               std::exp(log_density(from + i * h) - log_density(centre));
      return sum * h / 3;
    };
    const auto below = integral(centre - 60 * scale, limit);
    return static_cast<double>(below / (below + integral(limit, centre + 60 * scale)));
  };
  for (const std::int64_t n : {1L, 2L, 10L, 100L, 10'000L, 1'000'000'000L})
    for (const double share : {0.0, 1e-6, 0.01, 0.3, 0.5, 0.97, 1.0})
      for (const double coverage : {0.5, 0.95, 0.999}) {
        const auto e = static_cast<std::int64_t>(std::ceil(static_cast<double>(n) * share));
        CAPTURE(n);
        CAPTURE(e);
        CAPTURE(coverage);
        const auto bounds = jeffreys_interval(e, n, coverage);
        if (e == 0)
          CHECK(bounds.low == 0);
        else
          CHECK(posterior_below(bounds.low, e, n) == doctest::Approx((1 - coverage) / 2).epsilon(1e-6));
        if (e == n)
          CHECK(bounds.high == 1);
        else
          CHECK(posterior_below(bounds.high, e, n) == doctest::Approx((1 + coverage) / 2).epsilon(1e-6));
      }
}

TEST_CASE("jeffreys interval: symmetric, nested, around the rate") {
  std::mt19937_64 random(4);
  for (int i = 0; i < 2000; ++i) {
    const auto n = static_cast<std::int64_t>(random() % (1ULL << (1 + random() % 30))) + 1;
    const auto e = static_cast<std::int64_t>(random() % static_cast<std::uint64_t>(n + 1));
    CAPTURE(n);
    CAPTURE(e);
    const auto narrow = jeffreys_interval(e, n, 0.8);
    const auto wide = jeffreys_interval(e, n);
    const auto mirrored = jeffreys_interval(n - e, n);
    const auto rate = static_cast<double>(e) / static_cast<double>(n);
    REQUIRE((wide.low <= narrow.low && narrow.low <= rate && rate <= narrow.high && narrow.high <= wide.high));
    REQUIRE(wide.low == doctest::Approx(1 - mirrored.high).epsilon(1e-11));
  }
}

TEST_CASE("jeffreys interval: covers the true rate as published") {
  // Brown, Cai, DasGupta 2001: mean coverage over p close to the nominal 0.95. Exact, by summing over outcomes.
  constexpr std::int64_t n = 50;
  double sum = 0;
  int points = 0;
  for (double p = 0.02; p < 0.985; p += 0.005, ++points)
    for (std::int64_t e = 0; e <= n; ++e) {
      const auto bounds = jeffreys_interval(e, n);
      if (bounds.low <= p && p <= bounds.high)
        sum += binomial_upper_tail(e, n, p) - binomial_upper_tail(e + 1, n, p);
    }
  CHECK(sum / points > 0.94);
  CHECK(sum / points < 0.96);
}
