#pragma once

#include "io/config/config.hpp"

#include <nlohmann/json.hpp>

#include <string>
#include <vector>

namespace tocsin::io {

/// Turns a checked document into a configuration: compiles conditions, numbers dimensions, and checks how values
/// relate to each other. Goes on after a mistake, so that all are told. A short-lived value, used on the stack.
class builder {
public:
  /// `written` is the document as the user wrote it: it tells which values are defaults.
  builder(const nlohmann::json& written, std::vector<config_issue>& issues) : written_(written), issues_(issues) {}

  /// Meaningful only if there are no issues afterwards.
  config build(const nlohmann::json& checked);

private:
  using json = nlohmann::json;

  bool is_written(const std::string& pointer) const;
  bool is_clean(const std::string& pointer) const;
  void refuse(const std::string& pointer, std::string found, std::string expected);
  std::optional<expression> condition(const json& object, const std::string& key, const std::string& pointer);

  void build_input(const json& input, config& out, decode_plan& plan);
  void build_time(const json& input, decode_plan& plan);
  void build_outputs(const json& root, config& out);

  void build_monitor(const json& checked, const std::string& pointer, config& out, decode_plan& plan);
  void build_error_types(const std::string& field, const std::string& pointer, monitor_spec& spec);
  void check_rates(const json& checked, const std::string& pointer, const monitor_spec& spec);
  time_ms tick_of_monitor(const json& checked, const std::string& pointer, time_ms settle);
  life_spec life_of(const json& checked, const std::string& pointer, time_ms tick);
  std::string build_season(const json& checked, const std::string& pointer, monitor_spec& out);
  void build_levels(const json& checked, const std::string& pointer, monitor_spec& out);
  void build_attribution(const json& checked, const std::string& pointer, monitor_spec& out);
  void build_detectors(const json& checked, const std::string& pointer, monitor_spec& out);
  threshold_spec threshold(const json& checked, const std::string& pointer, time_ms tick);
  count_bucket_spec count_bucket(const json& checked, const std::string& pointer, time_ms tick);
  sr_mixture_spec sr_mixture(const json& checked, const std::string& pointer, time_ms tick);
  burn_rate_spec burn_rate(const json& checked, const std::string& pointer, time_ms tick);
  z_score_spec z_score(const json& checked, const std::string& pointer, time_ms tick);
  time_ms whole_ticks(const json& checked, const char* key, const std::string& pointer, time_ms tick);

  void check_memory(const config& built);

  const json& written_;
  std::vector<config_issue>& issues_;
};

/// Legal, but probably not meant.
std::vector<std::string> warnings_of(const config& built);

} // namespace tocsin::io
