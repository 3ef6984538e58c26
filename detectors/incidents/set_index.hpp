#pragma once

#include "detectors/incidents/cause_finder.hpp"

#include <cstddef>
#include <cstdint>
#include <map>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

namespace tocsin {

/// True if a dimension has different values in the two.
bool contradict(const value_set& a, const value_set& b);
/// True if `narrow` has all values of `broad`: its leaf cells lie in those of `broad`.
bool is_part_of(const value_set& narrow, const value_set& broad);
/// True if the two have a value in common.
bool share_a_value(const value_set& a, const value_set& b);

/// Sets of values, numbered as they are added: which of them may overlap another set, without comparing it to each.
/// Sets of the same dimensions are looked up by a hash of the values that they have in common with the question.
/// Answers ascend by number and depend on nothing but the sets. A value; refers to the sets, which must outlive it;
/// total.
class set_index {
public:
  void add(const value_set& set);
  /// Answers leave this one out from now on.
  void remove(std::size_t number) { gone_[number] = true; }
  bool has(std::size_t number) const { return !gone_[number]; }
  std::size_t size() const { return sets_.size(); }

  /// Those that do not contradict `to`.
  std::vector<std::size_t> compatible(const value_set& to);
  /// Those that are part of `broad`, itself included.
  std::vector<std::size_t> inside(const value_set& broad);
  /// Those that do not contradict `to`, or have a value in common with it.
  std::vector<std::size_t> related(const value_set& to);
  /// True if another set than `broad` is part of it.
  bool has_narrower(const value_set& broad);

private:
  using numbers = std::vector<std::size_t>;
  using dimensions = std::vector<std::uint32_t>;
  using buckets = std::unordered_map<std::uint64_t, numbers>; ///< by hash of values
  /// Sets that have the same dimensions.
  struct pattern {
    dimensions of;
    numbers members;
    std::map<dimensions, buckets> by; ///< some of the dimensions; made when they are first asked for
  };

  /// Visits those of a pattern that agree with `to` in all dimensions that both have, until `visit` returns true.
  template <class Visit>
  bool visit_agreeing(pattern& among, const dimensions& common, const value_set& to, const Visit& visit);
  numbers* agreeing(pattern& among, const dimensions& common, const value_set& to);
  void tidy(numbers& list) const;

  std::vector<const value_set*> sets_;
  std::vector<bool> gone_;
  std::vector<pattern> patterns_; ///< few: the levels of a monitor
  buckets by_value_;              ///< by hash of one value; empty until asked for
  bool knows_values_ = false;
};

} // namespace tocsin
