#include "detectors/incidents/grouping.hpp"
#include "detectors/values/key.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <map>
#include <string>
#include <vector>

using namespace tocsin;

namespace {

constexpr std::uint32_t cdn = 0, country = 1;

value_set set_of(const std::vector<std::pair<std::uint32_t, std::string>>& values) {
  value_set out;
  for (const auto& [dimension, text] : values) {
    std::string bytes;
    append_text(bytes, text);
    out.values.emplace_back(dimension, bytes);
  }
  return out;
}

/// Alarms of a test; keys live as long as it.
struct alarms {
  std::vector<group_member> members;
  std::map<std::string, std::size_t> place;
  std::vector<std::size_t> all;

  group_member& add(const std::string& name, const value_set& set, double excess, std::uint32_t strand = 0) {
    group_member member;
    member.strand = strand;
    member.monitor = strand;
    member.set = member.by_name = set;
    member.excess = member.failures = excess;
    member.noise = 1;
    member.traffic = set.values.empty() ? 1000 : 200;
    member.alarmed = member.onset = 1000 * second_ms;
    member.wait = 20 * second_ms;
    member.level = static_cast<std::uint32_t>(set.values.size());
    member.key = place.try_emplace(name, members.size()).first->first;
    member.id = name;
    all.push_back(members.size());
    members.push_back(member);
    return members.back();
  }
  std::vector<alarm_group> groups(const cause_finder* finder = nullptr) const {
    return grouping::by_cause(all, members, {finder, {}});
  }
  /// `page: child child`, sorted.
  std::vector<std::string> told(const std::vector<alarm_group>& groups) const {
    std::vector<std::string> out;
    for (const auto& group : groups) {
      std::vector<std::string> children;
      for (const auto i : group.members)
        if (i != group.page)
          children.push_back(members[i].id);
      std::sort(children.begin(), children.end());
      auto line = members[group.page].id + ":";
      for (const auto& child : children)
        line += " " + child;
      out.push_back(line);
    }
    std::sort(out.begin(), out.end());
    return out;
  }
};

using lines = std::vector<std::string>;

/// Leaf cells (cdn, country) with their excess, and causes given by hand.
class known_cells : public cause_finder {
public:
  std::map<std::pair<std::string, std::string>, double> excess;
  std::vector<cause> known;

  leaf_sums sums(std::string_view, const value_set& a, const value_set& b, tick_index) const override {
    leaf_sums out;
    for (const auto& [leaf, more] : excess) {
      const auto cell = set_of({{cdn, leaf.first}, {country, leaf.second}});
      if (is_part_of(cell, a) && is_part_of(cell, b)) {
        out.total += 1000;
        out.failed += static_cast<std::int64_t>(more) + 10;
        out.expected += 10;
      }
    }
    return out;
  }
  std::vector<cause> causes(std::string_view, const value_set&, tick_index) const override { return known; }
};

} // namespace

TEST_CASE("sets of values contradict each other, or lie in each other") {
  const auto a = set_of({{cdn, "a"}}), b = set_of({{cdn, "b"}}), de = set_of({{country, "DE"}});
  const auto a_de = set_of({{cdn, "a"}, {country, "DE"}});
  CHECK(contradict(a, b));
  CHECK(contradict(a_de, b));
  CHECK_FALSE(contradict(a, de));
  CHECK_FALSE(contradict(a, {}));
  CHECK(is_part_of(a_de, a));
  CHECK(is_part_of(a_de, de));
  CHECK(is_part_of(a, {}));
  CHECK_FALSE(is_part_of(a, a_de));
  CHECK_FALSE(is_part_of(a, de));
}

TEST_CASE("the narrowest key that holds 80 % of the excess is the page, all others are its children") {
  alarms some;
  some.add("all", {}, 100);
  some.add("a", set_of({{cdn, "a"}}), 95);
  some.add("a-de", set_of({{cdn, "a"}, {country, "DE"}}), 55);
  some.add("a-fr", set_of({{cdn, "a"}, {country, "FR"}}), 40);
  some.add("de", set_of({{country, "DE"}}), 57);
  CHECK(some.told(some.groups()) == lines{"a: a-de a-fr all de"});

  // The same failures in one country.
  some.members[2].excess = 85;
  CHECK(some.told(some.groups()) == lines{"a-de: a a-fr all de"});
  some.members[2].excess = 79;
  CHECK(some.told(some.groups()) == lines{"a: a-de a-fr all de"});
}

