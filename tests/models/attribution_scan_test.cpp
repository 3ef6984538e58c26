#include "models/attribution_scan.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>
#include <numeric>
#include <random>
#include <utility>
#include <vector>

using namespace tocsin;

namespace {

using values = std::vector<std::pair<std::uint32_t, std::uint32_t>>;

/// Every combination of the dimensions' values, each with the same volume and rate, and noise around it.
struct stream {
  std::vector<std::uint32_t> sizes;
  double events = 200;
  double rate = 0.02;
  std::uint32_t seed = 7;

  template <class Factor>
  attribution_leaves leaves(const Factor& factor) const {
    std::mt19937 random(seed);
    attribution_leaves out;
    out.dimensions = sizes.size();
    std::vector<std::uint32_t> codes(sizes.size(), 0);
    for (bool more = true; more;) {
      out.codes.insert(out.codes.end(), codes.begin(), codes.end());
      out.expected.push_back(events * rate);
      out.failed.push_back(std::poisson_distribution<std::int64_t>(events * rate * factor(codes))(random));
      more = false;
      for (std::size_t a = 0; a < sizes.size() && !more; ++a) {
        codes[a] = (codes[a] + 1) % sizes[a];
        more = codes[a] != 0;
      }
    }
    return out;
  }
};

} // namespace

TEST_CASE("the smallest set that makes the excess is found, whatever its number of dimensions") {
  const stream fleet{{5, 6, 3, 4}};
  const std::vector<values> planted{{{1, 2}}, {{0, 4}, {3, 1}}, {{0, 1}, {1, 0}, {2, 2}}};
  for (const auto& set : planted) {
    const auto answer = find_causes(fleet.leaves([&](const std::vector<std::uint32_t>& codes) {
      return std::all_of(set.begin(), set.end(), [&](const auto& v) { return codes[v.first] == v.second; }) ? 6.0 : 1.0;
    }));
    REQUIRE(answer.causes.size() == 1);
    CHECK(answer.causes[0].values == set);
    CHECK(answer.ranking[0].values == set);
  }
}

TEST_CASE("two causes at once are two answers, the heavier one first") {
  const auto answer = find_causes(stream{{8, 6, 3}}.leaves([](const std::vector<std::uint32_t>& codes) {
    return codes[0] == 3 ? 8.0 : codes[1] == 5 && codes[2] == 0 ? 12.0 : 1.0;
  }));
  REQUIRE(answer.causes.size() == 2);
  CHECK(answer.causes[0].values == values{{0, 3}});
  CHECK(answer.causes[1].values == values{{1, 5}, {2, 0}});
  CHECK(answer.causes[0].score > answer.causes[1].score);
}

TEST_CASE("leaves that rise unevenly make one cause, not its worst half") {
  // The plain Poisson likelihood ratio prefers the half with the higher ratio.
  const auto answer = find_causes(stream{{6, 4, 4}, 5000}.leaves([](const std::vector<std::uint32_t>& codes) {
    return codes[0] != 2 ? 1.0 : codes[1] < 2 ? 12.0 : 3.0;
  }));
  REQUIRE(!answer.causes.empty());
  CHECK(answer.causes[0].values == values{{0, 2}});
}

TEST_CASE("an excess that is everywhere has no cause, nor has none") {
  const stream fleet{{5, 6, 3}};
  CHECK(find_causes(fleet.leaves([](const auto&) { return 5.0; })).causes.empty());
  CHECK(find_causes(fleet.leaves([](const auto&) { return 1.0; })).causes.empty());
  CHECK(find_causes({}).causes.empty());
}

TEST_CASE("one leaf a value and a small rise: where dispersion could explain it, the Poisson ratio decides") {
  attribution_leaves leaves;
  leaves.dimensions = 1;
  for (std::uint32_t value = 0; value < 40; ++value) {
    leaves.codes.push_back(value);
    leaves.expected.push_back(400);
    leaves.failed.push_back(value == 17 ? 600 : 400);
  }
  const auto answer = find_causes(leaves);
  REQUIRE(answer.causes.size() == 1);
  CHECK(answer.causes[0].values == values{{0, 17}});
  // 600 ln 1.5 - 200
  CHECK(answer.causes[0].score == doctest::Approx(43.279).epsilon(1e-4));
}

TEST_CASE("chance rarely makes a cause") {
  // 3 + ln #slices is the logarithm of the number of slices, each with the chance e^-3: at most 5 % of the streams.
  int named = 0;
  for (std::uint32_t seed = 0; seed < 200; ++seed) {
    const stream fleet{{5, 6, 3}, 200, 0.02, seed};
    named += find_causes(fleet.leaves([](const auto&) { return 1.0; })).causes.empty() ? 0 : 1;
  }
  CHECK(named <= 10);
}

TEST_CASE("ties go to fewer dimensions") {
  // Dimension 1 says nothing beyond dimension 0.
  attribution_leaves leaves;
  leaves.dimensions = 2;
  for (std::uint32_t value = 0; value < 4; ++value) {
    leaves.codes.insert(leaves.codes.end(), {value, value});
    leaves.expected.push_back(10);
    leaves.failed.push_back(value == 3 ? 90 : 10);
  }
  const auto answer = find_causes(leaves);
  REQUIRE(answer.causes.size() == 1);
  CHECK(answer.causes[0].values == values{{0, 3}});
}

TEST_CASE("the expectation of a leaf: its own past, shrunk towards the product of main effects") {
  attribution_past past;
  past.dimensions = 2;
  past.codes = {0, 0, 0, 1, 1, 0, 1, 1};
  past.total = {10000, 10000, 10000, 0};
  past.failed = {100, 200, 200, 0};
  const auto rates = expected_leaf_rates(past);
  // Each dimension's second value has 1.2 times the overall rate of 1/60, as far as 50 pseudo-events allow.
  const auto overall = 500.0 / 30000;
  const auto factor = (200 + 50 * overall) / (10000 + 50) / overall;
  CHECK(rates[3] == doctest::Approx(overall * factor * factor));
  CHECK(rates[0] == doctest::Approx(0.01).epsilon(0.01));
  CHECK(rates[1] == doctest::Approx(0.02).epsilon(0.01));
  // Nothing is known without a past.
  past.total = past.failed = {0, 0, 0, 0};
  CHECK(expected_leaf_rates(past) == std::vector<double>(4, 0.0));
}

TEST_CASE("an attribution of any numbers is finite") {
  const auto odd = {0.0, -1.0, 1e300, std::numeric_limits<double>::infinity(), std::nan(""), 1e-300};
  for (const auto total : odd)
    for (const auto failed : odd) {
      const auto rates = expected_leaf_rates({1, {0, 1}, {total, 10}, {failed, 1}});
      for (const auto rate : rates)
        CHECK((rate >= 0 && rate <= 0.9));
      attribution_leaves leaves{1, {0, 1, 2}, {std::numeric_limits<std::int64_t>::max(), -5, 3}, {total, failed, 1}};
      for (const auto& cause : find_causes(leaves).causes)
        CHECK(std::isfinite(cause.score));
    }
}

TEST_CASE("equal leaves in equal order give equal bits") {
  const auto leaves = stream{{8, 6, 3}}.leaves([](const auto& codes) { return codes[0] == 3 ? 4.0 : 1.0; });
  const auto a = find_causes(leaves), b = find_causes(leaves);
  REQUIRE(a.causes.size() == b.causes.size());
  for (std::size_t i = 0; i < a.causes.size(); ++i)
    CHECK(a.causes[i].score == b.causes[i].score);
}
