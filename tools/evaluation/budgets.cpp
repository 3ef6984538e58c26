#include "tools/evaluation/budgets.hpp"

#include <string>

namespace tocsin::evaluation {

const std::vector<budget_choice>& budgets() {
  static const std::vector<budget_choice> list = {{"1 in 30 days", 1.0 / 30}, {"1 a day", 1}};
  return list;
}

std::vector<detector_spec> mixtures_by_budget() {
  std::vector<detector_spec> specs;
  for (const auto& budget : budgets()) {
    sr_mixture_spec settings;
    settings.false_alarms_per_day = budget.a_day;
    specs.push_back({"sr_mixture", "sr_mixture_" + std::to_string(specs.size()), settings, true});
  }
  return specs;
}

} // namespace tocsin::evaluation