TEST_CASE("a key that has nothing in common with the page is a page of its own") {
  alarms some;
  some.add("all", {}, 110);
  some.add("a", set_of({{cdn, "a"}}), 90);
  some.add("b-it", set_of({{cdn, "b"}, {country, "IT"}}), 19);
  some.add("it", set_of({{country, "IT"}}), 25);
  CHECK(some.told(some.groups()) == lines{"a: all it", "b-it:"});
}

TEST_CASE("of several narrowest keys the one with fewer dimensions is the page, then by level") {
  alarms some;
  some.add("all", {}, 100);
  some.add("de", set_of({{country, "DE"}}), 90).level = 2;
  some.add("a", set_of({{cdn, "a"}}), 88).level = 1;
  CHECK(some.told(some.groups()) == lines{"a: all de"});
}

TEST_CASE("causes that exclude each other are pages of their own, many of them are one") {
  alarms two;
  two.add("all", {}, 100);
  two.add("a", set_of({{cdn, "a"}}), 60);
  two.add("b", set_of({{cdn, "b"}}), 38);
  two.add("a-de", set_of({{cdn, "a"}, {country, "DE"}}), 30);
  two.add("b-fr", set_of({{cdn, "b"}, {country, "FR"}}), 37);
  CHECK(two.told(two.groups()) == lines{"a: a-de all", "b-fr: b"});

  // All cdns that there are: it is not the cdns.
  two.members[1].traffic = 500;
  two.members[2].traffic = two.members[4].traffic = 400;
  CHECK(two.told(two.groups()).front().substr(0, 4) == "all:");

  alarms many;
  many.add("all", {}, 110);
  std::string children;
  for (int i = 10; i < 21; ++i) {
    many.add("s" + std::to_string(i), set_of({{cdn, std::to_string(i)}}), 10);
    children += " s" + std::to_string(i);
  }
  CHECK(many.told(many.groups()) == lines{"all:" + children});
}

TEST_CASE("the order in which alarms come does not matter") {
  alarms some;
  some.add("all", {}, 100);
  some.add("a", set_of({{cdn, "a"}}), 50);
  some.add("b", set_of({{cdn, "b"}}), 50);
  some.add("de", set_of({{country, "DE"}}), 50);
  const auto told = some.told(some.groups());
  std::reverse(some.all.begin(), some.all.end());
  CHECK(some.told(some.groups()) == told);
}

TEST_CASE("with leaf cells, causes that share no dimension are told apart") {
  known_cells cells;
  for (const auto* c : {"a", "b", "c"})
    for (const auto* land : {"DE", "FR", "IT", "ES"})
      cells.excess[{c, land}] = (std::string(c) == "a" ? 100 : 0) + (std::string(land) == "FR" ? 80 : 0);
  cells.known = {{set_of({{cdn, "a"}}), 400, 0.6, 0, 9}, {set_of({{country, "FR"}}), 240, 0.37, 0, 5}};
  alarms some;
  some.add("all", {}, 640);
  some.add("a", set_of({{cdn, "a"}}), 480);
  some.add("fr", set_of({{country, "FR"}}), 340);
  some.add("a-de", set_of({{cdn, "a"}, {country, "DE"}}), 100);
  some.add("b-fr", set_of({{cdn, "b"}, {country, "FR"}}), 80);
  CHECK(some.told(some.groups(&cells)) == lines{"a: a-de all", "fr: b-fr"});
  // By keys alone the second cause cannot be seen.
  CHECK(some.told(some.groups()) == lines{"a: a-de all fr", "b-fr:"});

  // A cause inside another one is no second page; causes that explain little are none.
  cells.known = {{set_of({{cdn, "a"}}), 400, 0.6, 0, 9}, {set_of({{cdn, "a"}, {country, "FR"}}), 180, 0.3, 0, 5}};
  CHECK(some.told(some.groups(&cells)) == lines{"a: a-de all fr", "b-fr:"});
  cells.known = {{set_of({{cdn, "a"}}), 400, 0.5, 0, 9}};
  CHECK(some.told(some.groups(&cells)) == some.told(some.groups()));
}

