#include "io/config/builder.hpp"

#include "io/config/document.hpp"
#include "io/config/fingerprint.hpp"
#include "io/config/memory_estimate.hpp"
#include "io/config/quantity.hpp"

#include <date/tz.h>
#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <numeric>
#include <set>
#include <stdexcept>
#include <utility>

namespace tocsin::io {

namespace {

using nlohmann::json;

/// A dimension costs key bytes in every state; keys must fit in 16 bits of length.
constexpr std::size_t most_dimensions = 64;

/// The member, or null. Checked objects lack what was wrong or left out.
const json& member(const json& object, const char* key) {
  static const json nothing;
  const auto found = object.is_object() ? object.find(key) : object.end();
  return object.is_object() && found != object.end() ? *found : nothing;
}

std::string text_of(const json& object, const char* key) {
  const auto& value = member(object, key);
  return value.is_string() ? value.get<std::string>() : std::string();
}

std::optional<std::string> optional_text(const json& object, const char* key) {
  const auto& value = member(object, key);
  return value.is_string() ? std::optional<std::string>(value.get<std::string>()) : std::nullopt;
}

/// A number with a default, which the checker has filled in.
template <class T>
T number_of(const json& object, const char* key) {
  const auto& value = member(object, key);
  return value.is_number() ? value.get<T>() : T{};
}

bool flag_of(const json& object, const char* key) {
  const auto& value = member(object, key);
  return value.is_boolean() && value.get<bool>();
}

input_format format_of(const std::string& name) {
  if (name == "csv")
    return input_format::csv;
  return name == "combined_log" ? input_format::combined_log : input_format::ndjson;
}

time_unit unit_of(const std::string& name) {
  static const std::map<std::string, time_unit> units{
      {"s", time_unit::s}, {"ms", time_unit::ms}, {"us", time_unit::us}, {"rfc3339", time_unit::rfc3339}};
  const auto found = units.find(name);
  return found == units.end() ? time_unit::ms : found->second;
}

bool is_zone(const std::string& name) {
  try {
    return date::locate_zone(name) != nullptr;
  } catch (const std::exception&) {
    return false; // unknown name, or no time zone data on this machine
  }
}

/// Offsets of the zone from 1970 to 2100, as the machine's data tell them.
std::vector<zone_transition> transitions_of(const std::string& name) {
  using std::chrono::milliseconds;
  std::vector<zone_transition> out;
  const auto* zone = date::locate_zone(name);
  const auto end = date::sys_seconds(date::sys_days(date::year{2100} / 1 / 1));
  for (auto at = date::sys_seconds(date::sys_days(date::year{1970} / 1 / 1)); at < end;) {
    const auto info = zone->get_info(at);
    const auto offset = milliseconds(info.offset).count();
    // Some transitions change the name or the daylight flag only.
    if (out.empty() || out.back().offset != offset)
      out.push_back({milliseconds(at.time_since_epoch()).count(), offset});
    if (info.end <= at)
      break;
    at = info.end;
  }
  return out;
}

gate_spec gates_of(const json& checked) {
  return {number_of<double>(checked, "min_ratio"), number_of<double>(checked, "min_difference"),
          number_of<double>(checked, "min_excess_failures")};
}

severity_spec severity_of(const json& checked) {
  severity_spec out;
  out.major_ratio = number_of<double>(checked, "major_ratio");
  out.major_excess_per_hour = number_of<double>(checked, "major_excess_per_hour");
  out.critical_rate = number_of<double>(checked, "critical_rate");
  out.critical_events = number_of<std::int64_t>(checked, "critical_events");
  out.critical_excess_per_hour = number_of<double>(checked, "critical_excess_per_hour");
  out.fall_after = number_of<time_ms>(checked, "fall_after");
  return out;
}

capacity_spec capacity_of(const json& checked) {
  return {number_of<std::uint64_t>(checked, "max_keys"), number_of<std::uint64_t>(checked, "max_leaf_cells"),
          number_of<std::uint64_t>(checked, "max_scopes"), number_of<std::uint64_t>(checked, "max_leaves")};
}

volume_drop_spec volume_drop_of(const json& checked) {
  return {number_of<double>(checked, "false_alarms_per_day"), number_of<double>(checked, "min_events_per_hour")};
}

} // namespace

config builder::build(const json& checked) {
  config out;
  auto plan = std::make_shared<decode_plan>();
  build_input(member(checked, "input"), out, *plan);
  build_outputs(checked, out);

  std::set<std::string> names;
  const auto& monitors = member(checked, "monitors");
  for (std::size_t i = 0; i < monitors.size(); ++i) {
    const auto here = child_pointer("/monitors", i);
    build_monitor(monitors[i], here, out, *plan);
    const auto& name = out.world.monitors.back().name;
    if (!name.empty() && !names.insert(name).second)
      refuse(here + "/name", fmt::format("\"{}\" again", name), "a name that no other monitor has");
  }

  out.decode = std::move(plan);
  out.world.fingerprint = fingerprint_of(out);
  if (issues_.empty())
    check_memory(out);
  return out;
}

bool builder::is_written(const std::string& pointer) const {
  return written_.contains(json::json_pointer(pointer));
}

bool builder::is_clean(const std::string& pointer) const {
  return std::none_of(issues_.begin(), issues_.end(), [&](const config_issue& i) { return i.pointer == pointer; });
}

void builder::refuse(const std::string& pointer, std::string found, std::string expected) {
  issues_.push_back({pointer, std::move(found), std::move(expected)});
}

std::optional<expression> builder::condition(const json& object, const std::string& key, const std::string& pointer) {
  const auto text = optional_text(object, key.c_str());
  if (!text)
    return std::nullopt;
  auto compiled = expression::compile(*text);
  if (compiled)
    return std::move(*compiled);
  refuse(child_pointer(pointer, key), shown(json(*text)), "a condition (" + compiled.failure().message + ")");
  return std::nullopt;
}

void builder::build_input(const json& input, config& out, decode_plan& plan) {
  plan.format = format_of(text_of(input, "format"));
  plan.where = condition(input, "where", "/input");
  plan.total_field = optional_text(input, "total");
  plan.failed_field = optional_text(input, "failed");
  plan.rate_field = optional_text(input, "rate");
  const auto unit = text_of(input, "rate_unit");
  plan.rate_one = unit == "percent" ? 100 : unit == "per_million" ? 1e6 : 1;
  plan.viewer_field = optional_text(input, "viewer");
  plan.error_type_field = optional_text(input, "error_type");
  plan.max_record_bytes = number_of<std::size_t>(input, "max_record_bytes");
  build_time(input, plan);

  out.world.allowed_lateness = number_of<time_ms>(input, "allowed_lateness");
  out.world.max_ahead = number_of<time_ms>(input, "max_ahead");
  out.world.ahead_accept = number_of<std::uint32_t>(input, "ahead_accept");
  out.world.correction = number_of<time_ms>(input, "correction");
  out.world.settle = number_of<time_ms>(input, "settle");
  out.idle_timeout = number_of<time_ms>(input, "idle_timeout");
  out.block_bytes = number_of<std::size_t>(input, "block_bytes");

  const auto& file = member(input, "file");
  for (const auto& path : member(file, "paths"))
    out.input.paths.push_back(path.get<std::string>());
  out.input.sequence = flag_of(file, "sequence");
  out.input.use_stdin = flag_of(input, "stdin");
  if (file.is_object() && is_clean("/input/file/paths") && out.input.paths.empty())
    refuse("/input/file/paths", "[]", "at least one path");
  if (file.is_object() && out.input.use_stdin)
    refuse("/input/stdin", "true", "either \"file\" or \"stdin\", not both");
}

void builder::build_time(const json& input, decode_plan& plan) {
  const auto& time = member(input, "time");
  plan.time_field = text_of(time, "field");
  plan.time = unit_of(text_of(time, "unit"));
  plan.time_zone = text_of(time, "zone");
  if (input.is_object() && !is_written("/input/time") && is_clean("/input/format") &&
      plan.format != input_format::combined_log && member(input, "format").is_string())
    refuse("/input/time", "nothing", R"(where the event time is, for example {"field": "ts", "unit": "ms"})");
  if (!plan.time_zone.empty() && !is_zone(plan.time_zone))
    refuse("/input/time/zone", fmt::format("\"{}\"", plan.time_zone),
           "an IANA time zone such as \"Europe/Berlin\", known to this machine (Debian package tzdata)");
}

void builder::build_outputs(const json& root, config& out) {
  out.alerts_file = text_of(member(root, "alerts"), "file");
  out.dead_letter_file = text_of(member(root, "dead_letter"), "file");
  const auto& state = member(root, "state");
  out.state_sqlite = text_of(state, "sqlite");
  out.commit_interval = number_of<time_ms>(state, "commit_interval");
  out.memory_limit = number_of<std::uint64_t>(root, "memory_limit");
  out.workers = number_of<std::uint32_t>(root, "workers");
}

void builder::build_monitor(const json& checked, const std::string& pointer, config& out, decode_plan& plan) {
  monitor_spec spec;
  spec.name = text_of(checked, "name");
  spec.tick = tick_of_monitor(checked, pointer, out.world.settle);
  spec.expire_after = number_of<time_ms>(checked, "expire_after");
  spec.update_every = number_of<time_ms>(checked, "update_every");
  spec.has_rates = plan.rate_field.has_value() && !plan.total_field.has_value();
  spec.has_viewers = plan.viewer_field.has_value() && !spec.has_rates;
  spec.life = life_of(checked, pointer, spec.tick);
  spec.gates = gates_of(member(checked, "gates"));
  spec.severity = severity_of(member(checked, "severity"));
  spec.capacity = capacity_of(member(checked, "capacity"));
  out.season_zones.push_back(build_season(checked, pointer, spec));
  build_levels(checked, pointer, spec);
  build_attribution(checked, pointer, spec);
  if (plan.error_type_field && !spec.has_rates)
    build_error_types(*plan.error_type_field, pointer, spec);
  build_detectors(checked, pointer, spec);

  monitor_plan part;
  part.dimensions = spec.dimensions;
  part.scope_size = spec.scope_size;
  part.where = condition(checked, "where", pointer);
  part.error_when = condition(checked, "error_when", pointer);
  if (is_clean(pointer) && !is_written(pointer + "/error_when") && !is_written("/input/failed") &&
      !is_written("/input/rate"))
    refuse(pointer + "/error_when", "nothing",
           "a condition that says which events failed (or a field with their number as \"failed\" in /input)");
  if (spec.has_rates)
    check_rates(checked, pointer, spec);

  out.world.monitors.push_back(std::move(spec));
  plan.monitors.push_back(std::move(part));
}

/// A type has a level of its own. As a dimension it would have no successes.
void builder::build_error_types(const std::string& field, const std::string& pointer, monitor_spec& spec) {
  if (std::find(spec.dimensions.begin(), spec.dimensions.end(), field) != spec.dimensions.end())
    refuse("/input/error_type", fmt::format("\"{}\"", field),
           "a field that is no dimension of " + pointer + ": what did not fail has no error type");
  name_error_type(spec, field);
}

/// Without denominators there are no events that could be counted.
void builder::check_rates(const json& checked, const std::string& pointer, const monitor_spec& spec) {
  static const std::string why = ", because /input/rate has no denominator (no \"total\" in /input)";
  if (is_written(pointer + "/error_when"))
    refuse(pointer + "/error_when", member(checked, "error_when").dump(), "no such key" + why);
  for (std::size_t i = 0; i < spec.detectors.size(); ++i) {
    const auto& type = spec.detectors[i].type;
    if (type == "count_bucket" || type == "burn_rate" || type == "volume_drop")
      refuse(child_pointer(pointer + "/detectors", i) + "/type", '"' + type + '"',
             "\"sr_mixture\", \"threshold\" or \"z_score\"" + why + ": it would count events");
  }
}

time_ms builder::tick_of_monitor(const json& checked, const std::string& pointer, time_ms settle) {
  const auto here = pointer + "/tick";
  if (settle > 0 && !is_written(here))
    return minute_ms;
  const auto tick = number_of<time_ms>(checked, "tick");
  if (tick % second_ms != 0)
    refuse(here, fmt::format("\"{}\"", format_duration(tick)), "whole seconds, for example \"10s\"");
  else if (settle > 0 && tick < minute_ms && is_clean(here))
    refuse(here, fmt::format("\"{}\"", format_duration(tick)),
           fmt::format("at least \"1m\", because /input/settle is \"{}\": closed ticks wait as 1-minute cells",
                       format_duration(settle)));
  return tick;
}

life_spec builder::life_of(const json& checked, const std::string& pointer, time_ms tick) {
  constexpr time_ms longest_default = 5 * minute_ms; // long ticks are wait enough
  life_spec out;
  const auto wait = is_written(pointer + "/group_wait") ? number_of<time_ms>(checked, "group_wait")
                                                        : std::min(2 * tick, longest_default);
  if (wait > 0)
    out.group_wait = wait;
  out.reopen_within = number_of<time_ms>(checked, "reopen_within");
  out.accept_after = number_of<time_ms>(checked, "accept_after");
  out.propose_after = number_of<time_ms>(checked, "propose_after");
  const auto here = pointer + "/propose_after";
  if (!is_written(here))
    out.propose_after = std::min(out.propose_after, out.accept_after);
  if (out.propose_after > out.accept_after && is_clean(here) && is_clean(pointer + "/accept_after"))
    refuse(here, fmt::format("\"{}\"", format_duration(out.propose_after)),
           fmt::format("at most accept_after, \"{}\"", format_duration(out.accept_after)));
  return out;
}

/// The zone's name; empty without one.
std::string builder::build_season(const json& checked, const std::string& pointer, monitor_spec& out) {
  auto name = text_of(member(checked, "season"), "zone");
  if (name.empty())
    return name;
  if (is_zone(name))
    out.zone = transitions_of(name);
  else
    refuse(pointer + "/season/zone", fmt::format("\"{}\"", name),
           "an IANA time zone such as \"Europe/Berlin\", known to this machine (Debian package tzdata)");
  return name;
}

void builder::build_levels(const json& checked, const std::string& pointer, monitor_spec& out) {
  for (const auto& dimension : member(checked, "scope"))
    out.dimensions.push_back(dimension.get<std::string>());
  out.scope_size = static_cast<std::uint32_t>(out.dimensions.size());
  level_spec root;
  root.dimensions.resize(out.scope_size);
  std::iota(root.dimensions.begin(), root.dimensions.end(), 0U);
  out.levels = {root};

  bool root_seen = false;
  const auto& levels = member(checked, "levels");
  for (std::size_t i = 0; i < levels.size(); ++i) {
    const auto here = child_pointer(pointer + "/levels", i);
    if (!levels[i].is_array())
      continue;
    auto level = root;
    for (const auto& name : levels[i]) {
      const auto known = std::find(out.dimensions.begin(), out.dimensions.end(), name.get<std::string>());
      const auto index = static_cast<std::uint32_t>(known - out.dimensions.begin());
      if (index < out.scope_size)
        refuse(here, shown(levels[i]),
               fmt::format("a level without {}: the scope is part of every level", name.dump()));
      else if (known == out.dimensions.end())
        out.dimensions.push_back(name.get<std::string>());
      level.dimensions.push_back(index);
    }
    std::sort(level.dimensions.begin(), level.dimensions.end());

    const bool is_root = levels[i].empty();
    const bool again = std::any_of(out.levels.begin() + 1, out.levels.end(),
                                   [&](const level_spec& l) { return l.dimensions == level.dimensions; });
    if (again || (is_root && root_seen))
      refuse(here, shown(levels[i]), "each level once (the order of its dimensions does not matter)");
    root_seen = root_seen || is_root;
    if (!is_root)
      out.levels.push_back(std::move(level));
  }
  if (out.dimensions.size() > most_dimensions)
    refuse(pointer + "/levels", fmt::format("{} different dimensions", out.dimensions.size()),
           fmt::format("at most {}, with those of the scope", most_dimensions));
}

void builder::build_attribution(const json& checked, const std::string& pointer, monitor_spec& out) {
  const auto here = pointer + "/attribute_by";
  if (!is_written(here))
    return;
  const auto& names = member(checked, "attribute_by");
  out.attributes = !names.empty();
  for (std::size_t i = 0; i < names.size(); ++i) {
    const auto known = std::find(out.dimensions.begin(), out.dimensions.end(), names[i].get<std::string>());
    if (known - out.dimensions.begin() < static_cast<std::ptrdiff_t>(out.scope_size))
      refuse(child_pointer(here, i), names[i].dump(),
             "a dimension that is not of the scope, whose value never differs");
    else if (known == out.dimensions.end())
      out.dimensions.push_back(names[i].get<std::string>());
  }
  if (out.dimensions.size() > most_dimensions)
    refuse(here, fmt::format("{} different dimensions with those of the levels", out.dimensions.size()),
           fmt::format("at most {}, with those of the scope", most_dimensions));
}

void builder::build_detectors(const json& checked, const std::string& pointer, monitor_spec& out) {
  std::set<std::string> names;
  const auto& detectors = member(checked, "detectors");
  for (std::size_t i = 0; i < detectors.size(); ++i) {
    const auto here = child_pointer(pointer + "/detectors", i);
    // A tick that is wrong itself would only repeat its mistake here.
    const auto tick = is_clean(pointer + "/tick") ? out.tick : second_ms;
    detector_spec spec;
    spec.type = text_of(detectors[i], "type");
    spec.name = text_of(detectors[i], "name");
    spec.shadow = flag_of(detectors[i], "shadow");
    if (spec.type == "threshold")
      spec.settings = threshold(detectors[i], here, tick);
    else if (spec.type == "count_bucket")
      spec.settings = count_bucket(detectors[i], here, tick);
    else if (spec.type == "sr_mixture")
      spec.settings = sr_mixture(detectors[i], here, tick);
    else if (spec.type == "burn_rate")
      spec.settings = burn_rate(detectors[i], here, tick);
    else if (spec.type == "z_score")
      spec.settings = z_score(detectors[i], here, tick);
    else if (spec.type == "volume_drop")
      spec.settings = volume_drop_of(detectors[i]);
    if (!spec.name.empty() && !names.insert(spec.name).second)
      refuse(here + "/name", fmt::format("\"{}\" again", spec.name),
             "a name that no other detector of the monitor has");
    out.detectors.push_back(std::move(spec));
  }
}

threshold_spec builder::threshold(const json& checked, const std::string& pointer, time_ms tick) {
  threshold_spec out;
  out.rate = number_of<double>(checked, "rate");
  out.window = whole_ticks(checked, "window", pointer, tick);
  out.hold = whole_ticks(checked, "for", pointer, tick);
  out.min_events = number_of<std::int64_t>(checked, "min_events");
  out.resolve_rate = checked.contains("resolve_rate") ? number_of<double>(checked, "resolve_rate") : out.rate;
  out.resolve_hold = checked.contains("resolve_for") ? whole_ticks(checked, "resolve_for", pointer, tick) : out.hold;
  if (is_clean(pointer + "/rate") && out.resolve_rate > out.rate)
    refuse(pointer + "/resolve_rate", json(out.resolve_rate).dump(),
           fmt::format("at most the rate that opens, {}", json(out.rate).dump()));
  return out;
}

count_bucket_spec builder::count_bucket(const json& checked, const std::string& pointer, time_ms tick) {
  count_bucket_spec out;
  out.scope_bucket = number_of<std::int64_t>(checked, "scope_bucket");
  out.key_bucket = number_of<std::int64_t>(checked, "key_bucket");
  out.baseline = whole_ticks(checked, "baseline", pointer, tick);
  out.min_baseline = number_of<std::int64_t>(checked, "min_baseline");
  out.outlier = number_of<double>(checked, "outlier");
  out.normal = number_of<double>(checked, "normal");
  if (out.outlier >= out.normal && is_clean(pointer + "/outlier") && is_clean(pointer + "/normal"))
    refuse(pointer + "/outlier", json(out.outlier).dump(),
           fmt::format("less than \"normal\", {}", json(out.normal).dump()));
  return out;
}

sr_mixture_spec builder::sr_mixture(const json& checked, const std::string& pointer, time_ms tick) {
  sr_mixture_spec out;
  out.false_alarms_per_day = number_of<double>(checked, "false_alarms_per_day");
  out.strict = text_of(checked, "mode") == "strict";
  out.incidents_per_day = number_of<double>(checked, "incidents_per_day");
  const auto length = whole_ticks(checked, "baseline_length", pointer, tick);
  const bool sliding = text_of(checked, "baseline") == "sliding";
  out.sliding_baseline = sliding ? length : 0;
  const auto here = pointer + "/baseline_length";
  if (!sliding && is_written(here) && is_clean(here) && is_clean(pointer + "/baseline"))
    refuse(here, fmt::format("\"{}\"", format_duration(length)), "it only with \"baseline\": \"sliding\"");
  return out;
}

burn_rate_spec builder::burn_rate(const json& checked, const std::string& pointer, time_ms tick) {
  constexpr std::size_t most_rules = 32;
  burn_rate_spec out;
  out.objective = number_of<double>(checked, "objective");
  out.min_events = number_of<std::int64_t>(checked, "min_events");
  out.rules.clear();
  const auto& rules = member(checked, "rules");
  for (std::size_t i = 0; i < rules.size(); ++i) {
    const auto here = child_pointer(pointer + "/rules", i);
    burn_rate_rule rule;
    rule.long_window = whole_ticks(rules[i], "long_window", here, tick);
    rule.short_window = whole_ticks(rules[i], "short_window", here, tick);
    rule.factor = number_of<double>(rules[i], "factor");
    if (rule.short_window > rule.long_window && is_clean(here + "/long_window") && is_clean(here + "/short_window"))
      refuse(here + "/short_window", fmt::format("\"{}\"", format_duration(rule.short_window)),
             fmt::format("at most the long window, \"{}\"", format_duration(rule.long_window)));
    out.rules.push_back(rule);
  }
  if (out.rules.size() > most_rules)
    refuse(pointer + "/rules", fmt::format("{} rules", out.rules.size()), fmt::format("at most {}", most_rules));
  return out;
}

z_score_spec builder::z_score(const json& checked, const std::string& pointer, time_ms tick) {
  z_score_spec out;
  out.window = whole_ticks(checked, "window", pointer, tick);
  out.history = number_of<std::int64_t>(checked, "history");
  out.min_history = number_of<std::int64_t>(checked, "min_history");
  out.outlier = number_of<double>(checked, "outlier");
  out.normal = number_of<double>(checked, "normal");
  if (out.normal >= out.outlier && is_clean(pointer + "/outlier") && is_clean(pointer + "/normal"))
    refuse(pointer + "/normal", json(out.normal).dump(),
           fmt::format("less than \"outlier\", {}", json(out.outlier).dump()));
  return out;
}

/// A window or hold must be whole ticks, because decisions are made only at their ends. A default is rounded up.
time_ms builder::whole_ticks(const json& checked, const char* key, const std::string& pointer, time_ms tick) {
  const auto value = number_of<time_ms>(checked, key);
  const auto rest = value % tick;
  if (rest == 0)
    return value;
  const auto here = child_pointer(pointer, key);
  if (!is_written(here))
    return value + tick - rest;
  if (is_clean(here))
    refuse(here, fmt::format("\"{}\"", format_duration(value)),
           fmt::format("a multiple of the tick, \"{}\"", format_duration(tick)));
  return value;
}

void builder::check_memory(const config& built) {
  const auto shares = memory_estimate(built);
  const auto sum = total_of(shares);
  std::string division;
  for (const auto& share : shares)
    division += fmt::format("{}{} {}", division.empty() ? "" : ", ", share.what, format_size(share.bytes));
  if (sum > built.memory_limit)
    refuse("/memory_limit", fmt::format("\"{}\"", format_size(built.memory_limit)),
           fmt::format("at least {}: {}; or a smaller capacity in a monitor", format_size(sum), division));
}

namespace {

void warn_of_input(const config& built, std::vector<std::string>& out) {
  const auto& plan = *built.decode;
  if (plan.format == input_format::combined_log && !plan.time_field.empty())
    out.emplace_back("/input/time: has no effect for combined_log, whose lines carry their own time");
  if (!plan.time_zone.empty() && plan.time != time_unit::rfc3339)
    out.emplace_back("/input/time/zone: has no effect for unix times, which are UTC");
  const bool failed_is_used = std::any_of(plan.monitors.begin(), plan.monitors.end(),
                                          [](const monitor_plan& m) { return !m.error_when.has_value(); });
  if (plan.rate_field && plan.failed_field)
    out.emplace_back("/input/failed: has no effect beside /input/rate");
  if (plan.rate_field && !failed_is_used)
    out.emplace_back("/input/rate: has no effect, because every monitor has its own error_when");
  if (plan.failed_field && !plan.rate_field && !failed_is_used)
    out.emplace_back("/input/failed: has no effect, because every monitor has its own error_when");
  if (built.world.settle > 0)
    out.push_back(fmt::format("/input/settle: {}: every alert comes so much later, and the ticks of that time stay in "
                              "memory; shorter where the time of an event is when its outcome became known",
                              format_duration(built.world.settle)));
}

void warn_of_detector(const detector_spec& detector, const monitor_spec& monitor, const std::string& here,
                      std::vector<std::string>& out) {
  const auto* threshold = std::get_if<threshold_spec>(&detector.settings);
  if (threshold != nullptr && threshold->min_events == 1 && threshold->rate < 0.5 && monitor.levels.size() > 1)
    out.push_back(here + "/min_events: 1, so that a single failure of a rare key is an incident");
  const auto* burn_rate = std::get_if<burn_rate_spec>(&detector.settings);
  for (std::size_t i = 0; burn_rate != nullptr && i < burn_rate->rules.size(); ++i)
    if (const auto rate = burn_rate->rules[i].factor * (1 - burn_rate->objective); rate > 1)
      out.push_back(
          fmt::format("{}/rules/{}/factor: {} times the budget is a failure rate of {:.3g} %: this rule never "
                      "holds",
                      here, i, json(burn_rate->rules[i].factor).dump(), 100 * rate));
}

} // namespace

std::vector<std::string> warnings_of(const config& built) {
  std::vector<std::string> out;
  warn_of_input(built, out);
  for (std::size_t i = 0; i < built.world.monitors.size(); ++i) {
    const auto& monitor = built.world.monitors[i];
    const auto here = child_pointer("/monitors", i);
    if (built.world.allowed_lateness / 60 >= monitor.tick)
      out.push_back(fmt::format("{}/tick: allowed_lateness {} keeps {} ticks of {} open, and every alert waits for it",
                                here, format_duration(built.world.allowed_lateness),
                                built.world.allowed_lateness / monitor.tick, format_duration(monitor.tick)));
    if (monitor.levels.size() > 8)
      out.push_back(
          fmt::format("{}/levels: {} levels; each event is judged once a level", here, monitor.levels.size()));
    for (std::size_t j = 0; j < monitor.detectors.size(); ++j)
      warn_of_detector(monitor.detectors[j], monitor, child_pointer(here + "/detectors", j), out);
  }
  return out;
}

} // namespace tocsin::io
