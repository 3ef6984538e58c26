// Error types: those never or rarely seen are found, and chance stays within the budget.

#include "detectors/judging/error_types/type_watch.hpp"
#include "detectors/values/key.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <optional>
#include <random>
#include <string>
#include <vector>

using namespace tocsin;
using error_types::scope_tick;
using error_types::type_watch;

namespace {

std::string encoded(const std::string& text) {
  std::string out;
  append_text(out, text);
  return out;
}

/// Believes every alarm.
class recorder final : public judge {
public:
  bool say(verdict&& what) override {
    if (what.type == verdict::kind::excess)
      alarms.push_back(what);
    else
      ends.push_back(what);
    return what.type == verdict::kind::excess && believes;
  }
  void counted(const key_counts& counts) override { told_failures += counts.failed; }
  void changed(key_slot) override {}
  void remind(tick_index, key_slot) override {}
  bool is_open(key_slot) const override { return false; }
  key_slot type_key(key_slot, std::string_view type) override {
    const auto [known, is_new] = slots.try_emplace(std::string(type), static_cast<key_slot>(slots.size() + 1));
    return known->second;
  }

  bool believes = true;
  std::vector<verdict> alarms, ends;
  std::map<std::string, key_slot> slots;
  std::int64_t told_failures = 0;
};

monitor_spec a_monitor() {
  monitor_spec monitor;
  monitor.name = "m";
  monitor.levels = {{{}}};
  name_error_type(monitor, "error");
  return monitor;
}

/// One scope, fed tick by tick with failures by type.
class bench {
public:
  explicit bench(double budget_a_tick) : keys_(monitor_), watch(monitor_, settings_, keys_, budget_a_tick) {
    bool is_new = false;
    const std::string root(1, '\0');
    keys_.touch(hash_key(root), root, 0, no_slot, 0, is_new);
  }

  void tick(std::int64_t total, double rate, double dispersion, const std::map<std::string, std::int64_t>& failed,
            bool is_void = false) {
    counts_.clear();
    for (const auto& [type, failures] : failed)
      counts_.push_back({0, type, failures, 0});
    scope_tick seen;
    seen.root = 0;
    seen.total = total;
    for (const auto& one : counts_)
      seen.failed += one.failed;
    seen.rate = rate;
    seen.dispersion = dispersion;
    seen.is_void = is_void;
    seen.first = counts_.data();
    seen.last = counts_.data() + counts_.size();
    watch.step(now++, seen, out);
  }

private:
  monitor_spec monitor_ = a_monitor();
  sr_mixture_spec settings_;
  keyed_state keys_;
  std::vector<type_counts> counts_;

public:
  type_watch watch;
  recorder out;
  tick_index now = 0;
};

/// Types by Zipf's law, failures over-dispersed by a gamma-distributed factor a tick.
class zipf_stream {
public:
  zipf_stream(std::uint32_t seed, int types, double exponent, double mean, double dispersion)
      : random_(seed), mean_(mean), factor_(1 / dispersion, dispersion) {
    std::vector<double> weights;
    for (int i = 1; i <= types; ++i) {
      weights.push_back(std::pow(i, -exponent));
      names_.push_back(encoded("type " + std::to_string(i)));
    }
    which_ = std::discrete_distribution<std::size_t>(weights.begin(), weights.end());
  }
  std::map<std::string, std::int64_t> next(std::int64_t total) {
    std::map<std::string, std::int64_t> out;
    std::poisson_distribution<std::int64_t> many(mean_ * factor_(random_));
    for (auto left = std::min(total, many(random_)); left > 0; --left)
      ++out[names_[which_(random_)]];
    return out;
  }
  std::mt19937_64& random() { return random_; }

private:
  std::mt19937_64 random_;
  double mean_;
  std::gamma_distribution<double> factor_;
  std::vector<std::string> names_;
  std::discrete_distribution<std::size_t> which_;
};

constexpr tick_index ticks_a_day = 8640;

} // namespace

