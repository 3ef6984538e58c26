#include "detectors/incidents/set_index.hpp"

#include <algorithm>
#include <functional>
#include <iterator>

namespace tocsin {

namespace {

using value = std::pair<std::uint32_t, std::string>;

bool has_lower_dimension(const value& a, std::uint32_t dimension) {
  return a.first < dimension;
}

std::uint64_t mixed(std::uint64_t sum, std::uint64_t next) {
  return (sum ^ next) * 0x9e3779b97f4a7c15ULL + (sum >> 29);
}

std::uint64_t hash_of(const value& one) {
  return mixed(one.first, std::hash<std::string_view>()(one.second));
}

/// Of the values that a set has in these dimensions.
std::uint64_t hash_of(const value_set& set, const std::vector<std::uint32_t>& dimensions) {
  std::uint64_t sum = 0;
  auto at = set.values.begin();
  for (const auto dimension : dimensions) {
    at = std::lower_bound(at, set.values.end(), dimension, has_lower_dimension);
    sum = mixed(sum, hash_of(*at));
  }
  return sum;
}

std::vector<std::uint32_t> dimensions_of(const value_set& set) {
  std::vector<std::uint32_t> out;
  for (const auto& one : set.values)
    out.push_back(one.first);
  return out;
}

std::vector<std::uint32_t> in_both(const std::vector<std::uint32_t>& a, const std::vector<std::uint32_t>& b) {
  std::vector<std::uint32_t> out;
  std::set_intersection(a.begin(), a.end(), b.begin(), b.end(), std::back_inserter(out));
  return out;
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

bool share_a_value(const value_set& a, const value_set& b) {
  return std::any_of(a.values.begin(), a.values.end(),
                     [&](const auto& one) { return std::binary_search(b.values.begin(), b.values.end(), one); });
}

void set_index::add(const value_set& set) {
  const auto number = sets_.size();
  const auto own = dimensions_of(set);
  auto among = std::find_if(patterns_.begin(), patterns_.end(), [&](const pattern& p) { return p.of == own; });
  if (among == patterns_.end())
    among = patterns_.insert(patterns_.end(), pattern{own, {}, {}});
  among->members.push_back(number);
  for (auto& [common, by] : among->by)
    by[hash_of(set, common)].push_back(number);
  if (knows_values_)
    for (const auto& one : set.values)
      by_value_[hash_of(one)].push_back(number);
  sets_.push_back(&set);
  gone_.push_back(false);
}

set_index::numbers* set_index::agreeing(pattern& among, const dimensions& common, const value_set& to) {
  if (common.empty())
    return &among.members;
  const auto [known, is_new] = among.by.try_emplace(common);
  if (is_new)
    for (const auto number : among.members)
      if (!gone_[number])
        known->second[hash_of(*sets_[number], common)].push_back(number);
  const auto found = known->second.find(hash_of(to, common));
  return found == known->second.end() ? nullptr : &found->second;
}

/// What was removed is looked at once more only.
void set_index::tidy(numbers& list) const {
  list.erase(std::remove_if(list.begin(), list.end(), [this](std::size_t n) { return gone_[n]; }), list.end());
}

template <class Visit>
bool set_index::visit_agreeing(pattern& among, const dimensions& common, const value_set& to, const Visit& visit) {
  auto* found = agreeing(among, common, to);
  if (found == nullptr)
    return false;
  tidy(*found);
  return std::any_of(found->begin(), found->end(), [&](std::size_t n) {
    return !contradict(*sets_[n], to) && visit(n); // different values may have one hash
  });
}

std::vector<std::size_t> set_index::compatible(const value_set& to) {
  numbers out;
  const auto asked = dimensions_of(to);
  for (auto& among : patterns_)
    visit_agreeing(among, in_both(among.of, asked), to, [&](std::size_t number) {
      out.push_back(number);
      return false;
    });
  std::sort(out.begin(), out.end());
  return out;
}

std::vector<std::size_t> set_index::inside(const value_set& broad) {
  numbers out;
  const auto asked = dimensions_of(broad);
  for (auto& among : patterns_)
    if (std::includes(among.of.begin(), among.of.end(), asked.begin(), asked.end()))
      visit_agreeing(among, asked, broad, [&](std::size_t number) {
        out.push_back(number);
        return false;
      });
  std::sort(out.begin(), out.end());
  return out;
}

std::vector<std::size_t> set_index::related(const value_set& to) {
  auto out = compatible(to);
  if (!knows_values_) {
    knows_values_ = true;
    for (std::size_t number = 0; number < sets_.size(); ++number)
      for (const auto& one : sets_[number]->values)
        by_value_[hash_of(one)].push_back(number);
  }
  for (const auto& one : to.values) {
    const auto known = by_value_.find(hash_of(one));
    if (known == by_value_.end())
      continue;
    tidy(known->second);
    for (const auto number : known->second)
      if (share_a_value(*sets_[number], to))
        out.push_back(number);
  }
  std::sort(out.begin(), out.end());
  out.erase(std::unique(out.begin(), out.end()), out.end());
  return out;
}

bool set_index::has_narrower(const value_set& broad) {
  const auto asked = dimensions_of(broad);
  return std::any_of(patterns_.begin(), patterns_.end(), [&](pattern& among) {
    return among.of.size() > asked.size() &&
           std::includes(among.of.begin(), among.of.end(), asked.begin(), asked.end()) &&
           visit_agreeing(among, asked, broad, [](std::size_t) { return true; });
  });
}

} // namespace tocsin
