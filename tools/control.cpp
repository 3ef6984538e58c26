#include "io/action_json.hpp"
#include "tools/command.hpp"
#include "tools/common/units.hpp"
#include "tools/explaining/chosen_key.hpp"
#include "tools/journal_file.hpp"
#include "tools/pipeline_setup.hpp"
#include "tools/stored_state.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <cstdlib>
#include <memory>
#include <string>
#include <variant>
#include <vector>

namespace tocsin::tools {

namespace {

constexpr const char* footer =
    R"(What an operator knows and the records do not say. Actions are entries of the journal: they are committed with their
first effect, survive every crash, and replay with the data.

  exclude  take a range of time out of learning. Verdicts go on. --key: only keys with these values, narrower ones
           too; without it, everything of the monitor
  accept   the rate of an open incident is the new normal: the incident closes with a record of kind "rebase", and the
           present rate becomes the baseline at once
  list     actions that are pending and those in the journal

An action waits in the state until the running `tocsin run` takes it over with its next commit, or until the next start.
An exclusion of what has passed leaves out what is not learned yet (the present hour and the one before); to leave out
all of it, replay with the exported journal and --hindsight. With --journal the action goes to that file instead, for
`tocsin replay --journal`.

Examples:
  tocsin control exclude --config views.json --from 2016-05-04T02:00:00Z --to 2016-05-04T04:00:00Z \
      --author ada --comment "load test"
  tocsin control exclude --config views.json --key cdn=fastly --from ... --to ... --journal facts.ndjson
  tocsin control accept --config views.json --key cdn=fastly --author ada --comment "new player counts retries"
  tocsin control accept --config views.json --incident b7e1
  tocsin control list --config views.json)";

struct control_options {
  std::string config;
  std::string state;
  std::string journal;
  std::string monitor;
  std::vector<std::string> keys;
  std::string incident;
  std::string from;
  std::string to;
  std::string at;
  std::string author;
  std::string comment;
  bool json = false;
};

io::error misuse(std::string message) {
  return {io::error_code::usage, std::move(message), false, true};
}

io::result<time_ms> read_time(const char* option, const std::string& text) {
  const auto time = parse_rfc3339(text);
  if (!time)
    return misuse(fmt::format("{}: found \"{}\", expected a time such as 2016-05-04T12:00:00Z", option, text));
  return *time;
}

std::string author_of(const control_options& asked) {
  if (!asked.author.empty())
    return asked.author;
  const char* user = std::getenv("USER"); // NOLINT(concurrency-mt-unsafe): one thread, nobody sets it
  return user == nullptr ? "" : user;
}

std::string shown_key(const dimension_values& key) {
  std::string text;
  for (const auto& [dimension, value] : key)
    text += (text.empty() ? "" : ", ") + dimension + "=" + value;
  return text.empty() ? "everything" : text;
}

/// The action, with the monitor and the author that every action has.
io::result<operator_action> begin_action(const control_options& asked, const world_spec& world, action_kind kind) {
  const auto monitor = choose_monitor(world, asked.monitor);
  if (!monitor)
    return monitor.failure();
  operator_action action;
  action.kind = kind;
  action.monitor = world.monitors[*monitor].name;
  action.author = author_of(asked);
  action.comment = asked.comment;
  auto key = choose_values(world.monitors[*monitor], asked.keys);
  if (!key)
    return key.failure();
  action.key = std::move(*key);
  return action;
}

io::result<operator_action> exclusion(const control_options& asked, const world_spec& world) {
  auto action = begin_action(asked, world, action_kind::exclude);
  if (!action)
    return action;
  const auto from = read_time("--from", asked.from);
  if (!from)
    return from.failure();
  const auto to = read_time("--to", asked.to);
  if (!to)
    return to.failure();
  if (*from >= *to)
    return misuse(
        fmt::format("--to: found {}, expected a time behind --from ({})", format_rfc3339(*to), format_rfc3339(*from)));
  action->from = *from;
  action->to = *to;
  return action;
}

/// Hands the action to whoever runs on the state.
exit_code ask(const opened_state& opened, const control_options& asked, const operator_action& action) {
  const auto path = asked.state.empty() ? opened.config.state_sqlite : asked.state;
  if (auto done = io::sqlite_state_store::ask(path, action); !done)
    return fail(done.failure());
  fmt::print("asked for: {}\n", io::to_json(action));
  return exit_code::ok;
}

exit_code append(const control_options& asked, const operator_action& action) {
  if (auto done = append_action(asked.journal, action); !done)
    return fail(done.failure());
  fmt::print("added to {}: {}\n", asked.journal, io::to_json(action));
  return exit_code::ok;
}

exit_code exclude(const control_options& asked) {
  if (!asked.journal.empty()) {
    const auto config = load_or_print(asked.config);
    if (!config)
      return exit_code::configuration;
    const auto action = exclusion(asked, config->world);
    return action ? append(asked, *action) : fail(action.failure());
  }
  exit_code code = exit_code::ok;
  const auto opened = open_state(asked.config, asked.state, code);
  if (!opened)
    return code;
  const auto action = exclusion(asked, opened->config.world);
  if (!action)
    return fail(action.failure());
  const auto judged = opened->summary.world.judged_through;
  if (action->from < judged)
    print_error(fmt::format("note: up to {} is judged already; of that, what is learned stays learned "
                            "(`tocsin replay --hindsight` leaves all of it out)",
                            format_rfc3339(judged)));
  return ask(*opened, asked, *action);
}

/// A detector whose limit is the user's own has nothing to take a new normal into.
bool can_accept(const detector_spec& detector) {
  return std::holds_alternative<sr_mixture_spec>(detector.settings) ||
         std::holds_alternative<volume_drop_spec>(detector.settings) ||
         std::holds_alternative<z_score_spec>(detector.settings);
}

struct open_incident {
  std::string id;
  std::string monitor;
  std::string detector;
  dimension_values key;
};

io::result<std::vector<open_incident>> open_incidents(const opened_state& opened) {
  const auto shards = restore_shards(opened);
  if (!shards)
    return shards.failure();
  std::vector<open_incident> out;
  for (const auto& one : *shards)
    one.for_each_key([&](const key_view& view) {
      for (const auto& [detector, id] : view.open) {
        open_incident found{id, view.monitor, detector, {}};
        for (const auto& d : view.key)
          found.key.emplace_back(d.dimension, d.value.value_or("(none)"));
        out.push_back(std::move(found));
      }
    });
  return out;
}

/// The incidents that are meant: by the beginning of an id, or by monitor and key.
io::result<std::vector<open_incident>> meant(const opened_state& opened, const control_options& asked,
                                             const operator_action& action) {
  auto all = open_incidents(opened);
  if (!all)
    return all;
  std::vector<open_incident> out;
  for (auto& one : *all) {
    const bool by_id = !asked.incident.empty() && one.id.compare(0, asked.incident.size(), asked.incident) == 0;
    const bool by_key = asked.incident.empty() && one.monitor == action.monitor &&
                        std::is_permutation(one.key.begin(), one.key.end(), action.key.begin(), action.key.end());
    if (by_id || by_key)
      out.push_back(std::move(one));
  }
  const auto when = opened.summary.world.fresh ? std::string("nothing is committed yet")
                                               : "as of " + format_rfc3339(opened.summary.world.judged_through);
  if (out.empty() && asked.incident.empty())
    return misuse(
        fmt::format("no incident of {} is open in monitor {} ({})", shown_key(action.key), action.monitor, when));
  if (out.empty())
    return misuse(
        fmt::format("--incident: no open incident has an id that begins with \"{}\" ({})", asked.incident, when));
  if (!asked.incident.empty() && out.size() > 1)
    return misuse(fmt::format("--incident: \"{}\" is the beginning of several ids, for example {} and {}",
                              asked.incident, out[0].id, out[1].id));
  return out;
}

io::result<void> check_acceptable(const world_spec& world, const std::vector<open_incident>& incidents) {
  for (const auto& one : incidents)
    for (const auto& monitor : world.monitors)
      for (const auto& detector : monitor.detectors)
        if (monitor.name == one.monitor && detector.name == one.detector && can_accept(detector))
          return {};
  return misuse(
      fmt::format("incident {} is of detector {}, which has no baseline of its own to move: change its limits "
                  "in the configuration",
                  incidents.front().id, incidents.front().detector));
}

/// `--at` and, without an incident's id, the exact key.
io::result<operator_action> acceptance(const control_options& asked, const world_spec& world) {
  if (!asked.incident.empty() && !asked.keys.empty())
    return misuse("--incident and --key: give one of them");
  auto action = begin_action(asked, world, action_kind::accept);
  if (!action)
    return action;
  if (asked.incident.empty())
    if (const auto exact = choose_key(world, asked.monitor, asked.keys); !exact)
      return exact.failure();
  if (!asked.at.empty()) {
    const auto at = read_time("--at", asked.at);
    if (!at)
      return at.failure();
    action->in_force = *at;
  }
  return action;
}

exit_code accept(const control_options& asked) {
  if (!asked.journal.empty()) {
    const auto config = load_or_print(asked.config);
    if (!config)
      return exit_code::configuration;
    if (asked.at.empty())
      return fail(misuse("--at is needed with --journal: there is no present"));
    auto action = acceptance(asked, config->world);
    if (!action)
      return fail(action.failure());
    action->incident = asked.incident;
    return append(asked, *action);
  }
  exit_code code = exit_code::ok;
  const auto opened = open_state(asked.config, asked.state, code);
  if (!opened)
    return code;
  auto lenient = asked;
  if (!asked.incident.empty() && asked.monitor.empty())
    lenient.monitor = opened->config.world.monitors.front().name; // the incident names it
  auto action = acceptance(lenient, opened->config.world);
  if (!action)
    return fail(action.failure());
  // A time to come may meet an incident that is not open yet.
  if (asked.incident.empty() && action->in_force > opened->summary.world.judged_through)
    return ask(*opened, asked, *action);
  const auto incidents = meant(*opened, asked, *action);
  if (!incidents)
    return fail(incidents.failure());
  if (auto checked = check_acceptable(opened->config.world, *incidents); !checked)
    return fail(checked.failure());
  action->monitor = incidents->front().monitor;
  action->key = incidents->front().key;
  if (!asked.incident.empty())
    action->incident = incidents->front().id;
  return ask(*opened, asked, *action);
}

// ---- list

std::string state_of(const operator_action& action, bool pending) {
  if (pending)
    return "pending";
  return action.in_force <= beginning_of_time ? "from the beginning" : "since " + format_rfc3339(action.in_force);
}

void print(const operator_action& action, bool pending, bool json) {
  if (json) {
    auto line = nlohmann::ordered_json::parse(io::to_json(action));
    line["pending"] = pending;
    fmt::print("{}\n", line.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace));
    return;
  }
  const auto what = action.kind == action_kind::exclude
                        ? fmt::format("{} to {}", format_rfc3339(action.from), format_rfc3339(action.to))
                        : action.incident;
  fmt::print("{:<30}  {:<7}  {}: {}{}{}\n{:30}  {}{}{}\n", state_of(action, pending), name_of(action.kind),
             action.monitor, shown_key(action.key), what.empty() ? "" : "  ", what, "",
             action.author.empty() ? "(nobody)" : action.author, action.comment.empty() ? "" : ": ", action.comment);
}

