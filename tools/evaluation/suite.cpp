#include "tools/evaluation/suite.hpp"

#include <algorithm>
#include <cmath>

namespace tocsin::evaluation {

bool suite_options::wants(const std::string& scenario) const {
  return scenarios.empty() || std::find(scenarios.begin(), scenarios.end(), scenario) != scenarios.end();
}

bool suite_options::compares(const std::string& detector_type) const {
  return methods.empty() || std::find(methods.begin(), methods.end(), detector_type) != methods.end();
}

std::size_t suite_options::size_of(std::size_t full) const {
  if (streams)
    return *streams;
  return std::max<std::size_t>(1, static_cast<std::size_t>(std::llround(scale * static_cast<double>(full))));
}

const std::vector<suite>& all_suites() {
  static const std::vector<suite> suites = {
      {"detection", "power and delay of every method at matched false alarms and untuned", detection_scenarios(),
       run_detection},
      {"calibration", "realised over promised false alarms, in the first week and warm", calibration_scenarios(),
       run_calibration},
      {"cold_start", "power with a short history", cold_start_scenarios(), run_cold_start},
      {"resolve", "early and late resolves", resolve_scenarios(), run_resolve},
      {"scale", "a million keys: false opens, one dead title, a world ten times too large", scale_scenarios(),
       run_scale},
      {"attribution", "causes named against labelled root causes; needs --data", attribution_scenarios(),
       run_attribution}};
  return suites;
}

} // namespace tocsin::evaluation
