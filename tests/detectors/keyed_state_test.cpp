#include "detectors/judging/keyed_state.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <random>
#include <set>
#include <string>
#include <vector>

using namespace tocsin;

namespace {

monitor_spec monitor_with(std::uint64_t max_keys, std::uint64_t max_scopes) {
  monitor_spec monitor;
  monitor.dimensions = {"scope", "key"};
  monitor.scope_size = 1;
  monitor.levels = {{{0}}, {{0, 1}}};
  monitor.capacity.max_keys = max_keys * shard_count;
  monitor.capacity.max_scopes = max_scopes * shard_count;
  return monitor;
}

struct made_key {
  std::string scope, key;
  tick_index tick;
};

key_slot touch(keyed_state& keys, const made_key& what) {
  std::string root, child;
  append_text(root, what.scope);
  root = root_key(root);
  bool is_new = false;
  const auto root_slot = keys.touch(hash_key(root), root, 0, no_slot, what.tick, is_new);
  if (what.key.empty())
    return root_slot;
  child = root;
  child[0] = 1;
  if (what.key == "(other)")
    append_pooled(child);
  else
    append_text(child, what.key);
  return keys.touch(hash_key(child), child, 1, root_slot, what.tick, is_new);
}

std::set<std::string> bytes_of(const keyed_state& keys, const std::vector<key_slot>& slots) {
  std::set<std::string> all;
  for (const auto slot : slots)
    all.insert(keys[slot].bytes);
  return all;
}

} // namespace

TEST_CASE("the largest scope gives up its coldest keys, the others none") {
  const auto monitor = monitor_with(40, 10);
  keyed_state keys(monitor);
  for (int i = 0; i < 60; ++i)
    touch(keys, {"flood", "k" + std::to_string(i), 1000 + i}); // all of them younger than the calm ones
  for (int i = 0; i < 8; ++i)
    touch(keys, {"calm", "k" + std::to_string(i), 10 + i});
  const auto gone = keys.surplus();
  CHECK(keys.size() - gone.size() == 35); // an eighth of the room is free again
  for (const auto slot : gone) {
    CHECK(keys[slot].level == 1);
    CHECK(keys[keys[slot].root].last_tick == 1059); // the flood's root
  }
  auto coldest_left = keys[gone[0]].last_tick;
  for (const auto slot : gone)
    coldest_left = std::max(coldest_left, keys[slot].last_tick);
  CHECK(coldest_left == 1000 + static_cast<tick_index>(gone.size()) - 1);
}

TEST_CASE("too many scopes: the coldest go whole, those with an open incident and pooled keys stay") {
  const auto monitor = monitor_with(1000, 4);
  keyed_state keys(monitor);
  for (int i = 0; i < 8; ++i)
    touch(keys, {"s" + std::to_string(i), "k", 100 + i});
  keys[touch(keys, {"s0", "k", 100})].holds = 1;
  const auto gone = keys.surplus();
  const auto left = bytes_of(keys, gone);
  CHECK(gone.size() == 2 * 4); // from 8 scopes to 4
  for (const auto slot : gone)
    CHECK(keys[slot].last_tick != 100);
  keys.erase(gone);
  CHECK(keys.size() == 8);
  CHECK(keys.surplus().empty());

  const auto few = monitor_with(8, 10);
  keyed_state small(few);
  touch(small, {"s", "(other)", 0}); // the coldest of all
  for (int i = 0; i < 20; ++i)
    touch(small, {"s", "k" + std::to_string(i), 10 + i});
  for (const auto slot : small.surplus())
    CHECK_FALSE(is_pooled(small[slot].bytes));
}

TEST_CASE("who goes does not depend on the order in which keys came") {
  std::vector<made_key> all;
  std::mt19937 random(3);
  for (int scope = 0; scope < 7; ++scope)
    for (int i = 0; i < 3 + 9 * scope; ++i)
      all.push_back({"s" + std::to_string(scope), "k" + std::to_string(i), static_cast<tick_index>(random() % 20)});
  const auto monitor = monitor_with(60, 6);
  std::set<std::string> reference;
  for (int round = 0; round < 20; ++round) {
    keyed_state keys(monitor);
    std::vector<std::pair<made_key, tick_index>> order;
    for (const auto& key : all)
      touch(keys, key);
    // The roots' last ticks depend on the order of touching; set them alike.
    for (key_slot slot = 0; slot < keys.slots(); ++slot)
      if (keys[slot].level == 0)
        keys[slot].last_tick = 30;
    const auto gone = bytes_of(keys, keys.surplus());
    if (round == 0)
      reference = gone;
    CHECK(gone == reference);
    CHECK(!gone.empty());
    std::shuffle(all.begin(), all.end(), random);
  }
}
