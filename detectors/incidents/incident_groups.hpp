#pragma once

#include "detectors/incidents/cause_finder.hpp"
#include "detectors/incidents/grouping.hpp"
#include "detectors/incidents/life_cycle.hpp"
#include "detectors/judging/detector.hpp"
#include "detectors/judging/keyed_state.hpp"
#include "detectors/values/monitor_spec.hpp"

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace tocsin {

/// One cause, one page: opens the alarms of all monitors that share their scope, once they have waited for each other.
/// What it decides is a function of the incidents of the scope alone; it keeps nothing. Owned by a shard; not
/// thread-safe; total.
class incident_groups {
public:
  /// A detector whose incidents people are told of. All of it outlives this.
  struct participant {
    const monitor_spec* monitor = nullptr;
    std::uint32_t monitor_index = 0;
    std::uint32_t detector_index = 0;
    const keyed_state* keys = nullptr;
    life_cycle* incidents = nullptr;
    const detector* judging = nullptr;
    const cause_finder* causes = nullptr; ///< of rates, where leaf cells are kept
  };

  /// In order of monitor and detector.
  void add(const participant& who);
  /// The ticks that end at `end` have been judged by all monitors.
  void settle(time_ms end);

private:
  /// Where a member comes from.
  struct origin {
    const participant* who = nullptr;
    key_slot slot = no_slot;
    bool waits = false;
    bool is_orphan = false; ///< open, but its page turned out to be none
    bool is_alarm() const { return waits || is_orphan; }
  };
  struct scope_view {
    std::vector<group_member> members; ///< sorted
    std::vector<origin> origins;
    std::unordered_map<std::string, std::size_t> pages; ///< by id: places of open pages
    leader_index leaders;
  };

  using page_ids = std::vector<std::string>;
  static void drop_refuted(const participant& who);
  std::uint32_t number_of(const std::string& dimension);
  void add_member(const participant& who, key_slot slot, const incident& what, time_ms end, scope_view& out);
  template <class Visit>
  void for_each_alive(std::string_view scope, const Visit& visit) const;
  /// `refuted`: pages that turned out to be none.
  scope_view look_at(std::string_view scope, const page_ids& refuted, time_ms end);
  static void sort(scope_view& view);
  static void join(const group_member& child, scope_view& view);
  void settle_scope(std::string_view scope, const page_ids& refuted, time_ms end);
  /// Places of alarms, by strand; those that an open incident explains have become its children.
  std::map<std::uint32_t, std::vector<std::size_t>> unexplained(scope_view& view, std::string_view root, time_ms end);
  static std::vector<std::size_t> by_onset(std::vector<std::size_t> members, const scope_view& view);
  void open_under(std::size_t member, const std::string& page, scope_view& view, time_ms end);
  void open_group(const alarm_group& group, scope_view& view, time_ms end);
  static life_cycle::opened_child make_child(const origin& of, const group_member& what, const std::string& page);
  static scope_causes causes_of(const origin& from, std::string_view root);

  std::vector<participant> participants_;
  std::vector<std::string> dimensions_; ///< of all monitors, beside the scope
};

} // namespace tocsin