TEST_CASE("200 types by Zipf's law and over-dispersion stay within their budget") {
  struct stream {
    double rate, dispersion, exponent;
  };
  // The budget is one in 4320 ticks. The bound is that of the proof, E <= budget; what is counted is 0.01 to 0.3 of it.
  for (const auto& what : {stream{0.01, 0.1, 1.0}, stream{0.05, 0.3, 1.0}, stream{0.2, 0.05, 0.7}}) {
    constexpr int days = 10;
    constexpr double a_day = 2;
    std::size_t alarms = 0;
    for (const std::uint32_t seed : {1U, 2U}) {
      bench one(a_day / ticks_a_day);
      zipf_stream types(seed, 200, what.exponent, 100 * what.rate, what.dispersion);
      for (tick_index i = 0; i < days * ticks_a_day; ++i)
        one.tick(100, what.rate, what.dispersion, types.next(100));
      alarms += one.out.alarms.size();
    }
    const auto nominal = 2 * days * a_day;
    MESSAGE("rate " << what.rate << ", dispersion " << what.dispersion << ", exponent " << what.exponent << ": "
                    << alarms << " false alarms of " << nominal);
    CHECK(static_cast<double>(alarms) <= nominal);
  }
}

TEST_CASE("a new type with 10 failures in a minute is found at once, while the total rate hardly moves") {
  // 20 events a second, 5 % of them fail, of 200 types; the fourth day brings a type that nobody knows.
  constexpr int days = 3;
  int found = 0;
  std::vector<tick_index> delays;
  for (std::uint32_t seed = 1; seed <= 10; ++seed) {
    bench one(0.1 / ticks_a_day);
    zipf_stream types(seed, 200, 1, 10, 0.1);
    for (tick_index i = 0; i < days * ticks_a_day; ++i)
      one.tick(200, 0.05, 0.1, types.next(200));
    const auto false_alarms = one.out.alarms.size();
    const auto begin = one.now;
    std::vector<int> in_tick(6, 0);
    for (int i = 0; i < 10; ++i)
      ++in_tick[types.random()() % 6];
    for (const auto more : in_tick) {
      auto failed = types.next(200);
      if (more > 0)
        failed[encoded("HLS_404")] = more;
      one.tick(200, 0.05, 0.1, failed);
      if (one.out.alarms.size() > false_alarms) {
        ++found;
        delays.push_back(one.now - begin);
        break;
      }
    }
  }
  std::sort(delays.begin(), delays.end());
  REQUIRE(found >= 9);
  CHECK(delays.back() <= 6);
  MESSAGE("found " << found << " of 10, median after " << 10 * delays[delays.size() / 2] << " s, longest after "
                   << 10 * delays.back() << " s");
}

TEST_CASE("types share their budget: known ones half of it, new ones what has gathered") {
  std::mt19937 random(3);
  error_types::type_budget budget(0.01, ticks_a_day, 0);
  std::vector<double> seen;
  auto spent = 0.0;
  tick_index now = 0;
  for (int i = 0; i < 20'000; ++i) {
    now += static_cast<tick_index>(random() % 4);
    if (random() % 20 == 0) {
      spent += budget.take_from_purse(now);
      seen.push_back(budget.until(now));
    } else if (!seen.empty() && random() % 20 == 0) {
      seen.pop_back();
    } else if (!seen.empty()) {
      auto& one = seen[random() % seen.size()];
      spent += budget.until(now) - one;
      one = budget.until(now);
    }
    budget.share_among(seen.size(), now);
    REQUIRE(budget.rate() * static_cast<double>(seen.size()) <= 0.01 / 2 + 1e-12);
    REQUIRE(spent <= 0.01 * static_cast<double>(now) + 1e-9);
  }
  CHECK(spent > 0.2 * 0.01 * static_cast<double>(now));
}

