#include "tools/command.hpp"
#include "tools/common/output_file.hpp"
#include "tools/evaluation/competitor.hpp"
#include "tools/evaluation/report.hpp"
#include "tools/evaluation/suite.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <memory>
#include <string>
#include <thread>
#include <vector>

namespace tocsin::tools {

namespace {

using namespace evaluation;

constexpr const char* footer =
    R"(Measures the detectors on generated streams with known truth, through the engine itself: records in, alert records
out. The tables are a function of suite, scenario, seed and size; --jobs changes only the time it takes. At full size a
suite takes minutes to hours; --scale 0.1 gives a first look. docs/quality.md tells how each number is measured.

Examples:
  tocsin evaluate --suite detection --scenario low --scale 0.1
  tocsin evaluate --suite calibration,cold_start --output tables.md --json tables.json
  tocsin evaluate --suite attribution --data DIR             recorded incidents (docs/datasets.md)
  tocsin evaluate --suite scale --streams 100000             a hundred thousand titles instead of a million)";

struct evaluate_options {
  std::vector<std::string> suites;
  std::vector<std::string> scenarios;
  std::vector<std::string> methods;
  std::uint64_t seed = 1;
  std::size_t streams = 0;
  double scale = 1;
  std::size_t jobs = std::max(1U, std::thread::hardware_concurrency());
  std::string output = "-";
  std::string json;
  std::string data;
  bool quiet = false;
};

std::string names_of(const std::vector<std::string>& names) {
  return fmt::format("{}", fmt::join(names, ", "));
}

io::error misuse(std::string message) {
  return {io::error_code::usage, std::move(message), false, true};
}

/// The suites asked for; an unknown suite or method, or a scenario that none of them has, is an error.
io::result<std::vector<suite>> choose(const evaluate_options& asked) {
  std::vector<suite> chosen;
  std::vector<std::string> known;
  for (const auto& one : all_suites()) {
    known.push_back(one.name);
    if (std::count(asked.suites.begin(), asked.suites.end(), one.name) > 0)
      chosen.push_back(one);
  }
  for (const auto& name : asked.suites)
    if (std::find(known.begin(), known.end(), name) == known.end())
      return misuse(fmt::format("--suite: found \"{}\", expected one of {}", name, names_of(known)));
  std::vector<std::string> scenarios;
  for (const auto& one : chosen)
    scenarios.insert(scenarios.end(), one.scenarios.begin(), one.scenarios.end());
  for (const auto& name : asked.scenarios)
    if (std::find(scenarios.begin(), scenarios.end(), name) == scenarios.end())
      return misuse(fmt::format("--scenario: found \"{}\", expected one of {}", name, names_of(scenarios)));
  const auto methods = compared_methods();
  for (const auto& name : asked.methods)
    if (std::find(methods.begin(), methods.end(), name) == methods.end())
      return misuse(fmt::format("--method: found \"{}\", expected one of {}", name, names_of(methods)));
  return chosen;
}

/// The command line that makes the same tables.
std::string command_of(const evaluate_options& asked) {
  auto text = fmt::format("tocsin evaluate --suite {}", fmt::join(asked.suites, ","));
  if (!asked.scenarios.empty())
    text += fmt::format(" --scenario {}", fmt::join(asked.scenarios, ","));
  if (!asked.methods.empty())
    text += fmt::format(" --method {}", fmt::join(asked.methods, ","));
  text += fmt::format(" --seed {}", asked.seed);
  if (asked.streams != 0)
    text += fmt::format(" --streams {}", asked.streams);
  else if (asked.scale != 1)
    text += fmt::format(" --scale {:g}", asked.scale);
  if (!asked.data.empty())
    text += " --data DIR";
  return text;
}

io::result<void> write(const std::string& path, const std::string& text) {
  auto file = output_file::open(path);
  if (!file)
    return file.failure();
  if (auto written = file->write(text); !written)
    return written;
  return file->close();
}

exit_code evaluate(const evaluate_options& asked) {
  const auto suites = choose(asked);
  if (!suites)
    return fail(suites.failure());
  suite_options options;
  options.scenarios = asked.scenarios;
  options.methods = asked.methods;
  options.seed = asked.seed;
  if (asked.streams != 0)
    options.streams = asked.streams;
  options.scale = asked.scale;
  options.jobs = asked.jobs;
  options.data = asked.data;
  const auto start = std::chrono::steady_clock::now();
  if (!asked.quiet)
    options.progress = [start](const std::string& what) {
      const std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - start;
      fmt::print(stderr, "{:8.1f} s  {}\n", seconds.count(), what);
    };

  report found;
  found.command = command_of(asked);
  for (const auto& one : *suites)
    one.run(options, found);
  for (const auto& line : found.skipped)
    print_error("not measured: " + line);
  if (auto written = write(asked.output, to_markdown(found)); !written)
    return fail(written.failure());
  if (!asked.json.empty())
    if (auto written = write(asked.json, to_json(found)); !written)
      return fail(written.failure());
  return exit_code::ok;
}

std::string about_suites() {
  std::string text = "Suites, separated by commas:";
  for (const auto& one : all_suites())
    text += fmt::format("\n{}: {} ({})", one.name, one.about, names_of(one.scenarios));
  return text;
}

} // namespace

void add_evaluate(CLI::App& app, command_context& context) {
  auto* command = app.add_subcommand("evaluate", "Measure the detectors on streams with known truth");
  auto asked = std::make_shared<evaluate_options>();
  command->add_option("--suite", asked->suites, about_suites())->delimiter(',')->required();
  command->add_option("--scenario", asked->scenarios, "Only these scenarios of the suites, separated by commas")
      ->delimiter(',');
  command
      ->add_option("--method", asked->methods,
                   fmt::format("Suite detection: only these types of detectors, separated by commas ({})",
                               names_of(compared_methods())))
      ->delimiter(',');
  command->add_option("--seed", asked->seed, "Seed of every stream (default: 1)");
  auto* streams = command->add_option("--streams", asked->streams,
                                      "Streams (fleet, scale: keys) instead of each scenario's own number");
  streams->check(CLI::Range(std::size_t{1}, std::size_t{10'000'000}));
  command->add_option("--scale", asked->scale, "Factor of each scenario's own number of streams or keys (default: 1)")
      ->check(CLI::Range(1e-6, 100.0))
      ->excludes(streams);
  command->add_option("--jobs", asked->jobs, "Threads (default: one a core)")->check(CLI::Range(1, 256));
  command->add_option("--output,-o", asked->output, "Write the tables here, as Markdown (default: standard output)");
  command->add_option("--data", asked->data, "Folder of the recorded incidents of suite attribution");
  command->add_option("--json", asked->json, "Write the numbers here too, for programs");
  command->add_flag("--quiet,-q", asked->quiet, "No progress");
  command->footer(footer);
  command->callback([asked, &context] { context.action = [asked] { return evaluate(*asked); }; });
}

} // namespace tocsin::tools
