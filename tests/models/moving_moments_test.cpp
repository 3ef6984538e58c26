#include "models/moving_moments.hpp"

#include <doctest/doctest.h>

#include <cmath>
#include <limits>
#include <random>
#include <vector>

using namespace tocsin;

TEST_CASE("moving moments: those of the weighted list, to rounding") {
  std::mt19937 random(3);
  std::uniform_real_distribution<double> rate(0, 1);
  const double keep = moving_moments::keep_of(50);
  moving_moments moments;
  std::vector<double> all;
  for (int i = 0; i < 300; ++i) {
    all.push_back(1000 + rate(random));
    moments.learn(all.back(), keep);
    double weights = 0, sum = 0, squares = 0, w = 1;
    for (auto x = all.rbegin(); x != all.rend(); ++x, w *= keep) {
      weights += w;
      sum += w * *x;
    }
    w = 1;
    for (auto x = all.rbegin(); x != all.rend(); ++x, w *= keep)
      squares += w * (*x - sum / weights) * (*x - sum / weights);
    CHECK(moments.weight == doctest::Approx(weights));
    CHECK(moments.mean == doctest::Approx(sum / weights).epsilon(1e-12));
    CHECK(moments.deviation() == doctest::Approx(std::sqrt(squares / weights)).epsilon(1e-6));
  }
  CHECK(moments.seen == 300);
}

TEST_CASE("moving moments: as steady and as old as the plain mean of so many values") {
  for (const int history : {2, 12, 2016}) {
    const double keep = moving_moments::keep_of(history);
    double w = 1, sum = 0, squares = 0, ages = 0;
    for (int age = 0; age < 40 * history; ++age, w *= keep) {
      sum += w;
      squares += w * w;
      ages += w * age;
    }
    CHECK(squares / (sum * sum) == doctest::Approx(1.0 / history)); // variance of the mean of independent values
    CHECK(ages / sum == doctest::Approx((history - 1) / 2.0));      // mean age
  }
}

TEST_CASE("moving moments: a constant has no deviation, and the first value is the mean") {
  moving_moments moments;
  CHECK(moments.deviation() == 0);
  moments.learn(0.25, 0.9);
  CHECK(moments.mean == 0.25);
  for (int i = 0; i < 100; ++i)
    moments.learn(0.25, 0.9);
  CHECK(moments.deviation() == 0);
  CHECK(moving_moments::keep_of(0) == 0);
  CHECK(moving_moments::keep_of(std::numeric_limits<std::int64_t>::max()) <= 1);
}

TEST_CASE("z-score of a window: the deviation of the history, but at least that of chance") {
  moving_moments history;
  for (int i = 0; i < 1000; ++i)
    history.learn(i % 2 == 0 ? 0.01 : 0.03, moving_moments::keep_of(200));
  CHECK(history.deviation() == doctest::Approx(0.01).epsilon(0.001));
  // A million events: chance gives 0.014 points, the history one.
  CHECK(window_z_score(50'000, 1'000'000, history) == doctest::Approx(3).epsilon(0.02));
  // A hundred: chance gives 1.4 points.
  CHECK(window_z_score(5, 100, history) == doctest::Approx(0.03 / std::sqrt(0.02 * 0.98 / 100)).epsilon(0.02));

  moving_moments spotless;
  for (int i = 0; i < 50; ++i)
    spotless.learn(0, moving_moments::keep_of(2016));
  CHECK(spotless.deviation() == 0);
  CHECK(window_z_score(0, 100, spotless) == 0);
  // Half a failure in 51 windows of 100 events.
  CHECK(window_z_score(1, 100, spotless) == doctest::Approx(10).epsilon(0.05));
}

TEST_CASE("z-score of a window: finite for every input") {
  constexpr auto most = std::numeric_limits<std::int64_t>::max();
  for (const double rate : {0.0, 1e-300, 0.5, 1.0})
    for (const double keep : {0.0, 0.999999, moving_moments::keep_of(most)})
      for (const int values : {0, 1, 1000}) {
        moving_moments history;
        for (int i = 0; i < values; ++i)
          history.learn(rate, keep);
        CHECK(std::isfinite(history.deviation()));
        for (const std::int64_t total : {std::int64_t{0}, std::int64_t{-1}, std::int64_t{1}, std::int64_t{1000}, most})
          for (const std::int64_t failed : {std::int64_t{0}, total / 2, total})
            CHECK(std::isfinite(window_z_score(failed, total, history)));
      }
}
