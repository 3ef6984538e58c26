#include "detectors/incidents/incident_groups.hpp"

#include "detectors/values/key.hpp"

#include <tsl/robin_set.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <numeric>
#include <tuple>
#include <utility>

namespace tocsin {

namespace {

bool is_volume(const incident_groups::participant& who) {
  return who.incidents->measures() == measurement::volume;
}

std::uint32_t strand_of(const incident_groups::participant& who) {
  return 2 * who.monitor_index + (is_volume(who) ? 1 : 0);
}

} // namespace

void incident_groups::add(const participant& who) {
  participants_.push_back(who);
}

void incident_groups::settle(time_ms end) {
  std::map<std::string, page_ids> scopes; ///< and their pages that turned out to be none
  for (const auto& who : participants_) {
    if (end % who.monitor->tick != 0)
      continue;
    drop_refuted(who);
    tsl::robin_set<key_slot> roots;
    for (const auto slot : who.incidents->waiting())
      roots.insert((*who.keys)[slot].root);
    for (const auto root : roots)
      scopes.try_emplace(std::string(scope_of((*who.keys)[root].bytes, who.monitor->scope_size)));
    for (auto& [root, id] : who.incidents->take_refuted_pages())
      scopes[std::string(scope_of((*who.keys)[root].bytes, who.monitor->scope_size))].push_back(std::move(id));
  }
  for (const auto& [scope, refuted] : scopes)
    settle_scope(scope, refuted, end);
}

void incident_groups::drop_refuted(const participant& who) {
  std::vector<key_slot> refuted;
  for (const auto slot : who.incidents->waiting())
    if (who.incidents->has_ended(slot) && !who.incidents->is_convincing(*who.incidents->held(slot)))
      refuted.push_back(slot);
  for (const auto slot : refuted)
    who.incidents->drop(slot);
}

// ---- What the scope has.

std::uint32_t incident_groups::number_of(const std::string& dimension) {
  const auto known = std::find(dimensions_.begin(), dimensions_.end(), dimension);
  const auto number = static_cast<std::uint32_t>(known - dimensions_.begin());
  if (known == dimensions_.end())
    dimensions_.push_back(dimension);
  return number;
}

void incident_groups::add_member(const participant& who, key_slot slot, const incident& what, time_ms end,
                                 scope_view& out) {
  const auto& monitor = *who.monitor;
  const auto& key = (*who.keys)[slot];
  const bool waits = what.at == stage::waiting;
  group_member member;
  member.strand = strand_of(who);
  key_reader reader(std::string_view(key.bytes).substr(1));
  key_value value;
  for (const auto dimension : level_at(monitor, key.level).dimensions)
    if (reader.next(value) && dimension >= monitor.scope_size) {
      member.set.values.emplace_back(dimension, std::string(value.encoded));
      member.by_name.values.emplace_back(number_of(dimension_name(monitor, dimension)), std::string(value.encoded));
    }
  std::sort(member.by_name.values.begin(), member.by_name.values.end());
  member.excess = who.incidents->excess_of(what);
  member.failures = is_volume(who) ? 0 : member.excess;
  const auto span = std::max(monitor.tick, end - tick_start(what.onset, monitor.tick));
  member.traffic = static_cast<double>(what.total) * static_cast<double>(hour_ms) / static_cast<double>(span);
  member.noise = std::sqrt(is_volume(who) ? what.expected : static_cast<double>(what.failed));
  member.onset = tick_start(what.onset, monitor.tick);
  member.onset_tick = what.onset;
  member.alarmed = tick_end(what.opened, monitor.tick);
  member.wait = monitor.life.group_wait.value_or(0);
  member.due = waits && (member.alarmed + member.wait <= end || who.incidents->has_ended(slot));
  member.id = what.who.id;
  if (!waits)
    member.page = what.is_page() ? what.who.id : what.who.parent;
  member.is_page = !waits && what.is_page();
  member.monitor = who.monitor_index;
  member.detector = who.detector_index;
  member.is_of_type = key.level == type_level_of(monitor);
  member.level = key.level;
  member.key = key.bytes;
  out.members.push_back(std::move(member));
  out.origins.push_back({&who, slot, waits, false});
}

template <class Visit>
void incident_groups::for_each_alive(std::string_view scope, const Visit& visit) const {
  const auto root = hash_key(root_key(scope));
  for (const auto& who : participants_)
    if (const auto slot = who.keys->find(root))
      who.incidents->for_each_alive(*slot, [&](key_slot key, const incident& what) { visit(who, key, what); });
}

incident_groups::scope_view incident_groups::look_at(std::string_view scope, const page_ids& refuted, time_ms end) {
  scope_view view;
  std::unordered_map<std::string_view, std::uint32_t> strands; // of open pages
  for_each_alive(scope, [&](const participant& who, key_slot slot, const incident& what) {
    const bool waits = what.at == stage::waiting;
    if (waits ? end % who.monitor->tick != 0 || !who.incidents->is_convincing(what) : !what.is_page())
      return;
    add_member(who, slot, what, end, view);
    if (!waits)
      strands.emplace(what.who.id, view.members.back().strand);
  });
  // Whose page turned out to be none alarms once more.
  if (!refuted.empty())
    for_each_alive(scope, [&](const participant& who, key_slot slot, const incident& what) {
      if (std::find(refuted.begin(), refuted.end(), what.who.parent) == refuted.end())
        return;
      if (what.at == stage::open) {
        add_member(who, slot, what, end, view);
        view.members.back().page.clear();
        view.members.back().due = true;
        view.origins.back().is_orphan = true;
      } else if (what.at == stage::calm) {
        who.incidents->promote(slot, end); // told only if it goes on
      }
    });
  // Children, of which there may be very many, say nothing beside a page of their own strand. What has outlived its
  // page explains nothing: people think that it is over.
  for_each_alive(scope, [&](const participant& who, key_slot slot, const incident& what) {
    if (what.at == stage::waiting || what.is_page())
      return;
    const auto page = strands.find(what.who.parent);
    if (page != strands.end() && page->second != strand_of(who))
      add_member(who, slot, what, end, view);
  });
  sort(view);

  for (std::size_t i = 0; i < view.members.size(); ++i)
    if (view.members[i].is_page)
      view.pages.emplace(view.members[i].id, i);
  for (auto& m : view.members) {
    m.leads = !m.page.empty();
    if (m.leads && !m.is_page)
      join(m, view);
  }
  view.leaders = grouping::leaders(view.members);
  return view;
}

void incident_groups::sort(scope_view& view) {
  std::vector<std::size_t> order(view.members.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  const auto place = [&](std::size_t i) {
    const auto& m = view.members[i];
    return std::make_tuple(m.monitor, m.detector, m.level, m.key);
  };
  std::sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) { return place(a) < place(b); });
  scope_view sorted;
  for (const auto i : order) {
    sorted.members.push_back(std::move(view.members[i]));
    sorted.origins.push_back(view.origins[i]);
  }
  view = std::move(sorted);
}

