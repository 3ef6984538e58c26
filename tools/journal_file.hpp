#pragma once

#include "detectors/values/journal.hpp"
#include "detectors/values/monitor_spec.hpp"
#include "detectors/values/operator_action.hpp"
#include "io/result.hpp"

#include <string>
#include <vector>

namespace tocsin::tools {

/// One journal entry as a line of JSON: {"partition":0,"name":"views.ndjson","offset":123,"watermark":1462363200000,
/// "kind":"idle"}. `name` is for people; the number counts.
std::string journal_line(const journal_entry& entry, const std::string& partition_name);

/// The facts that the records do not hold: one JSON object a line, of either kind. Operators' actions are as
/// io/action_json writes them.
struct journal {
  std::vector<journal_entry> entries;
  std::vector<operator_action> actions;
};

/// Reads a journal file for an input with these partitions and these monitors. Errors name file:line, what was found,
/// what is expected.
io::result<journal> read_journal(const std::string& path, const std::vector<std::string>& partitions,
                                 const world_spec& world);
/// The same without the configuration: monitors and dimensions are not checked.
io::result<journal> read_journal(const std::string& path, std::size_t partitions);
/// Exclusions hold in their whole range, not only from when they were given.
std::vector<operator_action> in_hindsight(std::vector<operator_action> actions);
/// Only the actions, for readers without an input.
io::result<std::vector<operator_action>> read_actions(const std::string& path);
/// Adds an action to the end of a journal file, which is made if there is none.
io::result<void> append_action(const std::string& path, const operator_action& action);

} // namespace tocsin::tools
