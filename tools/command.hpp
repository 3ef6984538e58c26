#pragma once

#include "io/result.hpp"
#include "tools/exit_code.hpp"

#include <CLI/CLI.hpp>

#include <functional>

namespace tocsin::tools {

/// What the command line asks for. Owned by main(): the subcommand that was chosen leaves its action here, main() runs
/// it when the whole line is parsed, so that nothing happens on a line with a mistake.
struct command_context {
  std::function<exit_code()> action;
};

/// One function a subcommand, each in the file named after it: declares the options and leaves the action.
/// Of `alerts`.
void add_silence(CLI::App& alerts, command_context& context);
inline constexpr const char* usual_silences = "silences.json";
void add_alerts(CLI::App& app, command_context& context);
void add_control(CLI::App& app, command_context& context);
void add_check(CLI::App& app, command_context& context);
void add_explain(CLI::App& app, command_context& context);
void add_evaluate(CLI::App& app, command_context& context);
void add_generate(CLI::App& app, command_context& context);
void add_record(CLI::App& app, command_context& context);
void add_replay(CLI::App& app, command_context& context);
void add_run(CLI::App& app, command_context& context);
void add_state(CLI::App& app, command_context& context);

/// Prints `tocsin: <message>` as one line on standard error.
void print_error(const std::string& message);
/// Prints the error and gives the exit code of its class. A reader that went away is no error.
exit_code fail(const io::error& failure);

} // namespace tocsin::tools