exit_code list(const control_options& asked) {
  std::vector<operator_action> taken;
  std::vector<action_request> pending;
  if (!asked.journal.empty()) {
    auto read = read_actions(asked.journal);
    if (!read)
      return fail(read.failure());
    taken = std::move(*read);
  } else {
    exit_code code = exit_code::ok;
    const auto opened = open_state(asked.config, asked.state, code);
    if (!opened)
      return code;
    auto waiting = opened->store->requests();
    if (!waiting)
      return fail(waiting.failure());
    pending = std::move(*waiting);
    taken = opened->summary.world.actions;
  }
  for (const auto& action : taken)
    print(action, false, asked.json);
  for (const auto& one : pending)
    print(one.what, true, asked.json);
  if (taken.empty() && pending.empty() && !asked.json)
    fmt::print("no actions\n");
  return exit_code::ok;
}

// ---- the command line

CLI::App* add_one(CLI::App& parent, const char* name, const char* what, const std::shared_ptr<control_options>& asked) {
  auto* command = parent.add_subcommand(name, what);
  command->add_option("--config,-c", asked->config, "The configuration of the run")->required();
  auto* state = command->add_option("--state", asked->state, "The SQLite file (default: the configuration's)");
  command->add_option("--journal", asked->journal, "A journal file, instead of the state")->excludes(state);
  return command;
}

