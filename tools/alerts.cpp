#include "tools/alert_log/alert_filter.hpp"
#include "tools/alert_log/alert_record.hpp"
#include "tools/alert_log/alert_table.hpp"
#include "tools/alert_log/incident_text.hpp"
#include "tools/alert_log/log_lines.hpp"
#include "tools/alert_log/silences.hpp"
#include "tools/command.hpp"
#include "tools/common/output_file.hpp"
#include "tools/common/units.hpp"
#include "tools/stop_signals.hpp"
#include "tools/topics/alert_topic.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstdint>
#include <ctime>
#include <filesystem>
#include <memory>
#include <optional>
#include <sstream>
#include <string>
#include <unordered_set>
#include <utility>
#include <vector>

namespace tocsin::tools {

namespace {

constexpr const char* footer =
    R"(The log is what `replay` and `run` write: one JSON object for each change of an incident. A last line that is not
complete yet is left out (with --follow: waited for); a broken line is told on standard error and left out.
SINCE is how long the excursion had lasted; RATE is the failure rate since then, EXPECTED what was normal, EXCESS the
failures above that; (+N): so many incidents have the same cause; CAUSE: the values that explain most of the excess.

Left out, and how many is told on standard error: records of detectors in shadow (--shadow), of incidents that another
one explains (--children), and what silences hold (--silenced). The ID shows all of them. With an ID (without --json):
everything about that incident, its causes, its children and its history.

Examples:
  tocsin alerts --open                                 what is open at the end of the log
  tocsin alerts --kind open,resolve --key cdn=fastly   the story of one CDN
  tocsin alerts --follow --severity major,critical     wait for more, until interrupted
  tocsin alerts --json --since 2016-05-04T12:00:00Z    the records themselves
  tocsin alerts --from-kafka tocsin-alerts --bootstrap localhost:9092 --follow
  tocsin alerts b7e1                                   all about the incident whose id begins so
  tocsin alerts silence add --key cdn=fastly --for 2h --comment "they know"      nobody needs to be told now)";

/// How long a follower sleeps before it looks again.
constexpr long follow_pause_ns = 200'000'000;

struct alerts_options {
  std::string file = "alerts.ndjson";
  std::string topic;
  broker_options kafka;
  bool follow = false;
  bool json = false;
  bool open = false;
  bool shadow = false;
  bool children = false;
  bool silenced = false;
  std::optional<std::string> silences;
  std::string kinds;
  std::string severities;
  std::vector<std::string> keys;
  std::string since;
  alert_filter filter;
};

/// Tells the same thing once in a row.
class told_once {
public:
  void tell(const std::string& text) {
    if (std::exchange(last_, text) != text)
      print_error(text);
  }

private:
  std::string last_;
};

io::error misuse(const std::string& message) {
  return {io::error_code::usage, message, false, true};
}

/// The silences of a file, which may be edited while we follow a log. No file of the usual name is no silence.
class silence_file {
public:
  silence_file(std::string path, bool required) : path_(std::move(path)), required_(required) {}

  /// Reads the file if it has changed.
  io::result<void> refresh() {
    std::error_code none;
    const auto changed = std::filesystem::last_write_time(path_, none);
    if (none && !required_) {
      silences_.clear();
      read_.reset();
      return {};
    }
    if (!none && read_ == changed)
      return {};
    auto found = load_silences(path_);
    if (!found)
      return found.failure();
    silences_ = std::move(*found);
    read_ = changed;
    return {};
  }
  bool hold(const alert_record& record) const {
    return std::any_of(silences_.begin(), silences_.end(), [&](const silence& one) { return one.holds(record); });
  }

private:
  std::string path_;
  bool required_;
  std::optional<std::filesystem::file_time_type> read_;
  std::vector<silence> silences_;
};

/// Prints records, and counts those that it leaves out unless they were asked for. A reader that goes away (`| head`)
/// has seen enough: that is an end, not an error.
class alert_printer {
public:
  alert_printer(output_file& out, const alerts_options& options, silence_file& silences)
      : out_(out), options_(options), silences_(silences), table_(table_style::of_output()) {}

  io::result<void> print(const alert_record& record) {
    // Who names an incident wants to see it.
    if (options_.filter.id_prefix.empty())
      if (auto* reason = left_out_because(record)) {
        ++*reason;
        return {};
      }
    if (options_.json)
      return out_.write(record.line + "\n");
    if (!headed_)
      if (auto written = out_.write(table_.head()); !written)
        return written;
    headed_ = true;
    return out_.write(table_.row(record));
  }
  io::result<void> print_in_full(const std::vector<alert_record>& records, const std::vector<alert_record>& family) {
    return out_.write(incident_text(records, family, table_));
  }

  /// Tells how many records were left out, and how to see them.
  void tell_left_out() const {
    const auto tell = [](std::uint64_t count, const char* what, const char* option) {
      if (count > 0)
        print_error(fmt::format("{} record{} {} left out; {} shows them", count, count == 1 ? "" : "s", what, option));
    };
    tell(in_shadow_, "of detectors in shadow", "--shadow");
    tell(silenced_, "held by silences", "--silenced");
    tell(children_, "of incidents that another explains", "--children");
  }

private:
  std::uint64_t* left_out_because(const alert_record& record) {
    if (record.shadow && !options_.shadow)
      return &in_shadow_;
    if (!options_.silenced && silences_.hold(record))
      return &silenced_;
    return !record.parent_id.empty() && !options_.children ? &children_ : nullptr;
  }

