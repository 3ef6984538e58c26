#include "io/file/alert_log.hpp"
#include "io/memory/memory_state_store.hpp"
#include "tools/command.hpp"
#include "tools/common/output_file.hpp"
#include "tools/journal_file.hpp"
#include "tools/pipeline_setup.hpp"
#include "tools/progress_bar.hpp"
#include "tools/replaying/recording_folder.hpp"
#include "tools/report/recording_sink.hpp"
#include "tools/report/report.hpp"
#include "tools/stop_signals.hpp"

#include <fmt/format.h>

#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace tocsin::tools {

namespace {

constexpr const char* footer =
    R"(Works recorded streams off, through the same engine as `run`, and writes the alert log: the same records (and
journal) give the same bytes, for any number of workers, compressed or not. `-` is standard input. Several inputs are
partitions that are merged by event time; with --sequence they follow each other as one. A folder made by `tocsin record`
stands for its files, and for its journal unless another is given.

Examples:
  tocsin replay --config configs/examples/video_views.json configs/examples/recordings/video_views.ndjson.zst
  zstdcat day1.zst day2.zst | tocsin replay --config views.json - --alerts alerts.ndjson --quiet
  tocsin replay --config views.json views.ndjson --journal journal.ndjson      what the daemon decided, again
  tocsin replay --config views.json views.ndjson -a alerts.ndjson --report report.html      a page for a person

The page needs nothing but a browser. Its charts read the inputs a second time, so that they must be files.)";

struct replay_options {
  std::string config;
  std::vector<std::string> inputs;
  std::string alerts;
  std::string journal;
  std::string report;
  std::size_t report_incidents = 100;
  bool no_journal = false;
  bool hindsight = false;
  std::uint32_t workers = 0;
  std::size_t block_bytes = 0;
  bool sequence = false;
  bool quiet = false;
};

/// Makes the page and writes it.
exit_code write_report(const replay_options& asked, const io::config& config, const actors::pipeline_progress& final,
                       const incident_book& book, output_file file, progress_bar& bar, const stop_signals& signals) {
  report_options options;
  options.incidents = asked.report_incidents;
  options.onward = [&](recording& tape) {
    actors::pipeline_progress now;
    now.bytes = tape.source().bytes_read();
    now.bytes_total = tape.source().bytes_total();
    now.judged_through = tape.engine().judged_through();
    now.counting = tape.engine().stats();
    bar.show(now);
    return !signals.received();
  };
  bar.restart();
  const auto page =
      make_report(config, {asked.inputs, asked.sequence, asked.no_journal ? "" : asked.journal, asked.hindsight},
                  {asked.inputs, final.judged_through, final.counting, final.state}, book, options);
  bar.clear();
  if (!page)
    return fail(page.failure());
  if (const auto written = file.write(*page); !written)
    return fail(written.failure());
  if (const auto closed = file.close(); !closed)
    return fail(closed.failure());
  return exit_code::ok;
}

exit_code replay(replay_options asked) {
  auto config = load_or_print(asked.config);
  if (!config)
    return exit_code::configuration;
  if (asked.workers != 0)
    config->workers = asked.workers;
  if (asked.block_bytes != 0)
    config->block_bytes = asked.block_bytes;

  auto expanded =
      expand_recording({std::move(asked.inputs), std::move(asked.journal)}, asked.sequence || config->input.sequence);
  if (!expanded)
    return fail(expanded.failure());
  asked.inputs = std::move(expanded->paths);
  asked.journal = std::move(expanded->journal);

  auto parts = make_parts(*config, {asked.inputs, asked.sequence || config->input.sequence, false});
  if (!parts)
    return fail(parts.failure());
  parts->store = std::make_unique<io::memory_state_store>();
  parts->alerts = std::make_unique<io::alert_log>(asked.alerts, io::alert_log::start::fresh);
  // Opened now: nobody wants to hear after a long replay that the page cannot be written.
  std::optional<output_file> page;
  const auto book = std::make_shared<incident_book>();
  if (!asked.report.empty()) {
    auto opened = output_file::open(asked.report);
    if (!opened)
      return fail(opened.failure());
    page.emplace(std::move(*opened));
    parts->alerts = std::make_unique<recording_sink>(std::move(parts->alerts), book);
  }
  auto options = make_options(*config, *parts->source);
  if (!asked.journal.empty() && !asked.no_journal) {
    auto journal = read_journal(asked.journal, options.identity.partitions, config->world);
    if (!journal)
      return fail(journal.failure());
    options.given_journal = std::move(journal->entries);
    options.given_actions = asked.hindsight ? in_hindsight(std::move(journal->actions)) : std::move(journal->actions);
  }

  const auto start = std::chrono::steady_clock::now();
  const stop_signals signals;
  progress_bar bar(asked.quiet);
  actors::pipeline pipeline(std::move(options), std::move(*parts));
  while (!pipeline.wait_for(100)) {
    bar.show(pipeline.progress());
    if (signals.received())
      pipeline.request_stop();
  }
  const auto outcome = pipeline.wait();
  bar.clear();
  if (outcome.failure)
    return exit_code_of(outcome);
  if (!asked.quiet) {
    const std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - start;
    fmt::print(stderr, "{}", summary_table(outcome.final, seconds.count()));
  }
  if (signals.received()) {
    print_error("stopped by a signal before the end of the input");
    return exit_code::source;
  }
  if (page)
    return write_report(asked, *config, outcome.final, *book, std::move(*page), bar, signals);
  return exit_code::ok;
}

} // namespace

void add_replay(CLI::App& app, command_context& context) {
  auto* command = app.add_subcommand("replay", "Work recorded streams off and write the alert log");
  auto asked = std::make_shared<replay_options>();
  command->add_option("--config,-c", asked->config, "The configuration")->required();
  command->add_option("INPUT", asked->inputs, "Files (plain, gzip or zstd), or - for standard input")->required();
  command->add_option("--alerts,-a", asked->alerts, "Write the alert log here (default: standard output)");
  command->add_option("--journal", asked->journal, "Obey this journal, written by `tocsin state export --journal`");
  command->add_option("--report", asked->report, "Write a page for a person here: one HTML file, charts and all");
  command
      ->add_option("--report-incidents", asked->report_incidents,
                   "So many incidents, the worst, get a panel on the page (default: 100)")
      ->check(CLI::Range(0, 10000));
  command->add_flag("--no-journal", asked->no_journal, "Ignore --journal: what would the records alone have given?");
  command->add_flag(
      "--hindsight", asked->hindsight,
      "Exclusions of the journal hold from the beginning of their\nrange, not only from when they were given");
  command->add_option("--workers", asked->workers, "Worker threads (default: one a core)")->check(CLI::Range(1, 256));
  command->add_option("--block-bytes", asked->block_bytes, "Bytes a block (changes speed, never the alert log)")
      ->check(CLI::Range(4096, 64 << 20));
  command->add_flag("--sequence", asked->sequence, "The inputs follow each other as one partition");
  command->add_flag("--quiet,-q", asked->quiet, "No progress bar and no summary");
  command->footer(footer);
  command->callback([asked, &context] { context.action = [asked] { return replay(*asked); }; });
}

} // namespace tocsin::tools
