#include "tools/journal_file.hpp"

#include "io/action_json.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <optional>
#include <system_error>

namespace tocsin::tools {

namespace {

io::error mistake(const std::string& path, std::size_t line, const std::string& what) {
  return {io::error_code::source, fmt::format("{}:{}: {}", path, line, what), false, true};
}

std::optional<std::int64_t> whole_number(const nlohmann::json& object, const char* key) {
  const auto found = object.find(key);
  if (found == object.end() || !found->is_number_integer())
    return std::nullopt;
  return found->get<std::int64_t>();
}

} // namespace

std::string journal_line(const journal_entry& entry, const std::string& partition_name) {
  nlohmann::ordered_json line;
  line["partition"] = entry.partition;
  line["name"] = partition_name;
  line["offset"] = entry.offset;
  line["watermark"] = entry.watermark;
  line["kind"] = name_of(entry.kind);
  return line.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

namespace {

/// Calls take(json, text, number) for each line until it fails.
template <class Take>
io::result<void> for_each_line(const std::string& path, const Take& take) {
  std::ifstream file(path);
  if (!file)
    return io::error{
        io::error_code::source,
        fmt::format("{}: cannot be read ({}), expected a journal written by `tocsin state export --journal`", path,
                    std::generic_category().message(errno)),
        false, true};
  std::string text;
  for (std::size_t line = 1; std::getline(file, text); ++line) {
    if (text.empty())
      continue;
    const auto json = nlohmann::json::parse(text, nullptr, false);
    if (!json.is_object())
      return mistake(path, line, "found text that is no JSON object, expected one journal entry a line");
    if (auto taken = take(json, text, line); !taken)
      return taken;
  }
  return {};
}

std::string kind_of(const nlohmann::json& json) {
  const auto kind = json.find("kind");
  return kind != json.end() && kind->is_string() ? kind->get<std::string>() : std::string();
}

bool is_action(const nlohmann::json& json) {
  const auto kind = kind_of(json);
  return kind == name_of(action_kind::exclude) || kind == name_of(action_kind::accept);
}

io::result<operator_action> take_action(const std::string& path, const std::string& text, std::size_t line) {
  auto action = io::parse_action(text);
  if (!action)
    return mistake(path, line, action.failure().message);
  if (action->kind == action_kind::accept && action->in_force <= beginning_of_time)
    return mistake(path, line, "an acceptance needs \"in_force\", the time at which it is made");
  return action;
}

/// The configuration knows the monitor and its dimensions.
io::result<void> check_action(const std::string& path, std::size_t line, const operator_action& action,
                              const world_spec& world) {
  const auto monitor = std::find_if(world.monitors.begin(), world.monitors.end(),
                                    [&](const monitor_spec& one) { return one.name == action.monitor; });
  if (monitor == world.monitors.end())
    return mistake(path, line, fmt::format("found monitor \"{}\", which the configuration lacks", action.monitor));
  for (const auto& [dimension, value] : action.key)
    if (std::find(monitor->dimensions.begin(), monitor->dimensions.end(), dimension) == monitor->dimensions.end())
      return mistake(path, line,
                     fmt::format("found dimension \"{}\", expected one of monitor {}: {}", dimension, monitor->name,
                                 fmt::join(monitor->dimensions, ", ")));
  return {};
}

io::result<journal_entry> take_entry(const std::string& path, const nlohmann::json& json, std::size_t line,
                                     std::size_t partitions) {
  const auto partition = whole_number(json, "partition");
  const auto offset = whole_number(json, "offset");
  const auto watermark = whole_number(json, "watermark");
  if (!partition || !offset || !watermark)
    return mistake(path, line, "expected whole numbers `partition`, `offset` and `watermark`");
  if (*partition < 0 || static_cast<std::uint64_t>(*partition) >= partitions)
    return mistake(path, line,
                   fmt::format("found partition {}, but the input has {} partition(s): give the inputs of the run "
                               "that wrote the journal, in the same order",
                               *partition, partitions));
  const auto kind = kind_of(json);
  if (kind != name_of(journal_kind::idle) && kind != name_of(journal_kind::end))
    return mistake(path, line,
                   fmt::format("found kind \"{}\", expected \"idle\", \"end\", \"exclude\" or \"accept\"", kind));
  return journal_entry{static_cast<partition_id>(*partition), *offset, *watermark,
                       kind == name_of(journal_kind::idle) ? journal_kind::idle : journal_kind::end};
}

} // namespace

namespace {

/// `check(action, line)` says whether an action can be meant.
template <class Check>
io::result<journal> read_facts(const std::string& path, std::size_t partitions, const Check& check) {
  journal out;
  auto read = for_each_line(path, [&](const auto& json, const auto& text, std::size_t line) -> io::result<void> {
    if (!is_action(json)) {
      auto entry = take_entry(path, json, line, partitions);
      if (!entry)
        return entry.failure();
      out.entries.push_back(*entry);
      return {};
    }
    auto action = take_action(path, text, line);
    if (!action)
      return action.failure();
    if (auto checked = check(*action, line); !checked)
      return checked;
    out.actions.push_back(std::move(*action));
    return {};
  });
  if (!read)
    return read.failure();
  return out;
}

} // namespace

io::result<journal> read_journal(const std::string& path, const std::vector<std::string>& partitions,
                                 const world_spec& world) {
  return read_facts(path, partitions.size(), [&](const operator_action& action, std::size_t line) {
    return check_action(path, line, action, world);
  });
}

io::result<journal> read_journal(const std::string& path, std::size_t partitions) {
  return read_facts(path, partitions,
                    [](const operator_action& /*action*/, std::size_t /*line*/) { return io::result<void>(); });
}

std::vector<operator_action> in_hindsight(std::vector<operator_action> actions) {
  for (auto& action : actions)
    if (action.kind == action_kind::exclude)
      action.in_force = beginning_of_time;
  return actions;
}

io::result<std::vector<operator_action>> read_actions(const std::string& path) {
  std::vector<operator_action> out;
  auto read = for_each_line(path, [&](const auto& json, const auto& text, std::size_t line) -> io::result<void> {
    if (!is_action(json))
      return {};
    auto action = take_action(path, text, line);
    if (!action)
      return action.failure();
    out.push_back(std::move(*action));
    return {};
  });
  if (!read)
    return read.failure();
  return out;
}

io::result<void> append_action(const std::string& path, const operator_action& action) {
  std::ofstream file(path, std::ios::app | std::ios::binary);
  file << io::to_json(action) + "\n" << std::flush;
  if (file)
    return {};
  return io::error{io::error_code::sink,
                   fmt::format("{}: cannot be written: {}", path, std::generic_category().message(errno)), false, true};
}

} // namespace tocsin::tools
