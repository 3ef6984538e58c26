#include "io/action_json.hpp"
#include "io/kafka/topic_admin.hpp"
#include "io/kafka/topic_reader.hpp"
#include "tools/command.hpp"
#include "tools/common/units.hpp"
#include "tools/journal_file.hpp"
#include "tools/progress_bar.hpp"
#include "tools/replaying/recording_folder.hpp"
#include "tools/stop_signals.hpp"
#include "tools/topics/broker_options.hpp"
#include "tools/topics/topic_recorder.hpp"

#include <fmt/format.h>

#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace tocsin::tools {

namespace {

using io::kafka::offset_span;
using io::kafka::range_bound;

constexpr const char* footer =
    R"(Reads all partitions of a topic, committed messages only, and stores nothing in Kafka. FROM and TO are offsets, the
same for every partition, or times of messages (RFC 3339); TO is before what it names. The recording is a folder: one
compressed file of lines for each partition, and manifest.json, which says what is in it. It appears when it is complete;
an interrupted or failed recording leaves nothing. The same topic, range and journal give the same lines.

Examples:
  tocsin record views --bootstrap localhost:9092 --out monday
  tocsin record views --kafka-config kafka.json --from 2026-01-12T00:00:00Z --to 2026-01-13T00:00:00Z --out monday
  tocsin record views --bootstrap localhost:9092 --journal journal.ndjson --out monday
  tocsin replay --config views.json monday)";

struct record_options {
  std::string topic;
  std::string out;
  std::string from;
  std::string to;
  std::string journal;
  bool quiet = false;
  broker_options kafka;
};

io::result<range_bound> bound_of(const char* option, const std::string& text, range_bound::kind otherwise) {
  if (text.empty())
    return range_bound{otherwise, 0};
  const auto bound = parse_bound(text);
  if (!bound)
    return io::error{
        io::error_code::usage,
        fmt::format("{}: found \"{}\", expected an offset, or a time such as 2026-01-12T00:00:00Z", option, text),
        false, true};
  return *bound;
}

/// The range on each partition. Says what is wanted and not there any more.
io::result<std::vector<offset_span>> spans_of(const record_options& options, const broker& at) {
  const auto from = bound_of("--from", options.from, range_bound::kind::first);
  if (!from)
    return from.failure();
  const auto to = bound_of("--to", options.to, range_bound::kind::last);
  if (!to)
    return to.failure();
  auto admin = io::kafka::open_admin(at.client, io::error_code::source, at.log);
  if (!admin)
    return admin.failure();
  const auto partitions = io::kafka::partitions_of(**admin, options.topic, at.patience);
  if (!partitions)
    return partitions.failure();
  const auto present = io::kafka::present_spans(**admin, options.topic, *partitions, at.patience);
  if (!present)
    return present.failure();
  auto spans = io::kafka::spans_of_range(**admin, options.topic, *present, *from, *to, at.patience);
  for (std::size_t p = 0; spans && p < spans->size(); ++p)
    if (from->is == range_bound::kind::offset && from->value < (*present)[p].begin)
      print_error(fmt::format("partition {} begins at offset {}: what was before is deleted", p, (*present)[p].begin));
  return spans;
}

io::result<journal> journal_of(const record_options& options, std::size_t partitions) {
  if (options.journal.empty())
    return journal();
  return read_journal(options.journal, partitions);
}

/// One recording on its way.
class recording_job {
public:
  static io::result<recording_job> begin(const record_options& options, const broker& at,
                                         const std::vector<offset_span>& spans);
  /// Until everything is there. Error: also an interruption.
  io::result<void> run(progress_bar& bar);
  /// Gives the recording its name.
  io::result<void> finish();
  std::string summary(double seconds) const;

private:
  recording_job(growing_folder folder, journal facts, std::string topic)
      : folder_(std::move(folder)), facts_(std::move(facts)), topic_(std::move(topic)) {}
  void show(progress_bar& bar) const;
  std::string journal_text() const;

  growing_folder folder_;
  journal facts_;
  std::string topic_;
  std::vector<partition_recorder> parts_;
  std::unique_ptr<io::kafka::topic_reader> reader_;
};

io::result<recording_job> recording_job::begin(const record_options& options, const broker& at,
                                               const std::vector<offset_span>& spans) {
  auto facts = journal_of(options, spans.size());
  if (!facts)
    return facts.failure();
  auto folder = growing_folder::create(options.out);
  if (!folder)
    return folder.failure();
  recording_job job(std::move(*folder), std::move(*facts), options.topic);
  io::kafka::topic_reader_options reading;
  reading.client = at.client;
  reading.topic = options.topic;
  reading.patience = at.patience;
  reading.log = at.log;
  for (std::size_t p = 0; p < spans.size(); ++p) {
    recorded_partition range;
    range.partition = static_cast<std::int32_t>(p);
    range.file = fmt::format("partition-{:04}.ndjson.zst", p);
    range.begin = spans[p].begin;
    range.end = spans[p].end;
    reading.parts.push_back({range.partition, range.begin, range.end});
    auto file = compressed_file::open(job.folder_ / range.file);
    if (!file)
      return file.failure();
    std::vector<journal_entry> entries;
    for (const auto& entry : job.facts_.entries)
      if (entry.partition == p)
        entries.push_back(entry);
    job.parts_.emplace_back(std::move(*file), std::move(range), std::move(entries));
  }
  auto reader = io::kafka::topic_reader::open(std::move(reading));
  if (!reader)
    return reader.failure();
  job.reader_ = std::move(*reader);
  return job;
}

