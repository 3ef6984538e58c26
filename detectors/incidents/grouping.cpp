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
constexpr auto nowhere = static_cast<std::size_t>(-1);

using members_t = std::vector<group_member>;
using places = std::vector<std::size_t>;

/// Most excess first; among equals the broader, then by level and key.
bool weighs_more(const group_member& a, double excess_a, const group_member& b, double excess_b) {
  if (excess_a != excess_b)
    return excess_a > excess_b;
  return std::make_tuple(a.set.values.size(), a.level, a.key, a.detector) <
         std::make_tuple(b.set.values.size(), b.level, b.key, b.detector);
}

/// What a user's own limit opened may have no excess at all.
double nearly_all(double excess) {
  return excess > 0 ? explains_all * excess : excess;
}

bool weighs_more(const group_member& a, const group_member& b) {
  return weighs_more(a, a.excess, b, b.excess);
}

void sort_by_weight(places& all, const members_t& members, const std::vector<double>& excess) {
  std::sort(all.begin(), all.end(),
            [&](std::size_t a, std::size_t b) { return weighs_more(members[a], excess[a], members[b], excess[b]); });
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
  set_index sets;
  for (const auto i : heavy)
    sets.add(members[i].set);
  const auto order = [&](std::size_t i) {
    const auto& m = members[i];
    return std::make_tuple(m.set.values.size(), m.level, m.key, m.detector);
  };
  std::optional<std::size_t> best;
  for (const auto i : heavy)
    if ((!best || order(i) < order(*best)) && !sets.has_narrower(members[i].set))
      best = i;
  return best;
}

/// A few alarms that exclude each other and together make nearly all of `top`'s excess, but not its traffic: causes of
/// their own. Where they are all of its traffic as well, everything in `top` fails alike.
places separate_causes(std::size_t top, const places& group, const members_t& members,
                       const std::vector<double>& excess) {
  places picked;
  auto sum = 0.0;
  auto traffic = 0.0;
  for (const auto i : group) {
    if (picked.size() == most_causes || sum >= explains_all * excess[top])
      break;
    const bool is_apart = members[i].set != members[top].set && is_part_of(members[i].set, members[top].set) &&
                          std::all_of(picked.begin(), picked.end(), [&](std::size_t other) {
                            return contradict(members[i].set, members[other].set);
                          });
    if (!is_apart)
      continue;
    picked.push_back(i);
    sum += excess[i];
    traffic += members[i].traffic;
  }
  const bool are_causes =
      picked.size() > 1 && sum >= explains_all * excess[top] && traffic < explains_all * members[top].traffic;
  return are_causes ? picked : places();
}

