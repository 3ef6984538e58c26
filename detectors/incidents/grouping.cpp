#include "detectors/incidents/grouping.hpp"

#include <algorithm>
#include <iterator>
#include <tuple>

namespace tocsin {

namespace {

constexpr double explains_all = 0.8;   ///< of a group's excess: so much makes a key its page
constexpr double explains_most = 0.5;  ///< of an alarm's excess: so much makes it a child
constexpr double explains_some = 0.25; ///< ... of a broader key's that follows soon
constexpr std::size_t most_causes = 3; ///< that keys alone may tell apart
constexpr std::size_t most_asked = 64; ///< alarms for which the leaf cells are summed; the others go by their keys
/// In an incident that is older, what fails twice as fast as the whole of it is something new.
constexpr time_ms settled_after = 10 * minute_ms;
constexpr double much_faster = 2;
constexpr double sure = 3; ///< standard deviations

using members_t = std::vector<group_member>;
using places = std::vector<std::size_t>;

/// Most excess first; among equals the broader, then by level and key.
bool weighs_more(const group_member& a, const group_member& b) {
  if (a.excess != b.excess)
    return a.excess > b.excess;
  return std::make_tuple(a.set.values.size(), a.level, a.key, a.detector) <
         std::make_tuple(b.set.values.size(), b.level, b.key, b.detector);
}

/// What a user's own limit opened may have no excess at all.
double nearly_all(double excess) {
  return excess > 0 ? explains_all * excess : excess;
}

/// Failures above expectation of what lies in both sets.
double shared_excess(const scope_causes& where, const value_set& a, const value_set& b, tick_index onset) {
  const auto sums = where.finder->sums(where.root, a, b, onset);
  return static_cast<double>(sums.failed) - sums.expected;
}

/// Of the places for which `weight` is at least `least`: the narrowest, that is one of which no other is a part; of
/// several the one with the fewest dimensions, then by level and key. Nothing if there is none.
template <class Weight>
std::optional<std::size_t> narrowest(const places& of, const members_t& members, double least, const Weight& weight) {
  places heavy;
  for (const auto i : of)
    if (weight(i) >= least)
      heavy.push_back(i);
  // The more dimensions, the fewer candidates lie inside: one pass over the sorted ones finds all that are narrowest.
  std::stable_sort(heavy.begin(), heavy.end(), [&](std::size_t a, std::size_t b) {
    return members[a].set.values.size() > members[b].set.values.size();
  });
  places ends;
  for (const auto i : heavy)
    if (std::none_of(ends.begin(), ends.end(), [&](std::size_t end) {
          return members[end].set != members[i].set && is_part_of(members[end].set, members[i].set);
        }))
      ends.push_back(i);
  const auto order = [&](std::size_t i) {
    const auto& m = members[i];
    return std::make_tuple(m.set.values.size(), m.level, m.key, m.detector);
  };
  const auto best =
      std::min_element(ends.begin(), ends.end(), [&](std::size_t a, std::size_t b) { return order(a) < order(b); });
  return best == ends.end() ? std::nullopt : std::optional<std::size_t>(*best);
}

std::optional<std::size_t> narrowest(const places& of, const members_t& members, double least) {
  return narrowest(of, members, least, [&](std::size_t i) { return members[i].excess; });
}

places without(const places& all, const places& taken, std::size_t members) {
  std::vector<bool> gone(members, false);
  for (const auto i : taken)
    gone[i] = true;
  places left;
  std::copy_if(all.begin(), all.end(), std::back_inserter(left), [&](std::size_t i) { return !gone[i]; });
  return left;
}

/// True if the two have a value in common.
bool share_a_value(const value_set& a, const value_set& b) {
  return std::any_of(a.values.begin(), a.values.end(),
                     [&](const auto& value) { return std::binary_search(b.values.begin(), b.values.end(), value); });
}

/// Those that may have the same cause: a neighbour in one dimension may, if another value is the same.
places related(const places& with, const value_set& to, const members_t& members) {
  places out;
  std::copy_if(with.begin(), with.end(), std::back_inserter(out),
               [&](std::size_t i) { return !contradict(members[i].set, to) || share_a_value(members[i].set, to); });
  return out;
}

/// A few alarms that exclude each other and together make nearly all of `top`'s excess, but not its traffic: causes of
/// their own. Where they are all of its traffic as well, everything in `top` fails alike.
places separate_causes(std::size_t top, const places& group, const members_t& members) {
  places picked;
  auto excess = 0.0;
  auto traffic = 0.0;
  for (const auto i : group) {
    if (picked.size() == most_causes || excess >= explains_all * members[top].excess)
      break;
    const bool is_apart = members[i].set != members[top].set && is_part_of(members[i].set, members[top].set) &&
                          std::all_of(picked.begin(), picked.end(), [&](std::size_t other) {
                            return contradict(members[i].set, members[other].set);
                          });
    if (!is_apart)
      continue;
    picked.push_back(i);
    excess += members[i].excess;
    traffic += members[i].traffic;
  }
  const bool are_causes = picked.size() > 1 && excess >= explains_all * members[top].excess &&
                          traffic < explains_all * members[top].traffic;
  return are_causes ? picked : places();
}

/// What keys and their excess tell, without a look at the leaf cells.
void by_keys(places left, const members_t& members, std::vector<alarm_group>& out) {
  // A group takes what may belong to its page; the rest are causes of their own.
  const auto take = [&](std::size_t page, const value_set& cause) {
    auto own = related(left, cause, members);
    left = without(left, own, members.size());
    out.push_back({page, std::move(own)});
  };
  std::sort(left.begin(), left.end(),
            [&](std::size_t a, std::size_t b) { return weighs_more(members[a], members[b]); });
  while (!left.empty()) {
    const auto top = left.front();
    places group;
    std::copy_if(left.begin(), left.end(), std::back_inserter(group),
                 [&](std::size_t i) { return !contradict(members[i].set, members[top].set); });
    const auto page = *narrowest(group, members, nearly_all(members[top].excess));
    const auto causes = members[page].set == members[top].set ? separate_causes(top, group, members) : places();
    if (causes.empty())
      take(page, members[page].set);
    // The heaviest cause takes what is broader than one of them.
    for (const auto cause : causes) {
      places inside;
      std::copy_if(left.begin(), left.end(), std::back_inserter(inside),
                   [&](std::size_t i) { return is_part_of(members[i].set, members[cause].set); });
      if (!inside.empty())
        take(*narrowest(inside, members, nearly_all(members[cause].excess)), members[cause].set);
    }
  }
}

/// The causes of a scope, without those that lie in a better one.
std::vector<cause> independent_causes(const scope_causes& where, tick_index onset) {
  std::vector<cause> out;
  for (auto& found : where.finder->causes(where.root, {}, onset)) {
    const auto own = shared_excess(where, found.set, found.set, onset);
    const bool is_apart =
        own > 0 && std::none_of(out.begin(), out.end(), [&](const cause& better) {
          const bool is_nested = is_part_of(found.set, better.set) || is_part_of(better.set, found.set);
          return shared_excess(where, found.set, better.set, onset) >= (is_nested ? explains_most : explains_all) * own;
        });
    if (is_apart)
      out.push_back(std::move(found));
  }
  return out;
}

/// What the leaf cells tell: each alarm goes to the cause that has most of its excess. Returns those that no cause has;
/// what the causes have of their excess is taken away in `rest`.
places by_leaf_cells(const places& alarms, const members_t& members, const scope_causes& where,
                     std::vector<alarm_group>& out, members_t& rest) {
  auto onset = members[alarms.front()].onset_tick;
  for (const auto i : alarms)
    onset = std::min(onset, members[i].onset_tick);
  const auto causes = independent_causes(where, onset);
  auto share = 0.0;
  for (const auto& one : causes)
    share += one.share;
  // Causes that leave much unexplained are parts of something broader.
  if (share < explains_all)
    return alarms;

  places left;
  std::vector<places> of_cause(causes.size());
  std::vector<std::vector<double>> in_cause(causes.size(), std::vector<double>(members.size(), 0));
  for (std::size_t n = 0; n < alarms.size(); ++n) {
    const auto i = alarms[n];
    std::size_t best = 0;
    auto sum = 0.0;
    for (std::size_t c = 0; c < causes.size() && n < most_asked; ++c) {
      in_cause[c][i] = shared_excess(where, members[i].set, causes[c].set, onset);
      sum += std::max(0.0, in_cause[c][i]);
      if (in_cause[c][i] > in_cause[best][i])
        best = c;
    }
    const auto own = n < most_asked ? shared_excess(where, members[i].set, members[i].set, onset) : 1;
    if (own > 0 && sum >= explains_most * own)
      of_cause[best].push_back(i);
    else
      left.push_back(i);
    rest[i].excess -= sum;
  }
  for (std::size_t c = 0; c < causes.size(); ++c) {
    if (of_cause[c].empty())
      continue;
    const auto weight = [&](std::size_t i) { return in_cause[c][i]; };
    auto most = 0.0;
    for (const auto i : of_cause[c])
      most = std::max(most, weight(i));
    const auto whole = shared_excess(where, causes[c].set, causes[c].set, onset);
    const auto enough = nearly_all(std::min(most, whole));
    // The cause itself, if it alarmed.
    const auto self = std::find_if(of_cause[c].begin(), of_cause[c].end(), [&](std::size_t i) {
      return members[i].set == causes[c].set && weight(i) >= enough;
    });
    const auto page = self != of_cause[c].end() ? *self : *narrowest(of_cause[c], members, enough, weight);
    out.push_back({page, of_cause[c]});
  }
  return left;
}

/// Where the failures of an error type are, nobody knows: an alarm of a type belongs to the heaviest group whose page
/// has nearly all that the type has; a type that has more is a cause of its own.
void join_types(places types, const members_t& members, std::vector<alarm_group>& out) {
  std::sort(types.begin(), types.end(),
            [&](std::size_t a, std::size_t b) { return weighs_more(members[a], members[b]); });
  const auto groups = out.size();
  places alone;
  for (const auto i : types) {
    std::optional<std::size_t> home;
    for (std::size_t g = 0; g < groups; ++g)
      if (members[out[g].page].excess >= nearly_all(members[i].excess) &&
          (!home || weighs_more(members[out[g].page], members[out[*home].page])))
        home = g;
    if (home)
      out[*home].members.push_back(i);
    else
      alone.push_back(i);
  }
  by_keys(std::move(alone), members, out);
}

/// Of an incident's excess, what falls into the time since the alarm's onset, if it came evenly.
double excess_since(const group_member& incident, const group_member& alarm, time_ms now) {
  const auto all = std::max<time_ms>(1, now - incident.onset);
  const auto since = std::clamp<time_ms>(now - alarm.onset, 1, all);
  return incident.excess * static_cast<double>(since) / static_cast<double>(all);
}

bool is_faster(const group_member& alarm, const group_member& than, time_ms now) {
  return alarm.excess - sure * alarm.noise > much_faster * excess_since(than, alarm, now);
}

bool explains(const group_member& incident, const group_member& alarm, time_ms now, const scope_causes& where) {
  if (contradict(incident.set, alarm.set))
    return false;
  if (is_part_of(alarm.set, incident.set))
    return alarm.onset < incident.alarmed + settled_after || !is_faster(alarm, incident, now);
  if (where.finder != nullptr) {
    const auto own = shared_excess(where, alarm.set, alarm.set, alarm.onset_tick);
    if (own > 0)
      return shared_excess(where, alarm.set, incident.set, alarm.onset_tick) >= explains_most * own;
  }
  // A part often alarms first; what it turns out to be a part of is the same cause, unless it is much more.
  const bool is_young = alarm.alarmed <= incident.alarmed + settled_after;
  const auto least = !is_part_of(incident.set, alarm.set) ? 1 : is_young ? explains_some : explains_most;
  return excess_since(incident, alarm, now) >= least * alarm.excess;
}

time_ms first_alarm(const alarm_group& group, const members_t& members) {
  auto first = members[group.page].alarmed;
  for (const auto i : group.members)
    first = std::min(first, members[i].alarmed);
  return first;
}

bool alarmed_together(time_ms a, time_ms b, time_ms wait) {
  return std::max(a, b) - std::min(a, b) <= wait;
}

} // namespace

bool contradict(const value_set& a, const value_set& b) {
  auto left = a.values.begin();
  auto right = b.values.begin();
  while (left != a.values.end() && right != b.values.end()) {
    if (left->first < right->first)
      ++left;
    else if (right->first < left->first)
      ++right;
    else if ((left++)->second != (right++)->second)
      return true;
  }
  return false;
}

bool is_part_of(const value_set& narrow, const value_set& broad) {
  return std::includes(narrow.values.begin(), narrow.values.end(), broad.values.begin(), broad.values.end());
}

namespace grouping {

std::vector<std::size_t> leaders(const members_t& members) {
  places out;
  for (std::size_t i = 0; i < members.size(); ++i)
    if (members[i].leads)
      out.push_back(i);
  return out;
}

std::optional<std::size_t> explained_by(std::size_t alarm, const places& leaders, const members_t& members, time_ms now,
                                        const scope_causes& where) {
  std::optional<std::size_t> best;
  for (const auto i : leaders)
    if (members[i].strand == members[alarm].strand && (!best || weighs_more(members[i], members[*best])) &&
        explains(members[i], members[alarm], now, where))
      best = i;
  return best;
}

std::vector<alarm_group> by_cause(const places& alarms, const members_t& members, const scope_causes& where) {
  std::vector<alarm_group> out;
  auto left = alarms;
  const auto types =
      std::stable_partition(left.begin(), left.end(), [&](std::size_t i) { return !members[i].is_of_type; });
  places of_type(types, left.end());
  left.erase(types, left.end());
  std::sort(left.begin(), left.end(),
            [&](std::size_t a, std::size_t b) { return weighs_more(members[a], members[b]); });
  auto rest_of_members = members;
  if (where.finder != nullptr && left.size() > 1)
    left = by_leaf_cells(left, members, where, out, rest_of_members);
  // Beyond what could be asked for: into the first group that it may be part of.
  if (left.size() < alarms.size() && alarms.size() > most_asked) {
    places rest;
    for (const auto i : left) {
      const auto home = std::find_if(out.begin(), out.end(), [&](const alarm_group& group) {
        return !contradict(members[group.page].set, members[i].set);
      });
      if (home == out.end())
        rest.push_back(i);
      else
        home->members.push_back(i);
    }
    left = std::move(rest);
  }
  by_keys(std::move(left), rest_of_members, out);
  join_types(std::move(of_type), members, out);
  return out;
}

std::vector<alarm_group> across_strands(std::vector<alarm_group> groups, const members_t& members) {
  std::stable_sort(groups.begin(), groups.end(), [&](const alarm_group& a, const alarm_group& b) {
    const auto& left = members[a.page];
    const auto& right = members[b.page];
    if (left.failures != right.failures)
      return left.failures > right.failures;
    return std::make_tuple(left.monitor, left.detector, left.level, left.key) <
           std::make_tuple(right.monitor, right.detector, right.level, right.key);
  });
  const bool is_one_strand = std::all_of(groups.begin(), groups.end(), [&](const alarm_group& group) {
    return members[group.page].strand == members[groups.front().page].strand;
  });
  if (is_one_strand)
    return groups;
  std::vector<alarm_group> out;
  std::vector<std::vector<std::uint32_t>> strands; // in each of them
  for (auto& group : groups) {
    const auto& page = members[group.page];
    std::size_t home = 0;
    for (; home < out.size(); ++home) {
      const auto& lead = members[out[home].page];
      // Two causes of one strand stay two, whatever another strand cannot tell apart.
      const bool is_new = std::find(strands[home].begin(), strands[home].end(), page.strand) == strands[home].end();
      if (is_new && !contradict(lead.by_name, page.by_name) &&
          alarmed_together(first_alarm(out[home], members), first_alarm(group, members),
                           std::max(lead.wait, page.wait)))
        break;
    }
    if (home == out.size()) {
      strands.push_back({page.strand});
      out.push_back(std::move(group));
      continue;
    }
    strands[home].push_back(page.strand);
    out[home].members.insert(out[home].members.end(), group.members.begin(), group.members.end());
  }
  return out;
}

std::optional<std::size_t> page_elsewhere(const alarm_group& group, const places& leaders, const members_t& members) {
  const auto& own = members[group.page];
  const auto first = first_alarm(group, members);
  // Two causes of one strand stay two, whatever another strand cannot tell apart.
  const auto is_taken = [&](const group_member& other) {
    return std::find(other.strands.begin(), other.strands.end(), own.strand) != other.strands.end();
  };
  std::optional<std::size_t> best;
  for (const auto i : leaders) {
    const auto& other = members[i];
    if (!other.is_page || other.strand == own.strand || is_taken(other) || contradict(other.by_name, own.by_name) ||
        !alarmed_together(other.alarmed, first, std::max(other.wait, own.wait)))
      continue;
    if (!best || other.failures > members[*best].failures)
      best = i;
  }
  return best;
}

} // namespace grouping
} // namespace tocsin
