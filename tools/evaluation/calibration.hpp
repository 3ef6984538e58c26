#pragma once

#include "tools/evaluation/planted_run.hpp"
#include "tools/evaluation/suite.hpp"

#include <string>
#include <vector>

namespace tocsin::evaluation {

struct traffic_class {
  const char* name;
  double events_per_second;
  time_ms tick;
  std::size_t streams; ///< a cell of the table
};

/// A law of noise and season; each stream adds its own phase, start and moment of deployment.
struct noise_family {
  std::string name;
  std::string about;
  stream_shape shape;
  gate_spec gates; ///< of the monitor
};
const std::vector<noise_family>& noise_families();

/// Openings of each detector in one stream without outage: in its first week, from nothing, and in days 28 to 35.
struct stream_alarms {
  std::vector<std::uint64_t> first_week;
  std::vector<std::uint64_t> warm;
};
stream_alarms count_false_alarms(noisy_stream stream, const std::vector<detector_spec>& detectors,
                                 const gate_spec& gates);

/// Realised over promised alarms, with its 95 % interval, as a cell.
cell ratio_cell(std::uint64_t alarms, double promised);

/// The scenario `many_keys`: one budget for a hundred keys, half of them new. In a file of its own.
void run_many_keys(const suite_options& options, report& out);

} // namespace tocsin::evaluation
