#include "detectors/judging/exclusions.hpp"

#include "detectors/values/key.hpp"

#include <algorithm>

namespace tocsin {

std::optional<key_matcher> key_matcher::of(const monitor_spec& monitor,
                                           const std::vector<std::pair<std::string, std::string>>& values) {
  key_matcher out;
  for (const auto& [dimension, value] : values) {
    const auto found = std::find(monitor.dimensions.begin(), monitor.dimensions.end(), dimension);
    if (found == monitor.dimensions.end())
      return std::nullopt;
    out.values_.emplace_back(static_cast<std::uint32_t>(found - monitor.dimensions.begin()), value);
  }
  return out;
}

bool key_matcher::has(std::uint32_t dimension, const key_value& value) const {
  return std::any_of(values_.begin(), values_.end(),
                     [&](const auto& wanted) { return wanted.first == dimension && wanted.second == shown(value); });
}

/// How many of the values the key has.
std::size_t key_matcher::matching(const monitor_spec& monitor, std::string_view key) const {
  std::size_t found = 0;
  key_reader reader(key.substr(1));
  key_value value;
  for (const auto dimension : level_at(monitor, static_cast<std::uint8_t>(key[0])).dimensions) {
    if (!reader.next(value))
      break;
    found += has(dimension, value) ? 1U : 0U;
  }
  return found;
}

bool key_matcher::covers(const monitor_spec& monitor, std::string_view key) const {
  return values_.empty() || matching(monitor, key) == values_.size();
}

bool key_matcher::covers_leaf(std::string_view leaf) const {
  std::size_t found = 0;
  key_reader reader(leaf);
  key_value value;
  for (std::uint32_t dimension = 0; reader.next(value); ++dimension)
    found += has(dimension, value) ? 1U : 0U;
  return found == values_.size();
}

bool key_matcher::is(const monitor_spec& monitor, std::string_view key) const {
  return level_at(monitor, static_cast<std::uint8_t>(key[0])).dimensions.size() == values_.size() &&
         covers(monitor, key);
}

void exclusions::add(const operator_action& action) {
  if (action.kind != action_kind::exclude || action.monitor != monitor_->name)
    return;
  if (auto keys = key_matcher::of(*monitor_, action.key))
    all_.push_back({action.from, action.to, action.in_force, std::move(*keys)});
}

void exclusions::advance(tick_index tick) {
  in_force_.clear();
  now_.clear();
  const auto from = tick_start(tick, monitor_->tick);
  const auto to = tick_end(tick, monitor_->tick);
  for (std::size_t i = 0; i < all_.size(); ++i) {
    const auto& one = all_[i];
    if (one.in_force >= to)
      continue;
    in_force_.push_back(i);
    if (one.from < to && one.to > from)
      now_.push_back(i);
  }
}

bool exclusions::covers_now(key_slot slot) const {
  return std::any_of(now_.begin(), now_.end(),
                     [&](std::size_t i) { return all_[i].keys.covers(*monitor_, (*keys_)[slot].bytes); });
}

bool exclusions::covers_range(key_slot slot, time_ms from, time_ms to) const {
  return std::any_of(in_force_.begin(), in_force_.end(), [&](std::size_t i) {
    const auto& one = all_[i];
    return one.from < to && one.to > from && one.keys.covers(*monitor_, (*keys_)[slot].bytes);
  });
}

bool exclusions::covers_leaf_in_range(std::string_view leaf, time_ms from, time_ms to) const {
  return std::any_of(in_force_.begin(), in_force_.end(), [&](std::size_t i) {
    const auto& one = all_[i];
    return one.from < to && one.to > from && one.keys.covers_leaf(leaf);
  });
}

} // namespace tocsin
