#include "detectors/judging/gates.hpp"

namespace tocsin {

gate_results check_gates(const gate_spec& gates, std::int64_t total, std::int64_t failures, double baseline,
                         double expected) {
  const auto rate = total > 0 ? static_cast<double>(failures) / static_cast<double>(total) : 0;
  const auto excess = static_cast<double>(failures) - expected;
  // The ratio is compared as a product, which a baseline of 0 cannot break.
  return {
      {{"ratio", baseline > 0 ? rate / baseline : 0, gates.min_ratio, total > 0 && rate >= gates.min_ratio * baseline},
       {"difference", rate - baseline, gates.min_difference, total > 0 && rate - baseline >= gates.min_difference},
       {"excess_failures", excess, gates.min_excess_failures, excess >= gates.min_excess_failures}}};
}

} // namespace tocsin
