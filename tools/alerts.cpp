#include "tools/alert_log/alert_filter.hpp"
#include "tools/alert_log/alert_record.hpp"
#include "tools/alert_log/alert_table.hpp"
#include "tools/alert_log/log_lines.hpp"
#include "tools/command.hpp"
#include "tools/common/output_file.hpp"
#include "tools/common/units.hpp"
#include "tools/stop_signals.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstdint>
#include <ctime>
#include <memory>
#include <optional>
#include <sstream>
#include <string>
#include <unordered_set>
#include <vector>

namespace tocsin::tools {

namespace {

constexpr const char* footer =
    R"(The log is what `replay` and `run` write: one JSON object for each change of an incident. A last line that is not
complete yet is left out (with --follow: waited for); a broken line is told on standard error and left out.
Records of detectors in shadow are left out, and how many is told on standard error; --shadow, or the ID, shows them.
SINCE is how long the excursion had lasted; RATE is the failure rate since then, EXPECTED what was normal.

Examples:
  tocsin alerts --open                                 what is open at the end of the log
  tocsin alerts --kind open,resolve --key cdn=fastly   the story of one CDN
  tocsin alerts --follow --severity major,critical     wait for more, until interrupted
  tocsin alerts --json --since 2016-05-04T12:00:00Z    the records themselves
  tocsin alerts b7e1                                   all about the incident whose id begins so)";

/// How long a follower sleeps before it looks again.
constexpr long follow_pause_ns = 200'000'000;

struct alerts_options {
  std::string file = "alerts.ndjson";
  bool follow = false;
  bool json = false;
  bool open = false;
  bool shadow = false;
  std::string kinds;
  std::string severities;
  std::vector<std::string> keys;
  std::string since;
  alert_filter filter;
};

io::error misuse(const std::string& message) {
  return {io::error_code::usage, message, false, true};
}

/// Prints records, and counts those in shadow that it leaves out unless they were asked for. A reader that goes away
/// (`| head`) has seen enough: that is an end, not an error.
class alert_printer {
public:
  alert_printer(output_file& out, bool json, bool shadow)
      : out_(out), json_(json), shadow_(shadow), table_(table_style::of_output()) {}

  io::result<void> print(const alert_record& record) {
    if (record.shadow && !shadow_) {
      ++left_out_;
      return {};
    }
    if (json_)
      return out_.write(record.line + "\n");
    if (!headed_)
      if (auto written = out_.write(table_.head()); !written)
        return written;
    headed_ = true;
    return out_.write(table_.row(record));
  }

