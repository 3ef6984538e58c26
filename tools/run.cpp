#include "io/file/alert_log.hpp"
#include "io/memory/memory_state_store.hpp"
#include "io/sqlite/sqlite_state_store.hpp"
#include "tools/command.hpp"
#include "tools/pipeline_setup.hpp"
#include "tools/progress_bar.hpp"
#include "tools/stop_signals.hpp"

#include <fmt/format.h>

#include <chrono>
#include <memory>
#include <string>

namespace tocsin::tools {

namespace {

constexpr const char* footer =
    R"(Follows the files (or standard input) that the configuration names, judges each tick as it closes and appends to the
alert log. State, journal and alerts are committed together: after a crash, a kill or a restart it goes on where the last
commit was, and the log neither loses nor repeats a record. SIGTERM and SIGINT stop it cleanly.

--until-end works the input off to its present end, takes that for the end of input, and exits.

Examples:
  tocsin run --config /etc/tocsin/views.json
  tail -F access.log | tocsin run --config apache.json            with "input": {"stdin": true}
  tocsin run --config views.json --until-end                      from cron, over a file that grows)";

struct run_options {
  std::string config;
  bool until_end = false;
  bool quiet = false;
};

io::error nothing_to_read(const std::string& file) {
  return {io::error_code::configuration,
          fmt::format("{}: /input: names no input, expected \"file\": {{\"paths\": [...]}} or \"stdin\": true "
                      "(`tocsin replay` takes its input from the command line)",
                      file),
          false, true};
}

exit_code run(const run_options& asked) {
  const auto config = load_or_print(asked.config);
  if (!config)
    return exit_code::configuration;
  chosen_input input{config->input.paths, config->input.sequence, !asked.until_end};
  if (config->input.use_stdin)
    input.paths.emplace_back("-");
  if (input.paths.empty())
    return fail(nothing_to_read(asked.config));

  auto parts = make_parts(*config, input);
  if (!parts)
    return fail(parts.failure());
  if (config->state_sqlite.empty()) {
    print_error("warning: no /state/sqlite is configured: a restart begins anew");
    parts->store = std::make_unique<io::memory_state_store>();
  } else {
    parts->store = std::make_unique<io::sqlite_state_store>(config->state_sqlite);
  }
  parts->alerts = std::make_unique<io::alert_log>(config->alerts_file);
  auto options = make_options(*config, *parts->source);
  options.live = !asked.until_end;

  const auto start = std::chrono::steady_clock::now();
  const stop_signals signals;
  actors::pipeline pipeline(std::move(options), std::move(*parts));
  // Each look costs a wake-up; half a second is soon enough for a signal.
  while (!pipeline.wait_for(500))
    if (signals.received())
      pipeline.request_stop();
  const auto outcome = pipeline.wait();
  const auto code = exit_code_of(outcome);
  if (!asked.quiet) {
    const std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - start;
    fmt::print(stderr, "{}", summary_table(outcome.final, seconds.count()));
  }
  if (outcome.abandoned)
    std::_Exit(static_cast<int>(code));
  return code;
}

} // namespace

void add_run(CLI::App& app, command_context& context) {
  auto* command = app.add_subcommand("run", "Watch a stream: the daemon");
  auto asked = std::make_shared<run_options>();
  command->add_option("--config,-c", asked->config, "The configuration")->required();
  command->add_flag("--until-end", asked->until_end, "Stop at the present end of the input");
  command->add_flag("--quiet,-q", asked->quiet, "No summary at the end");
  command->footer(footer);
  command->callback([asked, &context] { context.action = [asked] { return run(*asked); }; });
}

} // namespace tocsin::tools