void recording_job::show(progress_bar& bar) const {
  double wanted = 0;
  double read = 0;
  std::uint64_t bytes = 0;
  for (std::size_t p = 0; p < parts_.size(); ++p) {
    const auto& range = parts_[p].recorded();
    wanted += static_cast<double>(range.end - range.begin);
    read += static_cast<double>(std::min(reader_->next_offset(p), range.end) - range.begin);
    bytes += parts_[p].size();
  }
  bar.show(wanted > 0 ? read / wanted : 1, fmt::format("{:.0f} messages  {}", read, text_of_bytes(bytes)));
}

io::result<void> recording_job::run(progress_bar& bar) {
  constexpr std::size_t batch = 5000;
  constexpr std::chrono::milliseconds moment{20};
  const stop_signals signals;
  std::size_t left = parts_.size();
  std::vector<bool> ended(parts_.size(), false);
  for (auto shown = std::chrono::steady_clock::now(); left > 0;) {
    bool idle = true;
    for (std::size_t p = 0; p < parts_.size(); ++p) {
      if (ended[p])
        continue;
      const auto wait = idle && p + 1 == parts_.size() ? moment : std::chrono::milliseconds(0);
      const auto outcome = reader_->read(p, batch, left == 1 ? moment : wait,
                                         [&](const io::kafka::message_view& one) { return parts_[p].take(one); });
      if (!outcome)
        return outcome.failure();
      ended[p] = *outcome == io::read_outcome::ended;
      left -= ended[p] ? 1U : 0U;
      idle = idle && *outcome == io::read_outcome::idle;
    }
    if (signals.received())
      return io::error{io::error_code::source, "interrupted; nothing is kept", false, true};
    if (const auto now = std::chrono::steady_clock::now(); now - shown > std::chrono::milliseconds(100)) {
      show(bar);
      shown = now;
    }
  }
  return {};
}

std::string recording_job::journal_text() const {
  std::string text;
  for (const auto& part : parts_)
    for (const auto& entry : part.journal())
      text += journal_line(entry, part.recorded().file) + "\n";
  for (const auto& action : facts_.actions)
    text += io::to_json(action) + "\n";
  return text;
}

io::result<void> recording_job::finish() {
  recording_manifest manifest;
  manifest.topic = topic_;
  for (auto& part : parts_) {
    if (auto closed = part.close(); !closed)
      return closed;
    manifest.partitions.push_back(part.recorded());
  }
  if (const auto text = journal_text(); !text.empty()) {
    manifest.journal = true;
    if (auto written = folder_.write(journal_file, text); !written)
      return written;
  }
  if (auto written = folder_.write(manifest_file, to_json(manifest)); !written)
    return written;
  return folder_.finish();
}

std::string recording_job::summary(double seconds) const {
  recorded_partition all;
  for (const auto& part : parts_) {
    all.messages += part.recorded().messages;
    all.empty += part.recorded().empty;
    all.tombstones += part.recorded().tombstones;
    all.bytes += part.recorded().bytes;
  }
  std::string table;
  const auto row = [&](const char* name, const std::string& value) { table += fmt::format("{:<22}{}\n", name, value); };
  row("partitions", std::to_string(parts_.size()));
  row("messages", fmt::format("{} ({:.2f} M/s)", grouped(all.messages),
                              static_cast<double>(all.messages) / std::max(1e-3, seconds) / 1e6));
  row("lines", text_of_bytes(all.bytes));
  if (all.empty > 0)
    row("empty messages", grouped(all.empty));
  if (all.tombstones > 0)
    row("tombstones", grouped(all.tombstones));
  row("time", fmt::format("{:.2f} s", seconds));
  return table;
}

io::result<void> record(const record_options& options) {
  const auto at = make_broker(options.kafka);
  if (!at)
    return at.failure();
  const auto start = std::chrono::steady_clock::now();
  const auto spans = spans_of(options, *at);
  if (!spans)
    return spans.failure();
  auto job = recording_job::begin(options, *at, *spans);
  if (!job)
    return job.failure();
  progress_bar bar(options.quiet);
  const auto done = job->run(bar);
  bar.clear();
  if (!done)
    return done;
  if (auto finished = job->finish(); !finished)
    return finished;
  const std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - start;
  if (!options.quiet)
    fmt::print(stderr, "{}", job->summary(seconds.count()));
  return {};
}

} // namespace

void add_record(CLI::App& app, command_context& context) {
  auto* command = app.add_subcommand("record", "Write a Kafka topic to a recording that can be replayed");
  auto options = std::make_shared<record_options>();
  command->add_option("TOPIC", options->topic, "The topic")->required();
  command->add_option("--out,-o", options->out, "The folder to make")->required();
  command->add_option("--from", options->from, "From this offset or time (default: what is there)");
  command->add_option("--to", options->to, "To before this offset or time (default: the present end)");
  command->add_option("--journal", options->journal,
                      "What the daemon decided on this topic, to travel with the\nrecording (`tocsin state export "
                      "--journal`)");
  declare_broker(*command, options->kafka, nullptr);
  command->add_flag("--quiet,-q", options->quiet, "No progress bar and no summary");
  command->footer(footer);
  command->callback([options, &context] {
    context.action = [options] {
      const auto done = record(*options);
      return done ? exit_code::ok : fail(done.failure());
    };
  });
}

} // namespace tocsin::tools