TEST_CASE("an alarm of a type tells its excess, ends when the type is gone, and is not learned") {
  bench one(0.1 / ticks_a_day);
  const auto usual = encoded("usual"), bad = encoded("bad");
  const auto quiet = [&](int ticks) {
    for (int i = 0; i < ticks; ++i)
      one.tick(200, 0.01, 0.02, {{usual, 2}});
  };
  quiet(3000);
  REQUIRE(one.out.alarms.empty());
  for (int i = 0; i < 20 && one.out.alarms.empty(); ++i)
    one.tick(200, 0.01, 0.02, {{bad, 2}, {usual, 2}});
  REQUIRE(one.out.alarms.size() == 1);
  const auto alarm = one.out.alarms[0];
  CHECK(alarm.slot == one.out.slots.at(bad));
  CHECK(alarm.onset == 3000);
  CHECK(alarm.failed == 2 * (one.now - 3000));
  CHECK(alarm.total == 200 * (one.now - 3000));
  CHECK(*alarm.expected < 0.1);
  CHECK(*alarm.evidence >= 1);
  CHECK(one.watch.has_open(alarm.slot));
  CHECK(one.watch.expected_rate(alarm.slot) == doctest::Approx(alarm.baseline));
  CHECK(one.watch.closes_when(alarm.slot).find("rate below") == 0);
  for (int i = 0; i < 50; ++i)
    one.tick(200, 0.01, 0.02, {{bad, 2}, {usual, 2}});
  CHECK(one.out.alarms.size() == 1);
  CHECK(one.out.told_failures == 100);
  quiet(200);
  REQUIRE(one.out.ends.size() == 1);
  CHECK(one.out.ends[0].type == verdict::kind::normal);
  CHECK_FALSE(one.watch.has_open(alarm.slot));
  // Nothing of it was learned: again is as new as at first.
  CHECK(one.watch.of(0)->known.at(bad).test.failures() < 0.1);
  for (int i = 0; i < 5; ++i)
    one.tick(200, 0.01, 0.02, {{bad, 2}, {usual, 2}});
  CHECK(one.out.alarms.size() == 2);
}

TEST_CASE("while the root's own incident is open, types rise with it and none alarms") {
  bench one(0.1 / ticks_a_day);
  for (int i = 0; i < 3000; ++i)
    one.tick(200, 0.01, 0.02, {{encoded("usual"), 2}});
  const auto known = one.watch.of(0)->known.size();
  for (int i = 0; i < 50; ++i)
    one.tick(200, 0.01, 0.02, {{encoded("bad"), 20}, {encoded("usual"), 40}}, true);
  CHECK(one.out.alarms.empty());
  CHECK(one.watch.of(0)->known.size() == known);
}

TEST_CASE("types without number do not grow the memory, and alarm no more than the budget allows") {
  bench one(1.0 / ticks_a_day);
  for (int i = 0; i < 20'000; ++i)
    one.tick(200, 0.01, 0.02, {{encoded("usual"), 1}, {encoded("id " + std::to_string(i)), 1}});
  CHECK(one.watch.of(0)->known.size() <= 256);
  CHECK(one.watch.of(0)->known.count(encoded("usual")) == 1);
  CHECK(one.out.alarms.size() <= 2);
  CHECK(one.watch.memory_bytes() < 200'000);
}

TEST_CASE("a restored watch goes on exactly") {
  bench one(1.0 / ticks_a_day), again(1.0 / ticks_a_day);
  zipf_stream types(5, 50, 1, 2, 0.2);
  std::vector<std::map<std::string, std::int64_t>> ticks;
  for (int i = 0; i < 4000; ++i)
    ticks.push_back(types.next(200));
  for (const auto& failed : ticks)
    one.tick(200, 0.01, 0.2, failed);
  state_writer out(1);
  one.watch.save(0, out);
  const auto bytes = out.seal();
  state_reader in(bytes);
  REQUIRE(again.watch.load(0, in));
  CHECK(in.complete());
  again.now = one.now;
  CHECK(again.watch.loaded(one.now - 1));
  CHECK_FALSE(type_watch(again.watch).loaded(one.now - 2000));
  for (int i = 0; i < 200; ++i) {
    auto failed = types.next(200);
    failed[encoded("bad")] = 2;
    one.tick(200, 0.01, 0.2, failed);
    again.tick(200, 0.01, 0.2, failed);
  }
  REQUIRE_FALSE(again.out.alarms.empty());
  CHECK(again.out.alarms.back().evidence == one.out.alarms.back().evidence);
  state_writer first(1), second(1);
  one.watch.save(0, first);
  again.watch.save(0, second);
  CHECK(first.seal() == second.seal());
  // Damage is refused.
  for (const std::size_t at : {std::size_t{20}, bytes.size() / 2}) {
    auto broken = bytes;
    broken[at] = static_cast<char>(broken[at] ^ 0x40);
    state_reader bad(broken);
    CHECK_FALSE((bad.ok() && type_watch(again.watch).load(0, bad)));
  }
}
