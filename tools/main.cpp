#include "tools/command.hpp"

#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstring>
#include <exception>
#include <iostream>
#include <system_error>

namespace {

using namespace tocsin::tools;

constexpr const char* description =
    "Tocsin finds error-rate anomalies in a stream of outcomes and raises one incident for each cause.";
constexpr const char* footer = R"(Examples:
  tocsin check views.json                          is this configuration right?
  tocsin replay --config views.json views.ndjson   a recorded stream: what would have alarmed?
  tocsin run --config views.json                   the daemon
  tocsin record views --bootstrap H:9092 -o monday  a Kafka topic as a recording, for replay
  tocsin generate --out views.ndjson               a stream with planted incidents
  tocsin alerts --file alerts.ndjson --open        what is open now?
  tocsin explain --config views.json --key cdn=x   why did it alarm there, or why not?
  tocsin control exclude --help                    do not learn from last night

Exit codes: 0 done, 1 internal error, 2 usage, 3 configuration, 4 input, 5 output, 6 state.
`tocsin COMMAND --help` describes a command, with examples.)";

/// Help and version go to standard output and succeed; everything else is one line and a usage error.
exit_code report(const CLI::App& app, const CLI::ParseError& error) {
  if (error.get_exit_code() == static_cast<int>(CLI::ExitCodes::Success)) {
    app.exit(error);
    std::cout.flush();
    return std::cout || errno == EPIPE ? exit_code::ok : exit_code::sink;
  }
  std::string command = "tocsin";
  for (const auto* chosen : app.get_subcommands())
    command += " " + chosen->get_name();
  print_error(std::string(error.what()) + " (see `" + command + " --help`)");
  return exit_code::usage;
}

exit_code run(int argc, char** argv) {
  CLI::App app(description, "tocsin");
  app.footer(footer);
  app.set_version_flag("--version", "tocsin " TOCSIN_VERSION, "Print the version and exit");
  app.set_help_flag("-h,--help", "Print this help and exit");
  app.require_subcommand(1);
  app.get_formatter()->column_width(34);

  command_context context;
  add_replay(app, context);
  add_run(app, context);
  add_alerts(app, context);
  add_control(app, context);
  add_check(app, context);
  add_state(app, context);
  add_explain(app, context);
  add_generate(app, context);
  add_record(app, context);
  add_evaluate(app, context);

  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return report(app, error);
  }
  return context.action();
}

/// Whoever reads our output may have seen enough (`| head`): an end, not an error. Other failures are told: what was
/// printed last may be lost only now.
exit_code ended(exit_code code) {
  if (std::fflush(stdout) == 0 || errno == EPIPE)
    return code;
  print_error(std::string("standard output: cannot be written: ") + std::generic_category().message(errno));
  return code == exit_code::ok ? exit_code::sink : code;
}

} // namespace

int main(int argc, char** argv) {
  // A closed pipe is an error of write(), not a silent death in the middle of a commit.
  std::signal(SIGPIPE, SIG_IGN);
  // The same for a file that has grown to the limit of the process (ulimit -f).
  std::signal(SIGXFSZ, SIG_IGN);
  try {
    return static_cast<int>(ended(run(argc, argv)));
  } catch (const std::system_error& error) {
    if (error.code() == std::errc::broken_pipe)
      return static_cast<int>(exit_code::ok);
    print_error(std::string("internal error: ") + error.what());
  } catch (const std::exception& error) {
    print_error(std::string("internal error: ") + error.what());
  }
  return static_cast<int>(exit_code::internal);
}
