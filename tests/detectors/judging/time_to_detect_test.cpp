#include "detectors/judging/dimensions.hpp"
#include "detectors/judging/gates.hpp"
#include "detectors/judging/time_to_detect.hpp"
#include "detectors/values/key.hpp"
#include "models/optimal_delay.hpp"

#include <doctest/doctest.h>

#include <cmath>
#include <limits>

using namespace tocsin;

namespace {

std::vector<std::string> outages(const std::vector<time_to_detect>& times) {
  std::vector<std::string> names;
  for (const auto& one : times)
    names.push_back(one.outage);
  return names;
}

} // namespace

TEST_CASE("time to detect: outages above the guarded rate, largest first") {
  using names = std::vector<std::string>;
  CHECK(outages(times_to_detect({0.01, 0.012, 3600, 0.1}, {}, 10000)) ==
        names{"100 %", "50 %", "20 %", "10 %", "x5", "x2"});
  CHECK(outages(times_to_detect({0.01, 0.03, 3600, 0.1}, {}, 10000)) == names{"100 %", "50 %", "20 %", "10 %", "x5"});
  CHECK(outages(times_to_detect({0.3, 0.4, 3600, 0.1}, {}, 10000)) == names{"100 %", "x2", "50 %"});
  CHECK(outages(times_to_detect({0.9, 0.9, 3600, 0.1}, {}, 10000)) == names{"100 %"});
}

TEST_CASE("time to detect: 1.25 of the optimum, at the key's own rate of events, with half a tick") {
  const auto times = times_to_detect({0.01, 0.012, 3600, 0.1}, {}, 10000);
  const auto& tenth = times[3];
  const auto events = 1.25 * optimal_delay(0.012, 0.1, 24 * 3600 / 0.1);
  CHECK(*tenth.events == doctest::Approx(events));
  CHECK(*tenth.seconds == doctest::Approx(events + 5));
  // A tenth of the budget, or a wider guard, takes longer; twice the events, half as long.
  CHECK(*times_to_detect({0.01, 0.012, 3600, 0.01}, {}, 10000)[3].events > events);
  CHECK(*times_to_detect({0.01, 0.02, 3600, 0.1}, {}, 10000)[3].events > events);
  CHECK(*times_to_detect({0.01, 0.012, 7200, 0.2}, {}, 10000)[3].seconds == doctest::Approx(events / 2 + 5));
}

TEST_CASE("time to detect: the gates have a say") {
  // 30 excess failures take at least 30 events, whatever the evidence.
  CHECK(*times_to_detect({0.01, 0.012, 3600, 0.1}, {1.25, 0.002, 30}, 10000)[0].events == doctest::Approx(30 / 0.99));
  // Twice a rate of 0.1 % is less than 0.2 points above it.
  const auto quiet = times_to_detect({0.001, 0.0012, 3600, 0.1}, {1.25, 0.002, 3}, 10000);
  CHECK(quiet.back().outage == "x2");
  CHECK_FALSE(quiet.back().events);
  CHECK_FALSE(quiet.back().seconds);
}

TEST_CASE("time to detect: any input") {
  const auto nan = std::numeric_limits<double>::quiet_NaN();
  const auto big = std::numeric_limits<double>::infinity();
  for (const auto value : {0.0, -1.0, 1e-300, 0.5, 1.0, 2.0, big, nan})
    for (int field = 0; field < 4; ++field) {
      detectability key{0.01, 0.012, 3600, 0.1};
      (field == 0   ? key.expected_rate
       : field == 1 ? key.guarded_rate
       : field == 2 ? key.events_an_hour
                    : key.alarms_a_day) = value;
      for (const auto& one : times_to_detect(key, {}, 10000)) {
        CHECK(std::isfinite(one.events.value_or(0)));
        CHECK(std::isfinite(one.seconds.value_or(0)));
        CHECK(one.events.value_or(1) >= 1);
      }
    }
}

TEST_CASE("gates: value, limit, and whether they pass") {
  const gate_spec limits{2, 0.01, 3};
  const auto all = check_gates(limits, 100, 5, 0.02, 2);
  CHECK(all_pass(all));
  CHECK(all[0].value == doctest::Approx(2.5));
  CHECK(all[1].value == doctest::Approx(0.03));
  CHECK(all[2].value == doctest::Approx(3));
  CHECK_FALSE(check_gates(limits, 100, 3, 0.02, 0)[0].passes);   // 1.5 times
  CHECK_FALSE(check_gates(limits, 1000, 6, 0.001, 1)[1].passes); // 0.5 points
  CHECK_FALSE(check_gates(limits, 100, 5, 0.02, 2.1)[2].passes); // 2.9 failures
  CHECK_FALSE(all_pass(check_gates(limits, 0, 0, 0, 0)));
  CHECK(check_gates(limits, 10, 5, 0, 0)[0].passes); // nothing was expected
}

TEST_CASE("parent_key: the values of the parent level's dimensions") {
  monitor_spec monitor;
  monitor.dimensions = {"scope", "a", "b"};
  monitor.scope_size = 1;
  monitor.levels = {{{0}}, {{0, 2}}, {{0, 1, 2}}};
  std::string leaf(1, '\2');
  append_text(leaf, "s");
  append_text(leaf, "x");
  append_null(leaf);
  std::string middle(1, '\1');
  append_text(middle, "s");
  append_null(middle);
  std::string root(1, '\0');
  append_text(root, "s");
  CHECK(parent_key(monitor, leaf) == middle);
  CHECK(parent_key(monitor, middle) == root);
  CHECK(parent_key(monitor, root) == root);
}
