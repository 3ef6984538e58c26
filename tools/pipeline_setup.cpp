#include "tools/pipeline_setup.hpp"

#include "io/decoder.hpp"
#include "io/file/file_source.hpp"
#include "io/file/reject_log.hpp"
#include "tools/command.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <thread>

namespace tocsin::tools {

std::optional<io::config> load_or_print(const std::string& file) {
  auto outcome = io::load_config(file);
  for (const auto& issue : outcome.issues)
    print_error(io::to_string(file, issue));
  for (const auto& warning : outcome.warnings)
    print_error(fmt::format("{}: warning: {}", file, warning));
  return std::move(outcome.value);
}

io::result<actors::pipeline_parts> make_parts(const io::config& config, const chosen_input& input) {
  io::file_source_options options;
  options.paths = input.paths;
  options.sequence = input.sequence;
  options.follow = input.follow;
  options.has_header = config.decode->format == io::input_format::csv;
  options.max_record_bytes = config.decode->max_record_bytes;
  options.on_warning = [](const std::string& text) { print_error("warning: " + text); };
  auto source = io::open_file_source(std::move(options));
  if (!source)
    return source.failure();
  actors::pipeline_parts parts;
  parts.source = std::move(*source);
  parts.make_decoder = [plan = config.decode] { return io::make_decoder(plan); };
  if (!config.dead_letter_file.empty()) {
    std::vector<std::string> names;
    for (partition_id p = 0; p < parts.source->partitions(); ++p)
      names.push_back(parts.source->name(p));
    auto rejects = io::open_reject_log(config.dead_letter_file, std::move(names));
    if (!rejects)
      return rejects.failure();
    parts.rejects = std::move(*rejects);
  }
  return parts;
}

actors::pipeline_options make_options(const io::config& config, const io::source& source) {
  actors::pipeline_options options;
  options.spec = std::make_shared<const world_spec>(config.world);
  options.identity.fingerprint = config.world.fingerprint;
  for (const auto& monitor : config.world.monitors)
    options.identity.monitors.push_back(monitor.name);
  for (partition_id p = 0; p < source.partitions(); ++p)
    options.identity.partitions.push_back(source.name(p));
  options.workers = config.workers != 0 ? config.workers : std::max(1u, std::thread::hardware_concurrency());
  options.block_bytes = config.block_bytes;
  options.commit_interval = config.commit_interval;
  options.idle_timeout = config.idle_timeout;
  options.log = [](const std::string& line) { print_error(line); };
  return options;
}

exit_code exit_code_of(const actors::pipeline_outcome& outcome) {
  if (!outcome.failure)
    return exit_code::ok;
  return outcome.abandoned ? fail(*outcome.failure) : exit_code_of(outcome.failure->code);
}

} // namespace tocsin::tools
