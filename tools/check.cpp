#include "io/config/config.hpp"
#include "io/config/memory_estimate.hpp"
#include "tools/command.hpp"

#include <fmt/format.h>

#include <memory>
#include <string>

namespace tocsin::tools {

namespace {

constexpr const char* footer =
    R"(Prints every mistake with its place in the file, what was found and what would be right; then warnings: what is
legal but probably not meant. A configuration without mistakes is summed up. Exit code 3 if there is a mistake.

Example:
  tocsin check configs/examples/video_views.json)";

std::string joined(const std::vector<std::string>& names) {
  return fmt::format("[{}]", fmt::join(names, ", "));
}

void print_monitor(const monitor_spec& monitor, const std::string& season_zone) {
  const auto scope_end = monitor.dimensions.begin() + static_cast<std::ptrdiff_t>(monitor.scope_size);
  fmt::print("monitor {}\n", monitor.name);
  fmt::print("  scope      {}\n", joined({monitor.dimensions.begin(), scope_end}));
  std::vector<std::string> levels;
  for (std::uint32_t i = 0; i < monitor.levels.size(); ++i)
    levels.push_back(joined(level_names(monitor, i)));
  fmt::print("  levels     {}\n", fmt::join(levels, " "));
  fmt::print("  tick       {}\n", format_duration(monitor.tick));
  if (!season_zone.empty())
    fmt::print("  season     {}\n", season_zone);
  fmt::print("  capacity   {} keys, {} leaf cells, {} scopes\n", monitor.capacity.max_keys,
             monitor.capacity.max_leaf_cells, monitor.capacity.max_scopes);
  std::vector<std::string> detectors;
  for (const auto& detector : monitor.detectors)
    detectors.push_back(detector.name +
                        (detector.name == detector.type ? std::string() : fmt::format(" ({})", detector.type)) +
                        (detector.shadow ? " in shadow" : ""));
  fmt::print("  detectors  {}\n", fmt::join(detectors, ", "));
}

std::string input_summary(const io::config& config) {
  if (config.input.use_stdin)
    return "standard input";
  return config.input.paths.empty() ? "from the command line (replay)"
                                    : fmt::format("{}", fmt::join(config.input.paths, ", "));
}

void print_summary(const io::config& config) {
  fmt::print("{}: ok\n", config.file);
  fmt::print("input        {}\n", input_summary(config));
  fmt::print("lateness     {}\n", format_duration(config.world.allowed_lateness));
  if (config.world.settle > 0)
    fmt::print("settle       {}\n", format_duration(config.world.settle));
  fmt::print("alerts       {}\n", config.alerts_file.empty() ? "standard output" : config.alerts_file);
  fmt::print("state        {}\n", config.state_sqlite.empty() ? "none: a restart begins anew" : config.state_sqlite);
  fmt::print("memory       {} MiB when every capacity is full, limit {} MiB\n", total_of(memory_estimate(config)) >> 20,
             config.memory_limit >> 20);
  fmt::print("fingerprint  {}\n", config.world.fingerprint);
  for (std::size_t i = 0; i < config.world.monitors.size(); ++i)
    print_monitor(config.world.monitors[i], config.season_zones[i]);
}

exit_code check(const std::string& file) {
  const auto outcome = io::load_config(file);
  for (const auto& issue : outcome.issues)
    print_error(io::to_string(file, issue));
  for (const auto& warning : outcome.warnings)
    print_error(fmt::format("{}: warning: {}", file, warning));
  if (!outcome.value)
    return exit_code::configuration;
  print_summary(*outcome.value);
  return exit_code::ok;
}

} // namespace

void add_check(CLI::App& app, command_context& context) {
  auto* command = app.add_subcommand("check", "Check a configuration and sum it up");
  auto file = std::make_shared<std::string>();
  command->add_option("FILE", *file, "The configuration: JSON with comments")->required();
  command->footer(footer);
  command->callback([file, &context] { context.action = [file] { return check(*file); }; });
}

} // namespace tocsin::tools
