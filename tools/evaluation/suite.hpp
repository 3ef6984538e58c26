#pragma once

#include "tools/evaluation/report.hpp"

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace tocsin::evaluation {

/// What every suite is told. The tables are a function of suite, scenarios, seed and sizes; `jobs` changes speed alone.
struct suite_options {
  std::vector<std::string> scenarios; ///< empty: all of the suite
  std::vector<std::string> methods;   ///< types of detectors that suite detection compares; empty: all
  std::uint64_t seed = 1;
  std::optional<std::size_t> streams; ///< instead of each scenario's own number
  double scale = 1;                   ///< factor of each scenario's own number of streams, keys or trials
  std::size_t jobs = 1;
  std::string data; ///< folder of recorded streams, for the suite that needs one
  std::function<void(const std::string&)> progress = [](const std::string&) {}; ///< from any thread

  bool wants(const std::string& scenario) const;
  bool compares(const std::string& detector_type) const;
  /// How many streams, keys or trials instead of `full`: at least one.
  std::size_t size_of(std::size_t full) const;
};

struct suite {
  std::string name;
  std::string about;
  std::vector<std::string> scenarios;
  void (*run)(const suite_options& options, report& out);
};
/// Every suite, in the order of the tables.
const std::vector<suite>& all_suites();

// Each in the file of its name.
void run_detection(const suite_options& options, report& out);
void run_calibration(const suite_options& options, report& out);
void run_cold_start(const suite_options& options, report& out);
void run_resolve(const suite_options& options, report& out);
void run_scale(const suite_options& options, report& out);
void run_attribution(const suite_options& options, report& out);
std::vector<std::string> detection_scenarios();
std::vector<std::string> calibration_scenarios();
std::vector<std::string> cold_start_scenarios();
std::vector<std::string> resolve_scenarios();
std::vector<std::string> scale_scenarios();
std::vector<std::string> attribution_scenarios();

/// Numbers of the suites in seeds: part of what the tables depend on.
enum suite_number : std::uint64_t { detection = 1, calibration, cold_start, resolve, scale };

} // namespace tocsin::evaluation
