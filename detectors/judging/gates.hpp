#pragma once

#include "detectors/values/monitor_spec.hpp"

#include <algorithm>
#include <array>
#include <cstdint>

namespace tocsin {

/// One gate of a monitor, looked at.
struct gate_result {
  const char* name = ""; ///< `ratio`, `difference`, `excess_failures`
  double value = 0;      ///< observed; 0 where there is nothing to compare with
  double limit = 0;      ///< at least this passes
  bool passes = false;
};

using gate_results = std::array<gate_result, 3>;

/// The gates for `failures` of `total` events, where the rate `baseline` and `expected` failures were to be expected.
gate_results check_gates(const gate_spec& gates, std::int64_t total, std::int64_t failures, double baseline,
                         double expected);

inline bool all_pass(const gate_results& gates) {
  return std::all_of(gates.begin(), gates.end(), [](const gate_result& gate) { return gate.passes; });
}

} // namespace tocsin
