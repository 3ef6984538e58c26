#pragma once

#include "detectors/values/monitor_spec.hpp"

#include <vector>

namespace tocsin::evaluation {

/// A promise of `sr_mixture`, as the tables name it.
struct budget_choice {
  const char* name;
  double a_day; ///< false alarms
};
const std::vector<budget_choice>& budgets();

/// One `sr_mixture` for each of the budgets, every other setting at its default.
std::vector<detector_spec> mixtures_by_budget();

} // namespace tocsin::evaluation