TEST_CASE("an open incident explains what lies in it, and what is mostly it") {
  alarms some;
  some.add("a", set_of({{cdn, "a"}}), 100);
  some.add("a-de", set_of({{cdn, "a"}, {country, "DE"}}), 40);
  some.add("b", set_of({{cdn, "b"}}), 10);
  some.add("all", {}, 150);
  some.members[0].leads = true;
  const auto now = 1060 * second_ms;
  const auto by = [&](std::size_t i) {
    auto leaders = grouping::leaders(some.members);
    return grouping::explained_by(i, leaders, some.members, now, {}).has_value();
  };
  CHECK(by(1));
  CHECK_FALSE(by(2));
  CHECK(by(3));
  some.members[3].excess = 390; // it alarmed at the same time
  CHECK(by(3));
  some.members[3].excess = 401;
  CHECK_FALSE(by(3));
  some.members[3].excess = 190;
  some.members[3].alarmed += 11 * minute_ms;
  CHECK(by(3));
  some.members[3].excess = 201;
  CHECK_FALSE(by(3));
  // An hour's excess does not explain that of the last minute.
  some.members[3].excess = 150;
  some.members[0].onset -= hour_ms;
  CHECK_FALSE(by(3));
  some.members[0].leads = false;
  CHECK_FALSE(by(1));
}

TEST_CASE("what fails much faster than an old incident is not explained by it") {
  alarms some;
  some.add("all", {}, 100).leads = true;
  some.add("a", set_of({{cdn, "a"}}), 30);
  auto& old = some.members[0];
  auto& young = some.members[1];
  const auto now = old.alarmed + hour_ms;
  young.onset = now - minute_ms;
  young.noise = 2;
  const auto is_explained = [&] {
    auto leaders = grouping::leaders(some.members);
    return grouping::explained_by(1, leaders, some.members, now, {}).has_value();
  };
  CHECK_FALSE(is_explained()); // 30 a minute, not 1.7
  young.excess = 8;            // within noise
  CHECK(is_explained());
  young.excess = 30;
  old.alarmed = young.onset - minute_ms; // both have just begun
  CHECK(is_explained());
}

TEST_CASE("groups of several monitors that may have one cause are one page, the one with most excess failures") {
  alarms some;
  some.add("views", set_of({{cdn, "a"}}), 50, 1);
  some.add("starts", set_of({{cdn, "a"}, {country, "DE"}}), 80, 2);
  some.add("other", set_of({{cdn, "b"}}), 20, 3);
  const auto join = [&] {
    std::vector<alarm_group> each;
    for (const auto i : some.all)
      each.push_back({i, {i}});
    return some.told(grouping::across_strands(each, some.members));
  };
  CHECK(join() == lines{"other:", "starts: views"});
  some.members[1].alarmed += 30 * second_ms; // later than the wait
  CHECK(join() == lines{"other:", "starts:", "views:"});
  // Two causes of one monitor stay two.
  some.members[1].alarmed = some.members[0].alarmed;
  some.add("all", {}, 100, 2);
  CHECK(join() == lines{"all: other views", "starts:"});
}

TEST_CASE("a page of another monitor takes a group that alarms within the wait") {
  alarms some;
  some.add("page", set_of({{cdn, "a"}}), 50, 1);
  some.add("new", set_of({{cdn, "a"}}), 80, 2);
  auto& page = some.members[0];
  page.is_page = page.leads = true;
  page.page = page.id;
  const alarm_group group{1, {1}};
  auto leaders = grouping::leaders(some.members);
  CHECK(grouping::page_elsewhere(group, leaders, some.members) == std::optional<std::size_t>(0));
  some.members[1].alarmed += 21 * second_ms;
  CHECK_FALSE(grouping::page_elsewhere(group, leaders, some.members).has_value());
}

TEST_CASE("alarms without excess are grouped, too") {
  alarms some;
  some.add("all", {}, -3);
  some.add("a", set_of({{cdn, "a"}}), -5);
  CHECK(some.told(some.groups()) == lines{"all: a"});
}

TEST_CASE("ten thousand alarms are grouped in no time") {
  alarms some;
  some.add("all", {}, 1e6);
  for (int i = 0; i < 10000; ++i)
    some.add("k" + std::to_string(i), set_of({{cdn, std::to_string(i)}}), 100 + i % 7);
  CHECK(some.groups().size() == 1);
  some.all.erase(some.all.begin());
  CHECK(some.groups().size() == 10000);
}