/// A child belongs to its page.
void incident_groups::join(const group_member& child, scope_view& view) {
  auto& page = view.members[view.pages.at(child.page)];
  if (child.strand != page.strand &&
      std::find(page.strands.begin(), page.strands.end(), child.strand) == page.strands.end())
    page.strands.push_back(child.strand);
}

scope_causes incident_groups::causes_of(const origin& from, std::string_view root) {
  return {is_volume(*from.who) ? nullptr : from.who->causes, root};
}

// ---- What becomes of it.

void incident_groups::settle_scope(std::string_view scope, const page_ids& refuted, time_ms end) {
  auto view = look_at(scope, refuted, end);
  const auto root = root_key(scope);
  std::vector<alarm_group> groups;
  for (const auto& [strand, alarms] : unexplained(view, root, end))
    for (auto& group : grouping::by_cause(alarms, view.members, causes_of(view.origins[alarms.front()], root))) {
      const auto elsewhere = grouping::page_elsewhere(group, view.leaders, view.members);
      if (!elsewhere) {
        groups.push_back(std::move(group));
        continue;
      }
      for (const auto member : group.members)
        open_under(member, view.members[*elsewhere].id, view, end);
    }
  for (const auto& group : grouping::across_strands(std::move(groups), view.members))
    if (std::any_of(group.members.begin(), group.members.end(), [&](std::size_t i) { return view.members[i].due; }))
      open_group(group, view, end);
}

std::map<std::uint32_t, std::vector<std::size_t>> incident_groups::unexplained(scope_view& view, std::string_view root,
                                                                               time_ms end) {
  std::vector<std::size_t> alarms;
  for (std::size_t i = 0; i < view.members.size(); ++i)
    if (view.origins[i].is_alarm())
      alarms.push_back(i);
  std::vector<std::optional<std::size_t>> by(view.members.size());
  for (const auto i : by_onset(alarms, view))
    by[i] = grouping::explained_by(i, view.leaders, view.members, end, causes_of(view.origins[i], root));
  std::map<std::uint32_t, std::vector<std::size_t>> left;
  for (const auto i : alarms)
    if (by[i])
      open_under(i, view.members[*by[i]].page, view, end);
    else
      left[view.members[i].strand].push_back(i);
  return left;
}

/// Leaf cells answer many questions about one onset in a row much faster than in turn.
std::vector<std::size_t> incident_groups::by_onset(std::vector<std::size_t> members, const scope_view& view) {
  std::stable_sort(members.begin(), members.end(), [&](std::size_t a, std::size_t b) {
    const auto &x = view.members[a], &y = view.members[b];
    return std::make_tuple(x.monitor, x.onset_tick) < std::make_tuple(y.monitor, y.onset_tick);
  });
  return members;
}

/// Opens what waits; what is open already changes its page.
life_cycle::opened_child incident_groups::make_child(const origin& of, const group_member& what,
                                                     const std::string& page) {
  if (of.waits)
    return of.who->incidents->open_as_child(of.slot, page, *of.who->judging);
  of.who->incidents->move_under(of.slot, page);
  return {what.id, false};
}

void incident_groups::open_under(std::size_t member, const std::string& page, scope_view& view, time_ms end) {
  auto& what = view.members[member];
  const auto child = make_child(view.origins[member], what, page);
  what.page = page;
  join(what, view);
  const auto& lead = view.origins[view.pages.at(page)];
  if (!child.is_again)
    lead.who->incidents->adopt(lead.slot, child.id, end);
}

void incident_groups::open_group(const alarm_group& group, scope_view& view, time_ms end) {
  const auto& page = view.members[group.page];
  std::map<std::size_t, std::string> children; // in order of the members
  for (const auto i : by_onset(group.members, view))
    if (i != group.page)
      children.emplace(i, make_child(view.origins[i], view.members[i], page.id).id);
  const auto& from = view.origins[group.page];
  if (from.waits) {
    std::vector<std::string> ids;
    ids.reserve(children.size());
    for (auto& [member, id] : children)
      ids.push_back(std::move(id));
    from.who->incidents->open_as_page(from.slot, ids, *from.who->judging);
    return;
  }
  from.who->incidents->promote(from.slot, end);
  for (const auto& [member, id] : children)
    from.who->incidents->adopt(from.slot, id, end);
}

} // namespace tocsin
