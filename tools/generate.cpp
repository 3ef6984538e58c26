#include "tools/command.hpp"
#include "tools/common/output_file.hpp"
#include "tools/common/units.hpp"
#include "tools/generator/stream_generator.hpp"
#include "tools/generator/stream_writer.hpp"
#include "tools/generator/truth.hpp"
#include "tools/topics/generated_topic.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <fstream>
#include <memory>
#include <optional>
#include <sstream>
#include <string>
#include <vector>

namespace tocsin::tools {

namespace {

using namespace generator;

constexpr const char* footer = R"(A view looks like
  {"ts":1704067200123,"view_id":"1","viewer_id":"v123","property":"p1","cdn":"fastly","country":"DE","player":"web",
   "title":"t17","severity":"fatal","error_code":"HLS_404"}
with null for severity and error_code where it worked, and severity "warning" where it worked in spite of an error.
The volume and the failure rate have a daily and a weekly season, slow noise and over-dispersion; a viewer whose view
failed may try again. The same options give the same bytes.

Scenarios:
  video    one day at 10 views a second: 4 properties, 500 titles, three incidents (a CDN, a CDN in a country, a title)
  quiet    the same without incidents
  sparse   28 days: 500 titles of 20 views a day, two of them break
  flood    one hour at 2000 views a second: two million titles, more than a monitor has room for
  fleet    14 days: 800 properties of 300 to 2000 views a day, ten of them fail four times as often for three days

Examples:
  tocsin generate --duration 6h --out views.ndjson --truth truth.json
  tocsin generate --scenario quiet --incident "start=2h,for=30m,where=cdn:fastly;country:DE,rate=0.3" --out -
  tocsin generate --events 5000000 --rate 500 --disorder 3s --late-fraction 0.01 --late-by 1m --partitions 4 --out v
  tocsin generate --format csv --aggregate 10s --out counts.csv
  tocsin generate --to-kafka views --bootstrap localhost:9092 --create --partitions 12 --key-by property)";

/// The options as they were given.
struct generate_options {
  std::string scenario = "video";
  std::string profile_file;
  std::uint64_t seed = 1;
  std::optional<std::uint64_t> events;
  std::string duration;
  std::string start;
  std::optional<double> rate;
  std::vector<std::string> incidents;
  std::optional<double> late_fraction;
  std::string late_by;
  std::string disorder;
  std::string aggregate;
  std::string format = "ndjson";
  std::string truth_file;
  bool quiet = false;
  std::string out = "-";
  std::optional<std::uint32_t> partitions;
  std::string topic;
  broker_options kafka;
  std::vector<std::string> key_by;
  bool create = false;
};

io::error misuse(const std::string& message) {
  return {io::error_code::usage, message, false, true};
}

/// Parses `text` into `target`, unless it was not given.
template <class T, class Parse>
io::result<void> take(const char* option, const std::string& text, Parse parse, const char* expected, T& target) {
  if (text.empty())
    return {};
  const auto value = parse(text);
  if (!value)
    return misuse(fmt::format("{}: found \"{}\", expected {}", option, text, expected));
  target = *value;
  return {};
}

template <class T>
io::result<void> take_duration(const char* option, const std::string& text, T& target) {
  return take(option, text, parse_duration, "a duration such as 90s, 30m, 6h or 7d", target);
}

io::result<std::string> read_file(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  std::ostringstream text;
  if (!in || !(text << in.rdbuf()))
    return io::error{io::error_code::configuration, path + ": cannot be read", false, true};
  return text.str();
}

/// The scenario or the profile file, then what the command line changes.
io::result<stream_profile> make_profile(const generate_options& options) {
  std::optional<time_ms> length;
  if (auto taken = take_duration("--duration", options.duration, length); !taken)
    return taken.failure();
  // With a number of events alone, the scenario's incidents should still lie within them.
  if (!length && options.events && options.profile_file.empty()) {
    const auto rate = options.rate.value_or(scenario(options.scenario).rate);
    length = static_cast<time_ms>(static_cast<double>(*options.events) / rate * 1000) + 1;
  }
  auto profile = scenario(options.profile_file.empty() ? options.scenario : "quiet", length, options.rate);
  if (!options.profile_file.empty()) {
    const auto text = read_file(options.profile_file);
    if (!text)
      return text.failure();
    profile.name = options.profile_file;
    if (auto applied = apply_json(*text, options.profile_file, profile); !applied)
      return applied.failure();
    profile.length = length.value_or(profile.length);
    profile.rate = options.rate.value_or(profile.rate);
  }
  for (const auto& text : options.incidents) {
    auto incident = parse_incident(text);
    if (!incident)
      return incident.failure();
    profile.incidents.push_back(*incident);
  }
  if (auto taken = take("--start", options.start, parse_rfc3339, "a time such as 2024-01-01T00:00:00Z", profile.start);
      !taken)
    return taken.failure();
  if (auto taken = take_duration("--late-by", options.late_by, profile.late_by); !taken)
    return taken.failure();
  if (auto taken = take_duration("--disorder", options.disorder, profile.disorder); !taken)
    return taken.failure();
  profile.late_fraction = options.late_fraction.value_or(profile.late_fraction);
  return profile;
}

io::result<stream_format> make_format(const generate_options& options, const stream_profile& profile) {
  stream_format format;
  format.format = options.format == "csv" ? event_format::csv : event_format::ndjson;
  if (auto taken = take_duration("--aggregate", options.aggregate, format.aggregate); !taken)
    return taken.failure();
  if (format.aggregate > 0 && (profile.disorder > 0 || profile.late_fraction > 0))
    return misuse("--aggregate: counts are complete; leave out --disorder and --late-fraction");
  if (format.format == event_format::csv && !options.topic.empty())
    return misuse("--format: a topic has no place for the header of csv; its messages are JSON");
  return format;
}

io::result<std::vector<dimension>> parse_dimensions(const std::vector<std::string>& names) {
  std::vector<dimension> found;
  for (const auto& name : names) {
    const auto known = std::find(dimension_names.begin(), dimension_names.end(), name);
    if (known == dimension_names.end())
      return misuse(fmt::format("--key-by: found \"{}\", expected {}", name, fmt::join(dimension_names, ", ")));
    found.push_back(static_cast<dimension>(known - dimension_names.begin()));
  }
  return found;
}

io::result<std::unique_ptr<line_sink>> open_sink(const generate_options& options, const stream_profile& profile,
                                                 const std::string& header) {
  if (options.topic.empty()) {
    const auto partitions = options.partitions.value_or(1);
    if (partitions > 1 && options.out == "-")
      return misuse("--partitions: several partitions need files, give --out FILE");
    return open_line_files(options.out, partitions, header);
  }
  auto key_by = parse_dimensions(options.key_by);
  if (!key_by)
    return key_by.failure();
  const auto at = make_broker(options.kafka);
  if (!at)
    return at.failure();
  return open_generated_topic({options.topic, std::move(*key_by), options.create, options.partitions}, *at, profile);
}

/// With a number of events, time goes on until they are there.
void unbind_length(stream_profile& profile, const generate_options& options) {
  if (options.events && options.duration.empty())
    profile.length = 100 * 366 * day_ms;
}

io::result<void> write_stream(stream_generator& stream, std::uint64_t most, stream_writer& lines, truth& known) {
  std::vector<generated_event> views;
  while (known.events() < most && stream.next(views))
    for (const auto& view : views) {
      if (known.events() == most)
        break;
      known.observe(view);
      if (auto written = lines.write(view); !written)
        return written;
    }
  return lines.close();
}

io::result<void> write_truth(const std::string& path, const std::string& text) {
  auto file = output_file::open(path);
  if (!file)
    return file.failure();
  if (auto written = file->write(text); !written)
    return written;
  return file->close();
}

io::result<void> generate(const generate_options& options) {
  auto profile = make_profile(options);
  if (!profile)
    return profile.failure();
  const auto format = make_format(options, *profile);
  if (!format)
    return format.failure();
  if (auto valid = validate(*profile); !valid)
    return options.profile_file.empty() ? misuse(valid.failure().message) : valid.failure();
  unbind_length(*profile, options);

  stream_generator stream(*profile, options.seed);
  truth known(*profile);
  stream_writer lines(*format, stream);
  auto sink = open_sink(options, *profile, lines.header());
  if (!sink)
    return sink.failure();
  lines.write_to(std::move(*sink));
  if (auto written = write_stream(stream, options.events.value_or(~std::uint64_t{0}), lines, known); !written)
    return written;
  if (!options.truth_file.empty())
    if (auto written = write_truth(options.truth_file, known.to_json(options.seed)); !written)
      return written;
  if (!options.quiet)
    fmt::print(stderr, "{} views, {} failures\n", known.events(), known.failures());
  return {};
}

void declare_shape(CLI::App& command, generate_options& options) {
  auto* scenario = command.add_option("--scenario", options.scenario, "What the stream is like, see below")
                       ->check(CLI::IsMember(std::vector<std::string>(scenario_names.begin(), scenario_names.end())))
                       ->capture_default_str();
  command.add_option("--profile", options.profile_file, "A profile of your own instead (JSON)")->excludes(scenario);
  command.add_option("--seed", options.seed, "Another seed, another stream")->capture_default_str();
  command.add_option("--events", options.events, "End after so many views");
  command.add_option("--duration", options.duration, "End after so long, for example 7d");
  command.add_option("--start", options.start, "Time of the beginning (RFC 3339; default 2024-01-01)");
  command.add_option("--rate", options.rate, "Views a second, mean over a week");
  command.add_option("--incident", options.incidents,
                     "Plant an incident, for example\n\"start=2h,for=30m,where=cdn:fastly;country:DE,rate=0.3\"\n(or "
                     "times=4 for four times as often; error=CODE);\nmay be repeated");
  command.add_option("--disorder", options.disorder, "Views arrive up to so long after their time");
  command.add_option("--late-fraction", options.late_fraction, "This part of the views arrives late ...");
  command.add_option("--late-by", options.late_by, "... by half of this, up to this");
}

void declare_output(CLI::App& command, generate_options& options) {
  auto* out = command.add_option("--out", options.out, "Where to; - is standard output")->capture_default_str();
  command.add_option("--truth", options.truth_file, "Write what is true about the stream (JSON)");
  command.add_option("--partitions", options.partitions, "Write OUT.0, OUT.1 ...; a viewer stays in one")
      ->check(CLI::Range(1U, 256U));
  command.add_option("--format", options.format, "ndjson or csv")
      ->check(CLI::IsMember({"ndjson", "csv"}))
      ->capture_default_str();
  command.add_option("--aggregate", options.aggregate, "Write counts (n, bad) over so long instead of views");
  command.add_flag("--quiet", options.quiet, "Do not sum up on standard error");
  auto* topic = command.add_option("--to-kafka", options.topic, "Write to this topic, a message a line")->excludes(out);
  declare_broker(command, options.kafka, topic);
  command.add_option("--key-by", options.key_by, "Keys of the messages: these dimensions, separated by commas")
      ->delimiter(',')
      ->needs(topic);
  command.add_flag("--create", options.create, "Make the topic, with --partitions")->needs(topic);
}

} // namespace

void add_generate(CLI::App& app, command_context& context) {
  auto* command = app.add_subcommand("generate", "Make a stream of views with known truth");
  auto options = std::make_shared<generate_options>();
  declare_shape(*command, *options);
  declare_output(*command, *options);
  command->footer(footer);
  command->callback([options, &context] {
    context.action = [options] {
      const auto done = generate(*options);
      return done ? exit_code::ok : fail(done.failure());
    };
  });
}

} // namespace tocsin::tools
