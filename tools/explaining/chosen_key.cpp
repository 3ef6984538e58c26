#include "tools/explaining/chosen_key.hpp"

#include "detectors/values/key.hpp"
#include "io/config/suggestion.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <optional>

namespace tocsin::tools {

namespace {

io::error misuse(std::string message) {
  return {io::error_code::usage, std::move(message), false, true};
}

std::string suggestion(const std::string& text, const std::vector<std::string>& candidates) {
  const auto near = io::nearest(text, candidates);
  return near ? fmt::format(" (did you mean \"{}\"?)", *near) : std::string();
}

} // namespace

io::result<std::uint32_t> choose_monitor(const world_spec& world, const std::string& name) {
  std::vector<std::string> names;
  for (const auto& monitor : world.monitors)
    names.push_back(monitor.name);
  if (name.empty() && names.size() == 1)
    return std::uint32_t{0};
  if (name.empty())
    return misuse(fmt::format("--monitor is needed: there are {}", fmt::join(names, ", ")));
  const auto found = std::find(names.begin(), names.end(), name);
  if (found == names.end())
    return misuse(fmt::format("--monitor: found \"{}\", expected one of {}{}", name, fmt::join(names, ", "),
                              suggestion(name, names)));
  return static_cast<std::uint32_t>(found - names.begin());
}

namespace {

/// At commas, but not at `\,`.
std::vector<std::string> split(const std::string& text) {
  std::vector<std::string> parts(1);
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '\\' && i + 1 < text.size() && text[i + 1] == ',')
      parts.back() += text[++i];
    else if (text[i] == ',')
      parts.emplace_back();
    else
      parts.back() += text[i];
  }
  if (parts.back().empty())
    parts.pop_back();
  return parts;
}

/// `[property], [property, cdn]`
std::string levels_of(const monitor_spec& monitor) {
  std::vector<std::string> levels;
  for (const auto& level : monitor.levels) {
    std::vector<std::string> names;
    for (const auto dimension : level.dimensions)
      names.push_back(monitor.dimensions[dimension]);
    levels.push_back(fmt::format("[{}]", fmt::join(names, ", ")));
  }
  return fmt::format("{}", fmt::join(levels, ", "));
}

using named_values = std::map<std::uint32_t, std::string>; ///< by dimension

io::result<named_values> read_values(const monitor_spec& monitor, const std::vector<std::string>& texts) {
  named_values values;
  for (const auto& text : texts)
    for (const auto& part : split(text)) {
      const auto equals = part.find('=');
      if (equals == std::string::npos)
        return misuse(fmt::format("--key: found \"{}\", expected a dimension and its value such as cdn=fastly", part));
      const auto name = part.substr(0, equals);
      const auto known = std::find(monitor.dimensions.begin(), monitor.dimensions.end(), name);
      if (known == monitor.dimensions.end())
        return misuse(fmt::format("--key: monitor {} has no dimension \"{}\"{}; its levels are {}", monitor.name, name,
                                  suggestion(name, monitor.dimensions), levels_of(monitor)));
      const auto dimension = static_cast<std::uint32_t>(known - monitor.dimensions.begin());
      if (!values.emplace(dimension, part.substr(equals + 1)).second)
        return misuse(fmt::format("--key: dimension \"{}\" is named twice", name));
    }
  return values;
}

void append_value(std::string& key, const std::string& value) {
  if (value == "(none)")
    append_null(key);
  else if (value == "(other)")
    append_pooled(key);
  else
    append_text(key, value);
}

} // namespace

io::result<dimension_values> choose_values(const monitor_spec& monitor, const std::vector<std::string>& texts) {
  const auto values = read_values(monitor, texts);
  if (!values)
    return values.failure();
  const auto has_all = [&](const level_spec& level) {
    return std::all_of(values->begin(), values->end(), [&](const auto& one) {
      return std::find(level.dimensions.begin(), level.dimensions.end(), one.first) != level.dimensions.end();
    });
  };
  if (std::none_of(monitor.levels.begin(), monitor.levels.end(), has_all))
    return misuse(fmt::format("--key: monitor {} has no level with all of these dimensions; its levels are {}",
                              monitor.name, levels_of(monitor)));
  dimension_values out;
  for (const auto& [dimension, value] : *values)
    out.emplace_back(monitor.dimensions[dimension], value);
  return out;
}

io::result<chosen_key> choose_key(const world_spec& world, const std::string& monitor_name,
                                  const std::vector<std::string>& texts) {
  const auto monitor = choose_monitor(world, monitor_name);
  if (!monitor)
    return monitor.failure();
  const auto& spec = world.monitors[*monitor];
  const auto values = read_values(spec, texts);
  if (!values)
    return values.failure();
  std::vector<std::uint32_t> dimensions;
  for (const auto& [dimension, value] : *values)
    dimensions.push_back(dimension);
  const auto level = std::find_if(spec.levels.begin(), spec.levels.end(),
                                  [&](const level_spec& one) { return one.dimensions == dimensions; });
  if (level == spec.levels.end()) {
    std::vector<std::string> names;
    names.reserve(dimensions.size());
    for (const auto dimension : dimensions)
      names.push_back(spec.dimensions[dimension]);
    return misuse(fmt::format("--key: monitor {} has no level [{}]; its levels, with the scope, are {}", spec.name,
                              fmt::join(names, ", "), levels_of(spec)));
  }
  chosen_key out;
  out.monitor = *monitor;
  out.bytes.assign(1, static_cast<char>(level - spec.levels.begin()));
  for (const auto& [dimension, value] : *values)
    append_value(out.bytes, value);
  return out;
}

} // namespace tocsin::tools
