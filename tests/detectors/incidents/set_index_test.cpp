#include "detectors/incidents/set_index.hpp"
#include "detectors/values/key.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <random>
#include <string>
#include <vector>

using namespace tocsin;

namespace {

/// Some of four dimensions, with one of three values each.
value_set random_set(std::mt19937& random) {
  value_set out;
  for (std::uint32_t dimension = 0; dimension < 4; ++dimension)
    if (random() % 2 == 0) {
      std::string bytes;
      append_text(bytes, std::string(1, static_cast<char>('a' + random() % 3)));
      out.values.emplace_back(dimension, bytes);
    }
  return out;
}

} // namespace

TEST_CASE("an index of sets answers as if each were compared") {
  std::mt19937 random{3};
  for (int round = 0; round < 20; ++round) {
    std::vector<value_set> sets;
    for (int i = 0; i < 60; ++i)
      sets.push_back(random_set(random));
    set_index index;
    std::vector<bool> gone(sets.size(), false);
    const auto all_for = [&](std::size_t known, const auto& is_wanted) {
      std::vector<std::size_t> out;
      for (std::size_t i = 0; i < known; ++i)
        if (!gone[i] && is_wanted(sets[i]))
          out.push_back(i);
      return out;
    };
    // Sets come, are asked for, and go.
    for (std::size_t known = 0; known < sets.size(); ++known) {
      index.add(sets[known]);
      const auto asked = random_set(random);
      CHECK(index.compatible(asked) == all_for(known + 1, [&](const auto& s) { return !contradict(s, asked); }));
      CHECK(index.inside(asked) == all_for(known + 1, [&](const auto& s) { return is_part_of(s, asked); }));
      CHECK(index.related(asked) ==
            all_for(known + 1, [&](const auto& s) { return !contradict(s, asked) || share_a_value(s, asked); }));
      CHECK(index.has_narrower(asked) ==
            !all_for(known + 1, [&](const auto& s) { return s != asked && is_part_of(s, asked); }).empty());
      if (random() % 3 == 0) {
        const auto leaving = random() % (known + 1);
        index.remove(leaving);
        gone[leaving] = true;
      }
      CHECK(index.has(known) == !gone[known]);
    }
  }
}
