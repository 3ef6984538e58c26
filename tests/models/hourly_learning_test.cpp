#include "models/hourly_learning.hpp"

#include <doctest/doctest.h>

#include <cmath>
#include <random>
#include <vector>

using namespace tocsin;

namespace {

/// e~ as the specification writes it.
double reference(double e, double m, double squares, double kappa, double sigma_squared) {
  const auto sd = std::sqrt(m + kappa * squares + sigma_squared * m * m);
  return e < m + 3 * sd + 0.5 ? e : m + 3 * sd + 0.5;
}

} // namespace

TEST_CASE("columns winsorise as the formula does, row by row, and keep nothing of the rows before") {
  std::mt19937 random(5);
  std::exponential_distribution<double> some(1);
  learning_columns columns;
  for (const int rows : {1, 3, 64, 65, 1000, 7, 0, 200}) {
    columns.clear();
    std::vector<double> expected;
    for (int i = 0; i < rows; ++i) {
      const auto m = std::pow(10.0, 4 * some(random) - 4);
      const auto e = std::floor(m * 3 * some(random));
      const auto squares = m * m * some(random) / 10;
      const auto kappa = 0.05 * some(random);
      const auto sigma_squared = 0.01 * some(random);
      columns.add(e, m, squares, kappa, sigma_squared);
      expected.push_back(reference(e, m, squares, kappa, sigma_squared));
      CHECK(robust_failures(e, m, squares, kappa, sigma_squared) == doctest::Approx(expected.back()));
    }
    REQUIRE(columns.rows() == rows);
    if (rows == 0)
      continue;
    const auto& robust = columns.robust_failures();
    for (int i = 0; i < rows; ++i)
      REQUIRE(robust[i] == doctest::Approx(expected[static_cast<std::size_t>(i)]));
  }
}

TEST_CASE("what is usual is learned as it is, an outage only as far as noise goes") {
  CHECK(robust_failures(10, 10, 0, 0, 0) == 10);
  CHECK(robust_failures(0, 10, 0, 0, 0) == 0);
  CHECK(robust_failures(1000, 100, 0, 0, 0) == doctest::Approx(130.5));
  CHECK(robust_failures(1, 0, 0, 0, 0) == 0.5);
  CHECK(std::isfinite(robust_failures(1e30, 1e30, 1e60, 1e3, 1e3)));
}