/// What keys and their excess tell, without a look at the leaf cells. A group takes what may belong to its page: what
/// does not contradict it, and neighbours in one dimension, if another value is the same.
void by_keys(places left, const members_t& members, const std::vector<double>& excess, std::vector<alarm_group>& out) {
  const auto weight = [&](std::size_t i) { return excess[i]; };
  sort_by_weight(left, members, excess);
  // Many alarms must not be compared with each other: they are found by their values. Numbers are places in `left`.
  set_index sets;
  for (const auto i : left)
    sets.add(members[i].set);
  const auto places_of = [&](const std::vector<std::size_t>& numbers) {
    places found;
    std::transform(numbers.begin(), numbers.end(), std::back_inserter(found), [&](std::size_t n) { return left[n]; });
    return found;
  };
  const auto take = [&](std::size_t page, const value_set& cause) {
    const auto own = sets.related(cause);
    for (const auto number : own)
      sets.remove(number);
    out.push_back({page, places_of(own)});
  };
  for (std::size_t first = 0; first < left.size(); ++first) {
    if (!sets.has(first))
      continue;
    const auto top = left[first];
    const auto group = places_of(sets.compatible(members[top].set));
    const auto page = *narrowest(group, members, nearly_all(excess[top]), weight);
    const auto causes = members[page].set == members[top].set ? separate_causes(top, group, members, excess) : places();
    if (causes.empty())
      take(page, members[page].set);
    // The heaviest cause takes what is broader than one of them.
    for (const auto cause : causes) {
      const auto inside = places_of(sets.inside(members[cause].set));
      if (!inside.empty())
        take(*narrowest(inside, members, nearly_all(excess[cause]), weight), members[cause].set);
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
/// what the causes have of their excess is taken away in `excess`.
places by_leaf_cells(const places& alarms, const members_t& members, const scope_causes& where,
                     std::vector<alarm_group>& out, std::vector<double>& excess) {
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
    excess[i] -= sum;
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
void join_types(places types, const members_t& members, const std::vector<double>& excess,
                std::vector<alarm_group>& out) {
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
  by_keys(std::move(alone), members, excess, out);
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

namespace grouping {

leader_index leaders(const members_t& members) {
  leader_index out;
  for (std::size_t i = 0; i < members.size(); ++i) {
    const auto& m = members[i];
    if (!m.leads)
      continue;
    auto& strand = out.by_strand[m.strand];
    strand.sets.add(m.set);
    strand.at.push_back(i);
    if (!m.is_page)
      continue;
    out.pages.sets.add(m.by_name);
    out.pages.at.push_back(i);
  }
  return out;
}

std::optional<std::size_t> explained_by(std::size_t alarm, leader_index& leaders, const members_t& members, time_ms now,
                                        const scope_causes& where) {
  const auto strand = leaders.by_strand.find(members[alarm].strand);
  if (strand == leaders.by_strand.end())
    return std::nullopt;
  std::optional<std::size_t> best;
  for (const auto number : strand->second.sets.compatible(members[alarm].set)) {
    const auto i = strand->second.at[number];
    const bool is_better = !best || weighs_more(members[i], members[*best]);
    if (is_better && explains(members[i], members[alarm], now, where))
      best = i;
  }
  return best;
}

std::vector<alarm_group> by_cause(const places& alarms, const members_t& members, const scope_causes& where) {
  std::vector<alarm_group> out;
  std::vector<double> excess;
  for (const auto& m : members)
    excess.push_back(m.excess);
  auto left = alarms;
  const auto types =
      std::stable_partition(left.begin(), left.end(), [&](std::size_t i) { return !members[i].is_of_type; });
  places of_type(types, left.end());
  left.erase(types, left.end());
  sort_by_weight(left, members, excess);
  if (where.finder != nullptr && left.size() > 1)
    left = by_leaf_cells(left, members, where, out, excess);
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
  by_keys(std::move(left), members, excess, out);
  join_types(std::move(of_type), members, excess, out);
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
  // Numbers are places in `groups`; only those that have become a group of the answer are left in it.
  set_index sets;
  for (std::size_t n = 0; n < groups.size(); ++n)
    sets.add(members[groups[n].page].by_name);
  struct joined {
    alarm_group group;
    std::vector<std::uint32_t> strands; ///< in it
  };
  std::vector<joined> homes;
  std::vector<std::size_t> home_of(groups.size(), nowhere);
  const auto home_for = [&](std::size_t number) {
    const auto& page = members[groups[number].page];
    for (const auto other : sets.compatible(page.by_name)) {
      if (home_of[other] == nowhere)
        continue;
      const auto& home = homes[home_of[other]];
      const auto& lead = members[home.group.page];
      // Two causes of one strand stay two, whatever another strand cannot tell apart.
      const bool is_new = std::find(home.strands.begin(), home.strands.end(), page.strand) == home.strands.end();
      if (is_new && alarmed_together(first_alarm(home.group, members), first_alarm(groups[number], members),
                                     std::max(lead.wait, page.wait)))
        return home_of[other];
    }
    return nowhere;
  };
  for (std::size_t n = 0; n < groups.size(); ++n) {
    const auto strand = members[groups[n].page].strand;
    const auto home = home_for(n);
    if (home == nowhere) {
      home_of[n] = homes.size();
      homes.push_back({std::move(groups[n]), {strand}});
      continue;
    }
    sets.remove(n);
    homes[home].strands.push_back(strand);
    auto& into = homes[home].group.members;
    into.insert(into.end(), groups[n].members.begin(), groups[n].members.end());
  }
  std::vector<alarm_group> out;
  for (auto& home : homes)
    out.push_back(std::move(home.group));
  return out;
}

std::optional<std::size_t> page_elsewhere(const alarm_group& group, leader_index& leaders, const members_t& members) {
  const auto& own = members[group.page];
  const auto first = first_alarm(group, members);
  // Two causes of one strand stay two, whatever another strand cannot tell apart.
  const auto is_taken = [&](const group_member& other) {
    return std::find(other.strands.begin(), other.strands.end(), own.strand) != other.strands.end();
  };
  std::optional<std::size_t> best;
  for (const auto number : leaders.pages.sets.compatible(own.by_name)) {
    const auto i = leaders.pages.at[number];
    const auto& other = members[i];
    if (other.strand == own.strand || is_taken(other) ||
        !alarmed_together(other.alarmed, first, std::max(other.wait, own.wait)))
      continue;
    if (!best || other.failures > members[*best].failures)
      best = i;
  }
  return best;
}

} // namespace grouping
} // namespace tocsin
