#include "tools/alert_log/silences.hpp"
#include "tools/alert_log/words.hpp"
#include "tools/command.hpp"
#include "tools/common/units.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

namespace tocsin::tools {

namespace {

constexpr const char* footer =
    R"(A silence holds what `tocsin alerts` shows and delivers of some keys for some time; a maintenance window is one that
begins later. It never touches the alert log, nor what is learned (that does `tocsin control exclude`). Silences are a
JSON file that people and tools may edit, too:

  {"silences": [{"id": "1", "monitor": "playback-failures", "key": {"cdn": "fastly"},
                 "start": "2016-05-04T12:00:00Z", "end": "2016-05-04T14:00:00Z", "author": "ada", "comment": "..."}]}

A record is held if its tick lies in [start, end), the monitor is the one named (if one is) and its key has all values.

Examples:
  tocsin alerts silence add --key cdn=fastly --for 2h --author ada --comment "they know"
  tocsin alerts silence add --start 2016-05-07T22:00:00Z --end 2016-05-08T02:00:00Z --comment "maintenance window"
  tocsin alerts silence list
  tocsin alerts silence remove 1)";

struct silence_options {
  std::string file = usual_silences;
  std::string monitor;
  std::vector<std::string> keys;
  std::string start;
  std::string end;
  std::string length;
  std::string author;
  std::string comment;
  std::string id;
};

io::error misuse(std::string message) {
  return {io::error_code::usage, std::move(message), false, true};
}

time_ms wall_clock() {
  const auto now = std::chrono::system_clock::now().time_since_epoch();
  return std::chrono::duration_cast<std::chrono::milliseconds>(now).count();
}

io::result<void> take_times(const silence_options& asked, silence& out) {
  const auto read = [](const char* option, const std::string& text, time_ms& time) -> io::result<void> {
    const auto parsed = parse_rfc3339(text);
    if (!parsed)
      return misuse(fmt::format("{}: found \"{}\", expected a time such as 2016-05-04T12:00:00Z", option, text));
    time = *parsed;
    return {};
  };
  out.start = wall_clock() / second_ms * second_ms;
  if (!asked.start.empty())
    if (auto taken = read("--start", asked.start, out.start); !taken)
      return taken;
  if (asked.end.empty() == asked.length.empty())
    return misuse("give one of --end and --for");
  if (!asked.end.empty()) {
    if (auto taken = read("--end", asked.end, out.end); !taken)
      return taken;
  } else {
    const auto length = parse_duration(asked.length);
    if (!length)
      return misuse(fmt::format("--for: found \"{}\", expected a duration such as 2h", asked.length));
    out.end = out.start + *length;
  }
  if (out.start >= out.end)
    return misuse(fmt::format("found an end ({}) that is not behind the start ({})", format_rfc3339(out.end),
                              format_rfc3339(out.start)));
  return {};
}

io::result<void> take_key(const silence_options& asked, silence& out) {
  for (const auto& pair : asked.keys) {
    const auto equals = pair.find('=');
    if (equals == 0 || equals == std::string::npos)
      return misuse(fmt::format("--key: found \"{}\", expected DIMENSION=VALUE, for example cdn=fastly", pair));
    const auto dimension = pair.substr(0, equals);
    if (std::any_of(out.key.begin(), out.key.end(), [&](const auto& one) { return one.first == dimension; }))
      return misuse(fmt::format("--key: dimension \"{}\" is named twice", dimension));
    out.key.emplace_back(dimension, pair.substr(equals + 1));
  }
  return {};
}

void print(const silence& one) {
  fmt::print("{:<4}  {} to {} UTC  {}{}\n      {}{}{}\n", printable(one.id), shown_time(one.start), shown_time(one.end),
             printable(one.monitor.empty() ? "" : one.monitor + ": "), printable(shown_values(one.key)),
             printable(one.author.empty() ? "(nobody)" : one.author), one.comment.empty() ? "" : ": ",
             printable(one.comment));
}

exit_code add(const silence_options& asked) {
  silence made;
  made.monitor = asked.monitor;
  made.author = asked.author;
  if (made.author.empty())
    if (const char* user = std::getenv("USER")) // NOLINT(concurrency-mt-unsafe): one thread, nobody sets it
      made.author = user;
  made.comment = asked.comment;
  if (auto taken = take_times(asked, made); !taken)
    return fail(taken.failure());
  if (auto taken = take_key(asked, made); !taken)
    return fail(taken.failure());
  const auto edited = edit_silences(asked.file, [&](std::vector<silence>& silences) -> io::result<void> {
    made.id = next_silence_id(silences);
    silences.push_back(made);
    return {};
  });
  if (!edited)
    return fail(edited.failure());
  print(made);
  return exit_code::ok;
}

exit_code list(const silence_options& asked) {
  if (!std::filesystem::exists(asked.file)) {
    fmt::print("no silences\n");
    return exit_code::ok;
  }
  const auto silences = load_silences(asked.file);
  if (!silences)
    return fail(silences.failure());
  for (const auto& one : *silences)
    print(one);
  if (silences->empty())
    fmt::print("no silences\n");
  return exit_code::ok;
}

exit_code remove(const silence_options& asked) {
  const auto edited = edit_silences(asked.file, [&](std::vector<silence>& silences) -> io::result<void> {
    const auto found =
        std::find_if(silences.begin(), silences.end(), [&](const silence& one) { return one.id == asked.id; });
    if (found == silences.end())
      return misuse(
          fmt::format("{}: has no silence \"{}\"; `tocsin alerts silence list` lists them", asked.file, asked.id));
    silences.erase(found);
    return {};
  });
  return edited ? exit_code::ok : fail(edited.failure());
}

} // namespace

void add_silence(CLI::App& alerts, command_context& context) {
  auto* command = alerts.add_subcommand("silence", "Hold what is told of some keys for some time");
  command->footer(footer);
  command->require_subcommand(1);
  auto asked = std::make_shared<silence_options>();
  const auto add_one = [&](const char* name, const char* what, exit_code (*run)(const silence_options&)) {
    auto* one = command->add_subcommand(name, what);
    one->add_option("--silences", asked->file, "The file")->capture_default_str();
    one->callback([asked, run, &context] { context.action = [asked, run] { return run(*asked); }; });
    return one;
  };
  auto* adding = add_one("add", "Begin a silence", add);
  adding->add_option("--monitor,-m", asked->monitor, "Only of this monitor");
  adding->add_option("--key,-k", asked->keys, "Only keys with this value, for example cdn=fastly;\nmay be repeated")
      ->expected(1)
      ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll);
  adding->add_option("--start", asked->start, "From this time on (RFC 3339; default: now)");
  adding->add_option("--end", asked->end, "Up to this time (RFC 3339)");
  adding->add_option("--for", asked->length, "So long, for example 2h");
  adding->add_option("--author", asked->author, "Who says so (default: $USER)");
  adding->add_option("--comment", asked->comment, "Why");
  add_one("list", "Print the silences", list);
  add_one("remove", "End a silence", remove)->add_option("ID", asked->id, "Its id")->required();
}

} // namespace tocsin::tools