void add_action_options(CLI::App& command, const std::shared_ptr<control_options>& asked) {
  command.add_option("--monitor,-m", asked->monitor, "Its monitor; may be left out if there is only one");
  command.add_option("--key,-k", asked->keys, "Such as cdn=fastly,country=DE; may be repeated")
      ->allow_extra_args(false)
      ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll);
  command.add_option("--author", asked->author, "Who says so (default: $USER)");
  command.add_option("--comment", asked->comment, "Why");
}

} // namespace

void add_control(CLI::App& app, command_context& context) {
  auto* command = app.add_subcommand("control", "Tell the engine what the records do not say");
  command->footer(footer);
  command->require_subcommand(1);
  auto asked = std::make_shared<control_options>();

  auto* excluding = add_one(*command, "exclude", "Take a range of time out of learning", asked);
  add_action_options(*excluding, asked);
  excluding->add_option("--from", asked->from, "Its beginning (RFC 3339)")->required();
  excluding->add_option("--to", asked->to, "Its end (RFC 3339)")->required();
  excluding->callback([asked, &context] { context.action = [asked] { return exclude(*asked); }; });

  auto* accepting = add_one(*command, "accept", "Take the rate of an open incident for the new normal", asked);
  add_action_options(*accepting, asked);
  accepting->add_option("--incident", asked->incident, "The incident, by its id or the beginning of it");
  accepting->add_option("--at", asked->at, "Not now, but at this time (RFC 3339)");
  accepting->callback([asked, &context] { context.action = [asked] { return accept(*asked); }; });

  auto* listing = add_one(*command, "list", "Actions that are pending, and those in the journal", asked);
  listing->add_flag("--json", asked->json, "One JSON object a line");
  listing->callback([asked, &context] { context.action = [asked] { return list(*asked); }; });
}

} // namespace tocsin::tools