  output_file& out_;
  const alerts_options& options_;
  silence_file& silences_;
  std::uint64_t in_shadow_ = 0;
  std::uint64_t silenced_ = 0;
  std::uint64_t children_ = 0;
  bool headed_ = false;
  alert_table table_;
};

/// The alert log or the alert topic.
io::result<std::unique_ptr<alert_lines>> open_lines(const alerts_options& options) {
  if (options.topic.empty())
    return std::unique_ptr<alert_lines>(std::make_unique<log_lines>(options.file, options.follow));
  const auto at = make_broker(options.kafka);
  if (!at)
    return at.failure();
  auto topic = alert_topic::open(options.topic, *at, options.follow);
  if (!topic)
    return topic.failure();
  return std::unique_ptr<alert_lines>(std::move(*topic));
}

/// The next record of the log that can be read; nothing if there is none now.
io::result<std::optional<alert_record>> next_record(alert_lines& lines) {
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
io::result<void> print_stream(alert_lines& lines, const alerts_options& options, alert_printer& printer,
                              silence_file& silences, output_file& out) {
  std::optional<stop_signals> signals;
  told_once complaint;
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
    // A mistake of an editor must not end the watch: what was read before still holds.
    if (auto refreshed = silences.refresh(); !refreshed)
      complaint.tell(refreshed.failure().message);
    const timespec pause{0, follow_pause_ns};
    nanosleep(&pause, nullptr);
  }
  return {};
}

/// Every record of the log that is wanted, in its order.
template <class Wanted>
io::result<std::vector<alert_record>> read_all(alert_lines& lines, const Wanted& wanted) {
  std::vector<alert_record> records;
  for (;;) {
    auto record = next_record(lines);
    if (!record)
      return record.failure();
    if (!*record)
      return records;
    if (wanted(**record))
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
io::result<void> print_at_end(alert_lines& lines, const alerts_options& options, alert_printer& printer) {
  // The other conditions must not hide an ambiguity, nor the end of an incident that --open asks about.
  alert_filter by_id;
  by_id.id_prefix = options.filter.id_prefix;
  auto records = read_all(lines, [&](const alert_record& record) { return by_id.matches(record); });
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

/// One incident in full: its records, and those of its children.
io::result<void> print_incident(alert_lines& lines, const alerts_options& options, alert_printer& printer) {
  const auto& prefix = options.filter.id_prefix;
  const auto is_it = [&](const std::string& id) { return id.compare(0, prefix.size(), prefix) == 0; };
  auto all = read_all(lines, [&](const alert_record& record) { return is_it(record.id) || is_it(record.parent_id); });
  if (!all)
    return all.failure();
  std::vector<alert_record> records, family;
  for (auto& record : *all)
    (is_it(record.id) ? records : family).push_back(std::move(record));
  if (auto checked = check_id(records, prefix); !checked)
    return checked;
  records.erase(std::remove_if(records.begin(), records.end(),
                               [&](const alert_record& record) { return !options.filter.matches(record); }),
                records.end());
  return records.empty() ? io::result<void>() : printer.print_in_full(records, family);
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
  auto opened = open_lines(options);
  if (!opened)
    return fail(opened.failure());
  auto& lines = **opened;
  silence_file silences(options.silences.value_or(usual_silences), options.silences.has_value());
  if (auto read = silences.refresh(); !read)
    return fail(read.failure());
  alert_printer printer(*out, options, silences);
  const bool by_id = !options.filter.id_prefix.empty();
  auto done = options.follow                            ? print_stream(lines, options, printer, silences, *out)
              : by_id && !options.json && !options.open ? print_incident(lines, options, printer)
              : by_id || options.open                   ? print_at_end(lines, options, printer)
                                                        : print_stream(lines, options, printer, silences, *out);
  // What was read before an error is still worth seeing.
  if (auto closed = out->close(); done && !closed)
    done = closed;
  if (!out->reader_gone())
    printer.tell_left_out();
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
  auto* file =
      command->add_option("--file", options->file, "The alert log; - is standard input")->capture_default_str();
  auto* topic = command->add_option("--from-kafka", options->topic, "An alert topic instead")->excludes(file);
  declare_broker(*command, options->kafka, topic);
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
  command->add_flag("--children", options->children, "Also incidents that another one explains, marked └");
  command->add_option("--silences", options->silences,
                      fmt::format("What nobody is to be told now (default: {}, if there is one)", usual_silences));
  command->add_flag("--silenced", options->silenced, "Also what silences hold");
  command->footer(footer);
  command->require_subcommand(0, 1);
  add_silence(*command, context);
  command->callback([command, options, &context] {
    if (command->get_subcommands().empty())
      context.action = [options] { return alerts(*options); };
  });
}

} // namespace tocsin::tools
