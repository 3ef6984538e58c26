#include "models/dispersion.hpp"
#include "models/level.hpp"
#include "tests/support/count_noise.hpp"

#include <doctest/doctest.h>

#include <cmath>
#include <initializer_list>

using namespace tocsin;

namespace {

/// kappa after a week of minutes of n events at rate p whose noise has dispersion k; 0: binomial.
double learned_kappa(int n, double p, double k, std::uint64_t seed) {
  const count_sampler draw(k > 0 ? gamma_binomial_pmf(n, p, k) : binomial_pmf(n, p));
  std::mt19937_64 random(seed);
  tick_dispersion dispersion;
  for (int i = 0; i < 7 * 1440; ++i)
    dispersion.observe(static_cast<double>(draw(random)), n * p, p, dispersion.value(), level_kept(1.0 / 60));
  return dispersion.value();
}

} // namespace

TEST_CASE("kappa begins at its prior and is recovered from counts") {
  CHECK(tick_dispersion().value() == doctest::Approx(0.02));
  CHECK(tick_dispersion().value(0.1) == doctest::Approx(0.1));
  // The standard deviation of an estimate from N ticks of mean mu and no dispersion is about sqrt(2 / N) / mu: 0.0014
  // here; with dispersion more, and clipping at 4 sd takes a little.
  CHECK(learned_kappa(1000, 0.01, 0, 1) < 0.006);
  CHECK(learned_kappa(1000, 0.01, 0.05, 2) == doctest::Approx(0.05).epsilon(0.15));
  CHECK(learned_kappa(400, 0.2, 0.05, 3) == doctest::Approx(0.05).epsilon(0.15));
  // Where ticks expect next to nothing there is nothing to learn: the prior stays.
  CHECK(learned_kappa(1, 0.001, 0, 4) == doctest::Approx(0.02).epsilon(0.02));
}

TEST_CASE("an outage that begins hardly teaches dispersion") {
  tick_dispersion dispersion;
  for (int i = 0; i < 10'000; ++i)
    dispersion.observe(10 + (i % 2 == 0 ? 3 : -3), 10, 0.01, dispersion.value(), 1);
  const auto before = dispersion.value();
  dispersion.observe(1e9, 10, 0.01, before, 1);
  CHECK(dispersion.value() < before + 4e-4); // (4 sd + 1)^2 of a million
}

TEST_CASE("sigma is recovered from hours whose rate wanders") {
  // Hours of M = 2000, rate off by 10 % up or down: sigma^2 = 0.01.
  hour_misfit misfit;
  CHECK(misfit.value() == doctest::Approx(0.0025));
  for (int i = 0; i < 500; ++i)
    misfit.observe(2000 + (i % 2 == 0 ? 200 : -200), 2000, 0, 0, misfit.value(), level_kept(1));
  CHECK(misfit.value() == doctest::Approx(0.01 - 1.0 / 2000).epsilon(0.01));
  // Nothing to see but chance: down to the floor.
  hour_misfit calm;
  for (int i = 0; i < 500; ++i)
    calm.observe(2000, 2000, 0, 0, calm.value(), level_kept(1));
  CHECK(calm.value(prior_misfit, 0.0004) == 0.0004);
  CHECK(calm.value() == 0);
}

TEST_CASE("dispersions stay finite at the extremes") {
  for (const auto failed : {0.0, 1.0, 1e9, 1e18, 1e30})
    for (const auto expected : {0.0, 1e-9, 1.0, 1e18, 1e30})
      for (const auto kept : {0.0, 0.5, 1.0}) {
        tick_dispersion dispersion;
        hour_misfit misfit;
        for (int i = 0; i < 50; ++i) {
          dispersion.observe(failed, expected, 0.5, dispersion.value(), kept);
          misfit.observe(failed, expected, expected * expected, dispersion.value(), misfit.value(), kept);
        }
        CHECK(std::isfinite(dispersion.value()));
        CHECK(dispersion.value() >= 1e-4);
        CHECK(std::isfinite(misfit.value()));
        CHECK(misfit.value() >= 0);
      }
}
