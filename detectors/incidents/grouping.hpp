#pragma once

#include "detectors/incidents/cause_finder.hpp"
#include "detectors/incidents/set_index.hpp"
#include "detectors/values/time.hpp"

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace tocsin {

/// One alarm of a scope that waits, or one open incident, as grouping sees it. A value.
struct group_member {
  std::uint32_t strand = 0;  ///< only members of one strand (a monitor's rates, or its volumes) have a common measure
  value_set set;             ///< the key's values beside the scope's, by dimension of the monitor
  value_set by_name;         ///< the same, by numbers that all monitors of the scope share
  double excess = 0;         ///< failures above expectation (volumes: events below it) since the onset
  double failures = 0;       ///< excess failures; 0 of volumes
  double traffic = 0;        ///< events an hour since the onset
  double noise = 0;          ///< what chance adds to the excess, one standard deviation
  time_ms onset = 0;         ///< its begin
  tick_index onset_tick = 0; ///< of its own monitor
  time_ms alarmed = 0;       ///< end of the tick that raised the alarm
  time_ms wait = 0;          ///< how long it waits for others
  bool due = false;          ///< it waits no longer
  std::string page;          ///< of an open incident: id of the page it belongs to, its own or its parent's
  std::string id;
  bool is_of_type = false;            ///< its key is an error type: leaf cells do not know it
  bool is_page = false;               ///< it is open, and has no parent
  bool leads = false;                 ///< its page is open, and no other one of its strand explains it
  std::vector<std::uint32_t> strands; ///< of a page: those other strands of which it has children
  // Order among equals.
  std::uint32_t monitor = 0, detector = 0, level = 0;
  std::string_view key;
};

/// Where the failures of one monitor's scope are; without a finder, nobody knows.
struct scope_causes {
  const cause_finder* finder = nullptr;
  std::string_view root; ///< key bytes of the scope's root
};

/// Alarms of one cause, as places in the members: one of them is the page, all others are its children.
struct alarm_group {
  std::size_t page = 0;
  std::vector<std::size_t> members; ///< the page is one of them
};

/// The members that lead, found by their values: where thousands lead, an alarm must not be compared with each. Refers
/// to the members.
struct leader_index {
  struct found_by_values {
    set_index sets;
    std::vector<std::size_t> at; ///< place of each set's member
  };
  std::map<std::uint32_t, found_by_values> by_strand; ///< by their own sets
  found_by_values pages;                              ///< those that are pages, by name
};

/// What becomes of the alarms of a scope: see docs/alerts.md. Pure functions of the members; the order in which they
/// come does not matter, except that `members` must be sorted by (monitor, detector, level, key).
namespace grouping {

leader_index leaders(const std::vector<group_member>& members);

/// The leader (of the same strand) that explains an alarm, if there is one: most of the alarm's excess lies in it.
std::optional<std::size_t> explained_by(std::size_t alarm, leader_index& leaders,
                                        const std::vector<group_member>& members, time_ms now,
                                        const scope_causes& where);

/// Splits alarms of one strand that nothing explains by cause.
std::vector<alarm_group> by_cause(const std::vector<std::size_t>& alarms, const std::vector<group_member>& members,
                                  const scope_causes& where);

/// Joins groups of different strands that may have one cause: they do not contradict each other, and alarmed within
/// the wait. The page with the most excess failures stays.
std::vector<alarm_group> across_strands(std::vector<alarm_group> groups, const std::vector<group_member>& members);

/// The open page (a leader of another strand) that a group may belong to for the same reason.
std::optional<std::size_t> page_elsewhere(const alarm_group& group, leader_index& leaders,
                                          const std::vector<group_member>& members);

} // namespace grouping
} // namespace tocsin
