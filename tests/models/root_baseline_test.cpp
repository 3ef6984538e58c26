#include "models/root_baseline.hpp"

#include <doctest/doctest.h>

#include <cmath>
#include <cstring>
#include <limits>
#include <random>
#include <string>
#include <type_traits>
#include <vector>

using namespace tocsin;

namespace {

constexpr double monday = 4 * 86'400.0; // 1970-01-05
constexpr double an_hour = 3600;
constexpr double a_day = 24 * an_hour;

/// A stream of one key against its baseline, in ticks.
class stream {
public:
  explicit stream(double tick = 60, double begin = monday, double offset = 0)
      : tick_(tick), offset_(offset), now_(begin), baseline({tick, std::max(an_hour, tick)}, begin) {}

  const forecast& expect() {
    const auto local = now_ + offset_;
    baseline.advance(now_, local,
                     season_at(static_cast<std::int64_t>(local * 1000), static_cast<std::int64_t>(tick_ * 1000)));
    return baseline.expected();
  }
  void learn(std::int64_t total, std::int64_t failed, bool spoiled = false) {
    baseline.learn(total, failed, spoiled ? lesson::none : lesson::robust);
    now_ += tick_;
  }
  /// `ticks` of Poisson counts: n events a tick at rate(t).
  template <class Rate>
  void feed(int ticks, double n, Rate&& rate, bool spoiled = false) {
    for (int i = 0; i < ticks; ++i) {
      expect();
      const auto total = std::poisson_distribution<std::int64_t>(n)(random_);
      const auto failed = std::binomial_distribution<std::int64_t>(total, rate(now_))(random_);
      if (total > 0)
        learn(total, failed, spoiled);
      else
        now_ += tick_;
    }
  }
  void skip(double seconds) { now_ += seconds; }
  double now() const { return now_; }

private:
  double tick_;
  double offset_;
  double now_;
  std::mt19937_64 random_{42};

public:
  root_baseline baseline;
};

/// One percent, 40 % more or less by the hour, a tenth more at weekends.
double seasonal(double t) {
  const auto days = std::floor(t / a_day);
  const auto weekend = std::fmod(days + 3, 7) >= 5;
  return 0.01 * std::exp(0.4 * std::sin(2 * 3.14159265 * t / a_day)) * (weekend ? 1.1 : 1);
}

std::string bytes_of(root_baseline baseline) {
  std::string bytes;
  baseline.for_each([&](auto& number) { bytes.append(reinterpret_cast<const char*>(&number), sizeof number); });
  return bytes;
}

} // namespace

TEST_CASE("a seasonal stream: a shape within two days, a small error after two weeks") {
  stream of(60);
  CHECK(!of.expect().seasonal);
  of.feed(1440 + 90, 300, seasonal);
  CHECK(of.baseline.has_shape());
  of.feed(1440 - 90, 300, seasonal);
  CHECK(of.expect().seasonal);

  of.feed(12 * 1440, 300, seasonal);
  // Two weeks at 180 failures an hour. A weekday's cell has seen ten hours (discounted about eight: 1400 failures, 2.6
  // %), a weekend's four (4 %); interpolation between hours costs up to 1 %. Squared error over a week, and its worst.
  auto squares = 0.0, worst = 0.0;
  for (int i = 0; i < 7 * 1440; ++i) {
    const auto& expected = of.expect();
    REQUIRE(expected.seasonal);
    const auto error = std::log(expected.rate / seasonal(of.now()));
    squares += error * error;
    worst = std::max(worst, std::abs(error) / std::sqrt(expected.variance));
    of.feed(1, 300, seasonal);
  }
  CHECK(std::sqrt(squares / (7 * 1440)) < 0.06);
  CHECK(worst < 4); // never far from what it says of itself
}

TEST_CASE("the season follows local time") {
  // The same stream told in a zone nine hours ahead has the same forecasts.
  stream utc(60, monday, 0), tokyo(60, monday - 9 * an_hour, 9 * an_hour);
  for (int i = 0; i < 3 * 1440; ++i) {
    const auto& a = utc.expect();
    const auto& b = tokyo.expect();
    REQUIRE(a.rate == doctest::Approx(b.rate).epsilon(1e-9));
    const auto failed = (i % 7) * (i / 600 % 3);
    utc.learn(400, failed);
    tokyo.learn(400, failed);
  }
  CHECK(utc.expect().seasonal);
}

TEST_CASE("at the start, the local level follows a doubled rate within an hour") {
  stream of(10);
  of.feed(360, 100, [](double) { return 0.01; });
  CHECK(of.expect().rate == doctest::Approx(0.01).epsilon(0.2));
  of.feed(360, 100, [](double) { return 0.02; });
  // Quarantine holds back 15 minutes; 0.03 of variance an hour forgets the rest no faster than noise asks.
  CHECK(of.expect().rate > 0.0145);
  of.feed(720, 100, [](double) { return 0.02; });
  CHECK(of.expect().rate == doctest::Approx(0.02).epsilon(0.1));
}

TEST_CASE("the forecast of the first tick knows nothing, and says so") {
  stream of(10);
  const auto& first = of.expect();
  CHECK(first.variance > 1);
  CHECK(first.rate == doctest::Approx(0.5));
  of.feed(60, 1000, [](double) { return 0.01; });
  CHECK(of.expect().variance < 0.1);
}

