#include "detectors/judging/dimensions.hpp"
#include "detectors/judging/keyed_state.hpp"
#include "tools/command.hpp"
#include "tools/common/units.hpp"
#include "tools/explaining/answer.hpp"
#include "tools/explaining/chosen_key.hpp"
#include "tools/explaining/probe.hpp"
#include "tools/pipeline_setup.hpp"
#include "tools/stored_state.hpp"

#include <fmt/format.h>

#include <memory>
#include <string>
#include <vector>

namespace tocsin::tools {

namespace {

constexpr const char* footer =
    R"(For one key: what is expected, how sure that is, what the evidence is and which gates hold, how long an outage would
take to be found, and why there is an incident or why not. The key names every dimension of one level, those of the
scope included; without --key it is the whole stream.

Without --at it answers from the state of `tocsin run` (also while it runs, as of the last commit). With --at it replays
the recording up to that time, with --journal as `tocsin replay` does, and shows the last ticks of the key too.

Examples:
  tocsin explain --config views.json --key property=p7,cdn=fastly
  tocsin explain --config views.json --key property=p7 --json
  tocsin explain --config views.json --at 2016-05-04T12:05:00Z --key property=p7,country=DE views.ndjson.zst)";

struct explain_options {
  std::string config;
  std::string state;
  std::string monitor;
  std::vector<std::string> keys;
  std::string at;
  probe_options probe;
  bool json = false;
};

io::error misuse(std::string message) {
  return {io::error_code::usage, std::move(message), false, true};
}

/// The nearest key above that has state.
std::optional<key_explanation> nearest_known(const monitor_spec& monitor, std::uint32_t number, const shard& home,
                                             std::string key) {
  while (key[0] != 0) {
    key = parent_key(monitor, key);
    auto found = home.explain(number, key);
    if (found && found->known)
      return found;
  }
  return std::nullopt;
}

io::result<answer> from_state(const opened_state& opened, const chosen_key& key) {
  const auto& monitor = opened.config.world.monitors[key.monitor];
  const auto shards = restore_shards(opened);
  if (!shards)
    return shards.failure();
  const auto& home = (*shards)[shard_of(scope_of(key.bytes, monitor.scope_size))];
  auto known = home.explain(key.monitor, key.bytes);
  if (!known)
    return misuse(fmt::format("--key: the state knows nothing of {}: it had no events yet, or none for {}",
                              shown_key(name_dimensions(monitor, 0, root_key(scope_of(key.bytes, monitor.scope_size)))),
                              format_duration(monitor.expire_after)));
  answer out;
  out.about = std::move(*known);
  if (!out.about.known)
    out.ancestor = nearest_known(monitor, key.monitor, home, key.bytes);
  return out;
}

exit_code print(const io::result<answer>& found, bool json) {
  if (!found)
    return fail(found.failure());
  fmt::print("{}{}", json ? as_json(*found) : as_text(*found), json ? "\n" : "");
  return exit_code::ok;
}

exit_code explain_now(const explain_options& asked) {
  if (!asked.probe.input.paths.empty() || !asked.probe.input.journal.empty())
    return fail(misuse("an INPUT or --journal is of use with --at only: without it the answer comes from the state"));
  exit_code code = exit_code::ok;
  const auto opened = open_state(asked.config, asked.state, code);
  if (!opened)
    return code;
  const auto key = choose_key(opened->config.world, asked.monitor, asked.keys);
  if (!key)
    return fail(key.failure());
  return print(from_state(*opened, *key), asked.json);
}

exit_code explain_past(explain_options asked) {
  const auto at = parse_rfc3339(asked.at);
  if (!at)
    return fail(misuse(fmt::format("--at: found \"{}\", expected a time such as 2016-05-04T12:05:00Z", asked.at)));
  if (asked.probe.input.paths.empty())
    return fail(misuse("--at needs the recording as INPUT"));
  if (!asked.state.empty())
    return fail(misuse("--state is of use without --at only: a past time is answered from the recording"));
  const auto config = load_or_print(asked.config);
  if (!config)
    return exit_code::configuration;
  const auto key = choose_key(config->world, asked.monitor, asked.keys);
  if (!key)
    return fail(key.failure());
  asked.probe.at = *at;
  return print(probe(*config, *key, asked.probe), asked.json);
}

} // namespace

void add_explain(CLI::App& app, command_context& context) {
  auto* command = app.add_subcommand("explain", "Say why a key has an incident, or why not");
  auto asked = std::make_shared<explain_options>();
  command->add_option("--config,-c", asked->config, "The configuration")->required();
  command->add_option("INPUT", asked->probe.input.paths,
                      "With --at: files (plain, gzip or zstd), or - for standard input");
  command->add_option("--key,-k", asked->keys, "Such as cdn=fastly,country=DE (default: the whole stream)")
      ->allow_extra_args(false)
      ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll);
  command->add_option("--monitor,-m", asked->monitor, "Its monitor; may be left out if there is only one");
  command->add_option("--at", asked->at, "A past time (RFC 3339), answered by replaying INPUT");
  command->add_option("--path", asked->probe.path, "With --at: show so many ticks of the key (default: 30)")
      ->check(CLI::Range(1, 1000000));
  command->add_option("--journal", asked->probe.input.journal, "With --at: obey this journal, as `tocsin replay` does");
  command->add_flag("--sequence", asked->probe.input.sequence,
                    "With --at: the inputs follow each other as one partition");
  command->add_option("--state", asked->state, "The SQLite file (default: the configuration's /state/sqlite)");
  command->add_flag("--json", asked->json, "The same as one JSON object");
  command->footer(footer);
  command->callback([asked, &context] {
    context.action = [asked] { return asked->at.empty() ? explain_now(*asked) : explain_past(*asked); };
  });
}

} // namespace tocsin::tools
