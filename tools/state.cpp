#include "io/action_json.hpp"
#include "tools/command.hpp"
#include "tools/journal_file.hpp"
#include "tools/stored_state.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <iostream>
#include <memory>
#include <string>
#include <vector>

namespace tocsin::tools {

namespace {

constexpr const char* footer =
    R"(Reads the state of `tocsin run`, also while it runs: one consistent view as of the last commit.

  show    what is stored: configuration, position of each input, journal, sizes; --key: and these keys
  keys    every key with what its detectors and its open incident hold
  export  the keys as one JSON object a line; --journal: the journal, for `tocsin replay --journal`

Examples:
  tocsin state show --config views.json
  tocsin state keys --config views.json --key cdn=fastly
  tocsin state export --config views.json --journal > journal.ndjson)";

struct state_options {
  std::string config;
  std::string state;
  std::vector<std::string> filters;
  bool journal = false;
};

std::string time_or_dash(time_ms t) {
  return t <= beginning_of_time ? "-" : format_rfc3339(t);
}

/// Visits every key of the stored state.
exit_code visit_keys(const state_options& asked, const std::function<void(const key_view&)>& visit) {
  exit_code code = exit_code::ok;
  const auto opened = open_state(asked.config, asked.state, code);
  if (!opened)
    return code;
  if (opened->summary.world.fresh)
    return exit_code::ok;
  const auto shards = restore_shards(*opened);
  if (!shards)
    return fail(shards.failure());

  std::vector<key_view> views;
  for (const auto& one : *shards)
    one.for_each_key([&](const key_view& view) { views.push_back(view); });
  const auto shown_key = [](const key_view& view) {
    std::string text;
    for (const auto& d : view.key)
      text += (text.empty() ? "" : ", ") + d.dimension + "=" + d.value.value_or("(none)");
    return text;
  };
  std::sort(views.begin(), views.end(), [&](const key_view& a, const key_view& b) {
    return std::tuple(a.monitor, a.level.size(), a.level, shown_key(a)) <
           std::tuple(b.monitor, b.level.size(), b.level, shown_key(b));
  });
  for (const auto& view : views) {
    const auto matches = [&](const std::string& filter) {
      return std::any_of(view.key.begin(), view.key.end(), [&](const dimension_value& d) {
        return filter == d.dimension + "=" + d.value.value_or("(none)");
      });
    };
    if (std::all_of(asked.filters.begin(), asked.filters.end(), matches))
      visit(view);
  }
  return exit_code::ok;
}

exit_code keys(const state_options& asked) {
  return visit_keys(asked, [](const key_view& view) {
    std::string name;
    for (const auto& d : view.key)
      name += fmt::format("{}{}={}", name.empty() ? "" : ", ", d.dimension, d.value.value_or("(none)"));
    fmt::print("{}  {}  last seen {}\n", view.monitor, name.empty() ? "(everything)" : name,
               format_rfc3339(view.last_seen));
    for (const auto& [fact, value] : view.facts)
      fmt::print("    {:<32} {}\n", fact, value);
  });
}

exit_code show(const state_options& asked) {
  exit_code code = exit_code::ok;
  const auto opened = open_state(asked.config, asked.state, code);
  if (!opened)
    return code;
  const auto& [identity, world, log_bytes, records, state_bytes] = opened->summary;
  if (world.fresh) {
    fmt::print("nothing is committed yet\n");
    return exit_code::ok;
  }
  const bool same = identity.fingerprint == opened->config.world.fingerprint;
  fmt::print("fingerprint      {} ({})\n", identity.fingerprint,
             same ? "this configuration" : "another configuration than " + asked.config);
  fmt::print("monitors         {}\n", fmt::join(identity.monitors, ", "));
  fmt::print("judged through   {}\n", time_or_dash(world.judged_through));
  fmt::print("alert records    {} ({} bytes of log)\n", world.alerts, log_bytes);
  fmt::print("state records    {} ({} bytes)\n", records, state_bytes);
  fmt::print("journal entries  {}\n", world.journal.size());
  if (!world.actions.empty())
    fmt::print("operator actions {} (tocsin control list)\n", world.actions.size());
  for (const auto& point : world.partitions)
    fmt::print("partition {}      {}: restarts at offset {}, watermark {}\n", point.partition,
               identity.partitions[point.partition], point.rewind.offset, time_or_dash(point.rewind.watermark));
  return asked.filters.empty() ? exit_code::ok : keys(asked);
}

exit_code export_keys(const state_options& asked) {
  return visit_keys(asked, [](const key_view& view) {
    nlohmann::ordered_json line;
    line["monitor"] = view.monitor;
    line["level"] = view.level;
    line["key"] = nlohmann::ordered_json::object();
    for (const auto& d : view.key)
      line["key"][d.dimension] = d.value ? nlohmann::ordered_json(*d.value) : nlohmann::ordered_json(nullptr);
    line["last_seen"] = format_rfc3339(view.last_seen);
    for (const auto& [fact, value] : view.facts)
      line["facts"][fact] = value;
    fmt::print("{}\n", line.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace));
  });
}

exit_code export_journal(const state_options& asked) {
  exit_code code = exit_code::ok;
  const auto opened = open_state(asked.config, asked.state, code);
  if (!opened)
    return code;
  for (const auto& entry : opened->summary.world.journal)
    fmt::print("{}\n", journal_line(entry, opened->summary.identity.partitions[entry.partition]));
  for (const auto& action : opened->summary.world.actions)
    fmt::print("{}\n", io::to_json(action));
  return exit_code::ok;
}

CLI::App* add_action(CLI::App& parent, const char* name, const char* what,
                     const std::shared_ptr<state_options>& asked) {
  auto* action = parent.add_subcommand(name, what);
  action->add_option("--config,-c", asked->config, "The configuration of the run")->required();
  action->add_option("--state", asked->state, "The SQLite file (default: the configuration's /state/sqlite)");
  return action;
}

} // namespace

void add_state(CLI::App& app, command_context& context) {
  auto* command = app.add_subcommand("state", "Look into the durable state");
  command->footer(footer);
  command->require_subcommand(1);
  auto asked = std::make_shared<state_options>();
  auto* shown = add_action(*command, "show", "Sum up what is stored", asked);
  shown->add_option("--key", asked->filters, "Also the keys with this value, for example cdn=fastly (repeatable)");
  shown->callback([asked, &context] { context.action = [asked] { return show(*asked); }; });
  auto* listed = add_action(*command, "keys", "List the keys and what is known of them", asked);
  listed->add_option("--key", asked->filters, "Only keys with this value, for example cdn=fastly (repeatable)");
  listed->callback([asked, &context] { context.action = [asked] { return keys(*asked); }; });
  auto* exported = add_action(*command, "export", "Write the keys, or the journal, as JSON lines", asked);
  exported->add_option("--key", asked->filters, "Only keys with this value (repeatable)");
  exported->add_flag("--journal", asked->journal, "The journal instead of the keys");
  exported->callback([asked, &context] {
    context.action = [asked] { return asked->journal ? export_journal(*asked) : export_keys(*asked); };
  });
}

} // namespace tocsin::tools