TEST_CASE("nothing of an outage is learned, nor what preceded its alarm") {
  const auto run = [](std::int64_t failed, bool spoils) {
    stream of(10);
    const auto steady = [&](int ticks, std::int64_t failures, bool spoiled) {
      for (int i = 0; i < ticks; ++i) {
        of.expect();
        of.learn(100, failures, spoiled);
      }
    };
    steady(3 * 8640, 1, false);
    // Twenty minutes until the alarm, forty with the incident open, then two hours until all of it has left quarantine.
    steady(120, failed, false);
    if (spoils)
      of.baseline.spoil_quarantine();
    steady(240, failed, spoils);
    steady(720, 1, false);
    return of.expect();
  };
  const auto calm = run(1, true);
  const auto outage = run(30, true);
  CHECK(outage.rate == calm.rate); // how many failed makes no difference at all
  CHECK(outage.misfit == doctest::Approx(calm.misfit).epsilon(0.01));
  CHECK(run(30, false).rate > 1.0005 * calm.rate); // winsorised, but learned
}

TEST_CASE("an accepted rate is the new level and keeps the shape") {
  stream of(60);
  of.feed(3 * 1440, 300, seasonal);
  const auto before = of.expect();
  of.baseline.accept(3 * before.rate);
  const auto after = of.expect();
  CHECK(after.rate == doctest::Approx(3 * before.rate));
  CHECK(after.seasonal);
  of.feed(1440, 300, [](double t) { return 3 * seasonal(t); });
  CHECK(of.expect().rate == doctest::Approx(3 * seasonal(of.now())).epsilon(0.2));
  // Lower rates are no incident: they are learned as they come.
  const auto level = of.expect().rate;
  of.baseline.accept(level / 10);
  CHECK(of.expect().rate == doctest::Approx(level));
}

TEST_CASE("a baseline is saved and restored exactly, and then goes on alike") {
  for (const int ticks : {0, 1, 37, 700, 2000, 5000}) {
    CAPTURE(ticks);
    stream of(60, monday + 1234 * 60);
    of.feed(ticks, 20, seasonal);
    of.expect();
    root_baseline copy({60, 3600}, 0);
    const auto bytes = bytes_of(of.baseline);
    std::size_t at = 0;
    copy.for_each([&](auto& number) {
      std::memcpy(&number, bytes.data() + at, sizeof number);
      at += sizeof number;
    });
    REQUIRE(at == bytes.size());
    REQUIRE(copy.is_plausible());
    CHECK(bytes_of(copy) == bytes);
    auto t = of.now();
    for (int i = 0; i < 500; ++i, t += i % 50 == 0 ? 7200 : 60) {
      const auto at_week = season_at(static_cast<std::int64_t>(t * 1000), 60'000);
      of.baseline.advance(t, t, at_week);
      copy.advance(t, t, at_week);
      REQUIRE(copy.expected().rate == of.baseline.expected().rate);
      REQUIRE(copy.expected().variance == of.baseline.expected().variance);
      of.baseline.learn(30, i % 3, i % 100 > 90 ? lesson::none : lesson::robust);
      copy.learn(30, i % 3, i % 100 > 90 ? lesson::none : lesson::robust);
      if (i == 250) {
        of.baseline.spoil_quarantine();
        copy.spoil_quarantine();
      }
    }
    CHECK(bytes_of(copy) == bytes_of(of.baseline));
  }
}

TEST_CASE("any counts, any gaps, any ticks: rates stay rates") {
  std::mt19937_64 random(8);
  for (const auto tick : {1.0, 10.0, 7.0, 300.0, an_hour, 5 * an_hour, a_day, 7 * a_day})
    for (int kind = 0; kind < 4; ++kind) {
      CAPTURE(tick);
      CAPTURE(kind);
      stream of(tick, 1000 * tick);
      for (int i = 0; i < 600; ++i) {
        const auto& expected = of.expect();
        REQUIRE(expected.rate >= 1e-6);
        REQUIRE(expected.rate <= 0.9);
        REQUIRE(expected.variance > 0);
        REQUIRE(std::isfinite(expected.variance));
        REQUIRE(expected.level > 0);
        REQUIRE(std::isfinite(expected.level));
        REQUIRE(expected.dispersion >= 1e-4);
        REQUIRE(std::isfinite(expected.dispersion));
        REQUIRE(expected.inherited >= 0);
        constexpr auto huge = std::numeric_limits<std::int64_t>::max();
        const auto total = kind == 0   ? 0
                           : kind == 1 ? huge
                                       : static_cast<std::int64_t>(random() >> (random() % 63 + 1));
        const auto failed = kind == 3 ? total : static_cast<std::int64_t>(static_cast<double>(total) * 0.4);
        of.learn(total, failed, i % 97 > 90);
        if (i % 61 == 60)
          of.baseline.spoil_quarantine();
        if (i % 83 == 82)
          of.baseline.accept(static_cast<double>(random() % 1000) / 500);
        if (i % 100 == 99)
          of.skip(std::pow(10.0, static_cast<double>(i / 100)) * 1000 * tick); // up to millennia
        REQUIRE(of.baseline.is_plausible());
      }
    }
}

TEST_CASE("years of silence leave the shape and let the level grow uncertain") {
  stream of(60);
  of.feed(9 * 1440, 100, seasonal);
  const auto before = of.expect();
  of.skip(3 * 365 * a_day);
  const auto after = of.expect();
  CHECK(after.rate > 0);
  CHECK(after.variance > before.variance);
  of.feed(2 * 1440, 100, seasonal);
  CHECK(of.expect().rate == doctest::Approx(seasonal(of.now())).epsilon(0.25));
}

TEST_CASE("hourly, daily and weekly ticks are learned") {
  for (const auto tick : {an_hour, a_day, 7 * a_day}) {
    CAPTURE(tick);
    stream of(tick);
    of.feed(400, 5000, [](double) { return 0.03; });
    CHECK(of.expect().rate == doctest::Approx(0.03).epsilon(0.05));
    CHECK(of.expect().seasonal);
    CHECK(of.expect().dispersion < 0.02);
    CHECK(of.expect().variance < 0.02);
  }
}
