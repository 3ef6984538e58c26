#include "io/config/fingerprint.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>
#include <xxhash.h>

#include <fstream>

namespace tocsin::io {

namespace {

// Objects keep their keys sorted, so that the rendering is canonical.
using nlohmann::json;

/// Part of the hash: raise it when the same configuration begins to mean something else.
constexpr int rendering_version = 2;

json text_or_null(const std::optional<std::string>& text) {
  return text ? json(*text) : json();
}

json text_or_null(const std::optional<expression>& condition) {
  return condition ? json(condition->text()) : json();
}

json render(const threshold_spec& d) {
  return {{"rate", d.rate},
          {"window", d.window},
          {"hold", d.hold},
          {"min_events", d.min_events},
          {"resolve_rate", d.resolve_rate},
          {"resolve_hold", d.resolve_hold}};
}

json render(const count_bucket_spec& d) {
  return {{"scope_bucket", d.scope_bucket}, {"key_bucket", d.key_bucket}, {"baseline", d.baseline},
          {"min_baseline", d.min_baseline}, {"outlier", d.outlier},       {"normal", d.normal}};
}

json render(const sr_mixture_spec& d) {
  return {{"false_alarms_per_day", d.false_alarms_per_day},
          {"strict", d.strict},
          {"incidents_per_day", d.incidents_per_day},
          {"sliding_baseline", d.sliding_baseline}};
}

json render(const burn_rate_spec& d) {
  auto rules = json::array();
  for (const auto& rule : d.rules)
    rules.push_back({{"long_window", rule.long_window}, {"short_window", rule.short_window}, {"factor", rule.factor}});
  return {{"objective", d.objective}, {"rules", rules}, {"min_events", d.min_events}};
}

json render(const volume_drop_spec& d) {
  return {{"false_alarms_per_day", d.false_alarms_per_day}, {"min_events_per_hour", d.min_events_per_hour}};
}

json render(const z_score_spec& d) {
  return {{"window", d.window},
          {"history", d.history},
          {"min_history", d.min_history},
          {"outlier", d.outlier},
          {"normal", d.normal}};
}

json render(const detector_spec& d) {
  return {{"type", d.type},
          {"name", d.name},
          {"shadow", d.shadow},
          {"settings", std::visit([](const auto& settings) { return render(settings); }, d.settings)}};
}

json render(const gate_spec& g) {
  return {
      {"min_ratio", g.min_ratio}, {"min_difference", g.min_difference}, {"min_excess_failures", g.min_excess_failures}};
}

json render(const severity_spec& s) {
  return {{"major_ratio", s.major_ratio},
          {"major_excess_per_hour", s.major_excess_per_hour},
          {"critical_rate", s.critical_rate},
          {"critical_events", s.critical_events},
          {"critical_excess_per_hour", s.critical_excess_per_hour},
          {"fall_after", s.fall_after}};
}

json render(const life_spec& l) {
  return {{"group_wait", l.group_wait.value_or(0)},
          {"reopen_within", l.reopen_within},
          {"propose_after", l.propose_after},
          {"accept_after", l.accept_after}};
}

json render(const capacity_spec& c) {
  return {{"max_keys", c.max_keys},
          {"max_leaf_cells", c.max_leaf_cells},
          {"max_scopes", c.max_scopes},
          {"max_leaves", c.max_leaves}};
}

json render_season(const std::string& zone) {
  return {{"zone", zone}, {"time_zone_data", zone.empty() ? std::string() : time_zone_data_version()}};
}

json render(const monitor_spec& m, const monitor_plan& plan, const std::string& zone) {
  auto levels = json::array();
  for (const auto& level : m.levels)
    levels.push_back(level.dimensions);
  auto detectors = json::array();
  for (const auto& detector : m.detectors)
    detectors.push_back(render(detector));
  return {{"name", m.name},
          {"dimensions", m.dimensions},
          {"scope_size", m.scope_size},
          {"levels", levels},
          {"attributes", m.attributes},
          {"tick", m.tick},
          {"expire_after", m.expire_after},
          {"update_every", m.update_every},
          {"life", render(m.life)},
          {"gates", render(m.gates)},
          {"severity", render(m.severity)},
          {"capacity", render(m.capacity)},
          {"detectors", detectors},
          {"season", render_season(zone)},
          {"where", text_or_null(plan.where)},
          {"error_when", text_or_null(plan.error_when)}};
}

json render(const decode_plan& plan) {
  return {{"format", static_cast<int>(plan.format)},
          {"time_field", plan.time_field},
          {"time_unit", static_cast<int>(plan.time)},
          {"time_zone", plan.time_zone},
          {"time_zone_data", plan.time_zone.empty() ? std::string() : time_zone_data_version()},
          {"where", text_or_null(plan.where)},
          {"total", text_or_null(plan.total_field)},
          {"failed", text_or_null(plan.failed_field)},
          {"rate", text_or_null(plan.rate_field)},
          {"rate_one", plan.rate_one},
          {"viewer", text_or_null(plan.viewer_field)},
          {"error_type", text_or_null(plan.error_type_field)},
          {"max_record_bytes", plan.max_record_bytes}};
}

} // namespace

std::string fingerprint_of(const config& built) {
  const auto& world = built.world;
  auto monitors = json::array();
  for (std::size_t i = 0; i < world.monitors.size(); ++i)
    monitors.push_back(render(world.monitors[i], built.decode->monitors[i], built.season_zones[i]));
  const json rendering{{"version", rendering_version},   {"decode", render(*built.decode)},
                       {"monitors", monitors},           {"allowed_lateness", world.allowed_lateness},
                       {"max_ahead", world.max_ahead},   {"ahead_accept", world.ahead_accept},
                       {"correction", world.correction}, {"settle", world.settle}};
  const auto text = rendering.dump();
  const auto hash = XXH3_128bits(text.data(), text.size());
  return fmt::format("{:016x}{:016x}", hash.high64, hash.low64);
}

std::string time_zone_data_version() {
  // date's own version is "unknown" where it reads the system's compiled files, as on Debian.
  std::ifstream file("/usr/share/zoneinfo/tzdata.zi");
  std::string mark;
  std::string word;
  std::string version;
  if (file >> mark >> word >> version && mark == "#" && word == "version")
    return version;
  return "unknown";
}

} // namespace tocsin::io