  std::uint64_t left_out() const { return left_out_; }

private:
  output_file& out_;
  bool json_;
  bool shadow_;
  std::uint64_t left_out_ = 0;
  bool headed_ = false;
  alert_table table_;
};

/// The next record of the log that can be read; nothing if there is none now.
io::result<std::optional<alert_record>> next_record(log_lines& lines) {
  for (;;) {
    auto line = lines.next();
    if (!line)
      return line.failure();
    if (!*line)
      return std::optional<alert_record>();
    auto record = parse_alert(std::move(**line));
    if (record)
      return std::optional<alert_record>(std::move(*record));
    print_error(lines.place() + ": " + record.failure().message);
  }
}

/// Prints what matches, record by record. Following, until a signal ends it; else to the end of the log.
io::result<void> print_stream(log_lines& lines, const alerts_options& options, alert_printer& printer,
                              output_file& out) {
  std::optional<stop_signals> signals;
  if (options.follow)
    signals.emplace();
  while (!signals || !signals->received()) {
    auto record = next_record(lines);
    if (!record)
      return record.failure();
    if (*record) {
      if (options.filter.matches(**record))
        if (auto printed = printer.print(**record); !printed)
          return printed;
      continue;
    }
    if (!options.follow)
      return {};
    if (auto flushed = out.flush(); !flushed)
      return flushed;
    const timespec pause{0, follow_pause_ns};
    nanosleep(&pause, nullptr);
  }
  return {};
}

/// Every record of the log that matches, in its order.
io::result<std::vector<alert_record>> read_all(log_lines& lines, const alert_filter& filter) {
  std::vector<alert_record> records;
  for (;;) {
    auto record = next_record(lines);
    if (!record)
      return record.failure();
    if (!*record)
      return records;
    if (filter.matches(**record))
      records.push_back(std::move(**record));
  }
}

/// The last record of each incident that is open, in order of the log.
std::vector<alert_record> still_open(std::vector<alert_record> records) {
  std::vector<alert_record> last;
  std::unordered_set<std::string> seen;
  for (auto record = records.rbegin(); record != records.rend(); ++record)
    if (seen.insert(record->id).second && record->status == "open")
      last.push_back(std::move(*record));
  std::reverse(last.begin(), last.end());
  return last;
}

io::result<void> check_id(const std::vector<alert_record>& records, const std::string& prefix) {
  if (prefix.empty())
    return {};
  if (records.empty())
    return misuse(fmt::format("no incident whose id begins with \"{}\"", prefix));
  for (const auto& record : records)
    if (record.id != records.front().id)
      return misuse(fmt::format("\"{}\" is the beginning of several ids, for example {} and {}", prefix,
                                records.front().id, record.id));
  return {};
}

/// Prints what can only be known at the end of the log.
io::result<void> print_at_end(log_lines& lines, const alerts_options& options, alert_printer& printer) {
  // The other conditions must not hide an ambiguity, nor the end of an incident that --open asks about.
  alert_filter by_id;
  by_id.id_prefix = options.filter.id_prefix;
  auto records = read_all(lines, by_id);
  if (!records)
    return records.failure();
  if (auto checked = check_id(*records, by_id.id_prefix); !checked)
    return checked;
  if (options.open)
    *records = still_open(std::move(*records));
  for (const auto& record : *records)
    if (options.filter.matches(record))
      if (auto printed = printer.print(record); !printed)
        return printed;
  return {};
}

/// Splits `a,b` into words that must be among the known ones.
io::result<void> take_words(const char* option, const std::string& text, const std::vector<std::string>& known,
                            std::vector<std::string>& words) {
  std::istringstream parts(text);
  for (std::string word; std::getline(parts, word, ',');) {
    if (std::find(known.begin(), known.end(), word) == known.end())
      return misuse(fmt::format("{}: found \"{}\", expected {}", option, word, fmt::join(known, ", ")));
    words.push_back(word);
  }
  return {};
}

io::result<void> complete_filter(alerts_options& options) {
  if (!options.since.empty()) {
    options.filter.since = parse_rfc3339(options.since);
    if (!options.filter.since)
      return misuse(fmt::format("--since: found \"{}\", expected a time such as 2016-05-04T12:00:00Z", options.since));
  }
  auto& filter = options.filter;
  if (auto taken = take_words("--kind", options.kinds, {"open", "update", "resolve", "expire", "rebase", "retract"},
                              filter.kinds);
      !taken)
    return taken;
  if (auto taken = take_words("--severity", options.severities, {"warning", "major", "critical"}, filter.severities);
      !taken)
    return taken;
  for (const auto& pair : options.keys) {
    const auto equals = pair.find('=');
    if (equals == 0 || equals == std::string::npos)
      return misuse(fmt::format("--key: found \"{}\", expected DIMENSION=VALUE, for example cdn=fastly", pair));
    filter.key.emplace_back(pair.substr(0, equals), pair.substr(equals + 1));
  }
  return {};
}

exit_code alerts(alerts_options options) {
  if (auto completed = complete_filter(options); !completed)
    return fail(completed.failure());
  auto out = output_file::open("-");
  if (!out)
    return fail(out.failure());
  log_lines lines(options.file, options.follow);
  alert_printer printer(*out, options.json, options.shadow || !options.filter.id_prefix.empty());
  const bool needs_all = !options.follow && (options.open || !options.filter.id_prefix.empty());
  auto done = needs_all ? print_at_end(lines, options, printer) : print_stream(lines, options, printer, *out);
  // What was read before an error is still worth seeing.
  if (auto closed = out->close(); done && !closed)
    done = closed;
  if (printer.left_out() > 0 && !out->reader_gone())
    print_error(fmt::format("{} record{} of detectors in shadow left out; --shadow shows them", printer.left_out(),
                            printer.left_out() == 1 ? "" : "s"));
  if (out->reader_gone() || done)
    return exit_code::ok;
  return fail(done.failure());
}

} // namespace

void add_alerts(CLI::App& app, command_context& context) {
  auto* command = app.add_subcommand("alerts", "Print and follow an alert log");
  auto options = std::make_shared<alerts_options>();
  auto& filter = options->filter;
  command->add_option("ID", filter.id_prefix, "Only this incident: its id or the beginning of it");
  command->add_option("--file", options->file, "The alert log; - is standard input")->capture_default_str();
  auto* following =
      command->add_flag("--follow", options->follow, "Wait for more; the file may come later or be rotated");
  command->add_flag("--json", options->json, "The records as they are, instead of a table");
  command->add_option("--monitor", filter.monitor, "Only of this monitor");
  command->add_option("--detector", filter.detector, "Only of this detector");
  command->add_option("--kind", options->kinds,
                      "Only these, separated by commas: open, update, resolve,\nexpire, rebase, retract");
  command->add_option("--severity", options->severities, "Only these, separated by commas: warning, major, critical");
  command->add_option("--key", options->keys, "Only keys with this value, for example cdn=fastly;\nmay be repeated")
      ->expected(1)
      ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll);
  command->add_option("--since", options->since, "Only what was decided at or after this time (RFC 3339)");
  command->add_flag("--open", options->open, "Only incidents that are open at the end, each once")->excludes(following);
  command->add_flag("--shadow", options->shadow, "Also records of detectors in shadow");
  command->footer(footer);
  command->callback([options, &context] { context.action = [options] { return alerts(*options); }; });
}

} // namespace tocsin::tools
