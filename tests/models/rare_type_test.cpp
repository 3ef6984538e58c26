#include "models/rare_type.hpp"

#include <doctest/doctest.h>

#include <cmath>
#include <limits>
#include <random>
#include <vector>

using namespace tocsin;

namespace {

constexpr std::int64_t many = 10'000, in_silence = 1'000'000;

/// Probability of e failures at exposure x of a share ~ Gamma(a, b).
double predicted(double a, double b, double x, int e) {
  return std::exp(std::lgamma(a + e) - std::lgamma(a) - std::lgamma(e + 1.0) + a * std::log(b / (b + x)) +
                  e * std::log(x / (b + x)));
}

rare_type known(double failures, double mass) {
  rare_type type;
  type.name(mass);
  type.set_failures(failures);
  return type;
}

double mean_of_silence(int j, std::int64_t events, double rate, double dispersion) {
  constexpr int steps = 20'000;
  auto sum = 0.0;
  for (int i = 0; i < steps; ++i)
    sum += likelihood_ratios(static_cast<std::int64_t>(static_cast<double>(events) * (i + 0.5) / steps), 0, rate,
                             dispersion)[j];
  return sum / steps;
}

} // namespace

TEST_CASE("the evidence of stretches that follow each other is a martingale under the prior") {
  // All outcomes of a tick and of another one, weighed by their probability: no sampling. The sum over the failures is
  // cut where it does not show; exposures are so small that no evidence reaches its cap.
  for (const double failures : {1.0, 2.5, 12.0})
    for (const double exposure : {30.0, 100.0}) {
      CAPTURE(failures);
      CAPTURE(exposure);
      const auto b = 1 + exposure;
      constexpr double first = 0.004, second = 0.006; // exposures of the two ticks
      auto mean = 0.0;
      for (int e = 0; e < 80; ++e) {
        auto once = known(failures, alternatives);
        once.observe(many, e, once.share(exposure) * first / many, 0);
        once.learn(e);
        for (int again = 0; again < 80; ++again) {
          auto twice = once;
          twice.observe(many, again, twice.share(exposure + first) * second / many, 0);
          mean +=
              predicted(failures, b, first, e) * predicted(failures + e, b + first, second, again) * twice.evidence();
        }
      }
      CHECK(mean == doctest::Approx(alternatives).epsilon(1e-3));
    }
}

TEST_CASE("what begins during a silence meets what is left of it, and is never more than that") {
  for (const double mu : {1e-3, 0.5, 30.0, 1000.0})
    for (const double dispersion : {1e-6, 0.05, 1.0}) {
      CAPTURE(mu);
      CAPTURE(dispersion);
      const auto mean = mean_ratio_of_silence(in_silence, mu / in_silence, dispersion);
      for (int j = 0; j < alternatives; ++j) {
        const auto exact = mean_of_silence(j, in_silence, mu / in_silence, dispersion);
        CHECK(mean[j] <= exact * (1 + 1e-6));
        CHECK(mean[j] >= 0.3 * exact);
      }
    }
  CHECK(mean_ratio_of_silence(0, 0.01, 1).isApprox(per_alternative::Ones()));
}

TEST_CASE("the first failure names, the next ones are evidence") {
  rare_type type;
  type.name(0.001);
  CHECK(type.failures() == 1);
  CHECK(type.evidence() == doctest::Approx(0.001));
  // A thousand failures were expected, and none was of this type.
  for (int i = 0; i < 3; ++i) {
    type.observe(100, 1, type.share(1000) * 0.01, 0);
    type.learn(1);
  }
  CHECK(type.evidence() > 1);
  // Of a type that fails each time that ten failures are expected, one more is no news.
  auto usual = known(90, 0.001);
  for (int i = 0; i < 20; ++i) {
    usual.observe_silence(1e-6, 900, usual.share(900) * 0.01);
    usual.observe(100, 1, usual.share(909) * 0.01, 0);
  }
  CHECK(usual.evidence() < 0.01);
}

TEST_CASE("a scope whose types come from the prior has no more false alarms than its budget") {
  // Gamma process: types of a Dirichlet process with a random total. The budget of a type begins when it is named; 4000
  // scopes of 400 ticks. The mass that is started in all of them is 120: so many alarms at most are expected.
  constexpr int scopes = 4000, ticks = 400;
  constexpr double exposure = 0.5;
  std::mt19937_64 random(11);
  auto started = 0.0;
  auto alarms = 0;
  struct one_type {
    rare_type test;
    int seen = 0;
  };
  for (int s = 0; s < scopes; ++s) {
    std::vector<one_type> types;
    auto x = 0.0;
    for (int t = 0; t < ticks; ++t) {
      // Each known type is a Polya urn; a new one appears with intensity 1 / (1 + x).
      for (auto& type : types) {
        const auto share = std::gamma_distribution<double>(type.test.failures(), 1 / (1 + x))(random);
        const auto failed = std::poisson_distribution<int>(share * exposure)(random);
        if (failed > 0) {
          const auto silent = (t - type.seen - 1) * exposure;
          const auto mass = 1e-5 * (t - type.seen);
          started += mass;
          const auto rate = silent > 0 ? type.test.share(x - silent) * silent / many : 0.0;
          type.test.observe_silence(mass, silent > 0 ? many : 0, rate);
          type.test.observe(many, failed, type.test.share(x) * exposure / many, 0);
          type.seen = t;
          if (type.test.evidence() >= 1) {
            ++alarms;
            type.test.reset();
          }
          type.test.learn(failed);
        }
      }
      const auto appear = std::poisson_distribution<int>(std::log1p(exposure / (1 + x)))(random);
      for (int i = 0; i < appear; ++i) {
        types.emplace_back();
        types.back().test.name(5e-3);
        types.back().seen = t;
        started += 5e-3;
      }
      x += exposure;
    }
  }
  MESSAGE(alarms << " false alarms of " << started);
  CHECK(started > 100);
  CHECK(alarms <= 1.15 * started);
  CHECK(alarms > 0.01 * started);
}

TEST_CASE("total: any input gives a finite answer, and damaged state is refused") {
  const auto not_a_number = std::numeric_limits<double>::quiet_NaN();
  const auto infinity = std::numeric_limits<double>::infinity();
  for (const double odd : {not_a_number, infinity, -infinity, -1.0, 0.0, 1e300}) {
    auto type = known(odd, odd);
    type.observe_silence(odd, -5, odd);
    type.observe_silence(odd, many, odd);
    type.observe(-1, 7, odd, odd);
    type.learn(odd);
    type.forget(odd);
    CHECK(std::isfinite(type.evidence()));
    CHECK(std::isfinite(type.failures()));
    CHECK(std::isfinite(type.variance()));
    CHECK(type.failures() >= 0);
  }
  rare_type type;
  const auto nothing = shiryaev_roberts_mixture::evidence{};
  CHECK_FALSE(type.load(-1, nothing));
  CHECK_FALSE(type.load(not_a_number, nothing));
  auto bad = nothing;
  bad[3] = -1;
  CHECK_FALSE(type.load(1, bad));
  CHECK(type.load(7, nothing));
  CHECK(type.failures() == 7);
}
