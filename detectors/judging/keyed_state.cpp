#include "detectors/judging/keyed_state.hpp"

#include <algorithm>
#include <unordered_map>
#include <utility>

namespace tocsin {

namespace {

/// An eighth below capacity, so that a flood of keys pays for the search once in many keys.
std::uint64_t relieved(std::uint64_t capacity) {
  return capacity - capacity / 8;
}

} // namespace

std::string_view scope_of(std::string_view bytes, std::uint32_t scope_size) {
  key_reader reader(bytes.substr(1));
  key_value value;
  std::size_t size = 0;
  for (std::uint32_t i = 0; i < scope_size && reader.next(value); ++i)
    size += value.encoded.size();
  return bytes.substr(1, size);
}

std::uint64_t part_of_shard(std::uint64_t capacity, const monitor_spec& monitor) {
  return std::max<std::uint64_t>(1, monitor.scope_size == 0 ? capacity : capacity / shard_count);
}

std::string root_key(std::string_view scope_bytes) {
  std::string key(1, '\0');
  key.append(scope_bytes);
  return key;
}

std::string type_key_of(const monitor_spec& monitor, std::string_view root_bytes, std::string_view type) {
  std::string key(root_bytes);
  key[0] = static_cast<char>(type_level_of(monitor));
  key.append(type);
  return key;
}

bool is_pooled(std::string_view key_bytes) {
  key_reader reader(key_bytes.substr(1));
  for (key_value value; reader.next(value);)
    if (value.tag == value_tag::pooled)
      return true;
  return false;
}

keyed_state::keyed_state(const monitor_spec& monitor)
    : monitor_(&monitor), max_keys_(part_of_shard(monitor.capacity.max_keys, monitor)),
      max_scopes_(part_of_shard(monitor.capacity.max_scopes, monitor)) {}

key_slot keyed_state::touch(const key_hash& hash, std::string_view bytes, std::uint32_t level, key_slot root,
                            tick_index tick, bool& is_new) {
  const auto known = index_.find(hash);
  is_new = known == index_.end();
  key_slot slot = no_slot;
  if (is_new) {
    slot = restore(bytes, level, tick, tick);
    auto& record = records_[slot];
    record.root = level == 0 ? slot : root;
    ++created_total_;
  } else {
    slot = known->second;
    records_[slot].last_tick = tick;
  }
  mark_changed(slot);
  return slot;
}

key_slot keyed_state::restore(std::string_view bytes, std::uint32_t level, tick_index created, tick_index last_tick) {
  key_slot slot = no_slot;
  if (free_.empty()) {
    slot = static_cast<key_slot>(records_.size());
    records_.emplace_back();
  } else {
    slot = free_.back();
    free_.pop_back();
  }
  auto& record = records_[slot];
  record.hash = hash_key(bytes);
  record.bytes.assign(bytes);
  record.level = level;
  record.root = no_slot;
  record.created = created;
  record.last_tick = last_tick;
  record.holds = 0;
  record.alive = true;
  record.changed = false;
  index_[record.hash] = slot;
  if (level == 0)
    ++scopes_;
  return slot;
}

bool keyed_state::link_roots() {
  for (auto& record : records_) {
    if (!record.alive)
      continue;
    const auto root = find(hash_key(root_key(scope_of(record.bytes, monitor_->scope_size))));
    if (!root)
      return false;
    record.root = *root;
  }
  return true;
}

std::optional<key_slot> keyed_state::find(const key_hash& hash) const {
  const auto known = index_.find(hash);
  return known == index_.end() ? std::nullopt : std::optional<key_slot>(known->second);
}

void keyed_state::mark_changed(key_slot slot) {
  auto& record = records_[slot];
  if (record.changed)
    return;
  record.changed = true;
  changed_.push_back(slot);
}

std::vector<key_slot> keyed_state::take_changed() {
  for (const auto slot : changed_)
    records_[slot].changed = false;
  return std::exchange(changed_, {});
}

std::vector<std::string> keyed_state::take_erased() {
  return std::exchange(erased_, {});
}

bool keyed_state::colder(key_slot a, key_slot b) const {
  const auto& x = records_[a];
  const auto& y = records_[b];
  return x.last_tick != y.last_tick ? x.last_tick < y.last_tick : x.bytes < y.bytes;
}

bool keyed_state::may_go(key_slot slot) const {
  const auto& record = records_[slot];
  return record.alive && record.level != 0 && record.holds == 0 && !is_pooled(record.bytes);
}

std::vector<key_slot> keyed_state::surplus() const {
  std::vector<key_slot> leaving;
  if (index_.size() <= max_keys_ && scopes_ <= max_scopes_)
    return leaving;

  // Group the keys by scope.
  std::unordered_map<key_slot, std::vector<key_slot>> members;
  std::unordered_map<key_slot, bool> held;
  for (key_slot slot = 0; slot < records_.size(); ++slot) {
    const auto& record = records_[slot];
    if (!record.alive)
      continue;
    members[record.root].push_back(slot);
    held[record.root] = held[record.root] || record.holds > 0;
  }
  std::vector<key_slot> roots;
  roots.reserve(members.size());
  for (const auto& scope : members)
    roots.push_back(scope.first);
  std::sort(roots.begin(), roots.end(), [&](key_slot a, key_slot b) { return colder(a, b); });

  // Whole scopes, the coldest first.
  std::size_t keys = index_.size();
  std::size_t scopes = roots.size();
  for (auto it = roots.begin(); scopes_ > max_scopes_ && it != roots.end() && scopes > relieved(max_scopes_);) {
    if (held[*it]) {
      ++it;
      continue;
    }
    auto& gone = members[*it];
    for (const auto slot : gone)
      if (slot != *it)
        leaving.push_back(slot);
    leaving.push_back(*it);
    keys -= gone.size();
    --scopes;
    members.erase(*it);
    it = roots.erase(it);
  }

  // Then single keys: the largest scopes are cut down to one common size that just fits.
  if (keys <= max_keys_)
    return leaving;
  std::vector<std::size_t> sizes;
  sizes.reserve(roots.size());
  for (const auto root : roots)
    sizes.push_back(members[root].size());
  std::sort(sizes.begin(), sizes.end());
  std::size_t left = relieved(max_keys_), level = 0;
  for (std::size_t i = 0; i < sizes.size(); ++i) {
    level = left / (sizes.size() - i);
    if (sizes[i] >= level)
      break;
    left -= sizes[i];
  }
  for (const auto root : roots) {
    auto& own = members[root];
    if (own.size() <= level)
      continue;
    auto many = own.size() - level;
    own.erase(std::remove_if(own.begin(), own.end(), [&](key_slot slot) { return !may_go(slot); }), own.end());
    many = std::min(many, own.size());
    const auto cut = own.begin() + static_cast<std::ptrdiff_t>(many);
    if (cut != own.end())
      std::nth_element(own.begin(), cut, own.end(), [&](key_slot a, key_slot b) { return colder(a, b); });
    leaving.insert(leaving.end(), own.begin(), cut);
  }
  return leaving;
}

void keyed_state::erase(const std::vector<key_slot>& slots) {
  for (const auto slot : slots) {
    auto& record = records_[slot];
    if (record.level == 0)
      --scopes_;
    index_.erase(record.hash);
    erased_.push_back(std::move(record.bytes));
    record.bytes.clear();
    record.alive = false;
    free_.push_back(slot);
  }
}

std::size_t keyed_state::memory_bytes() const {
  return records_.capacity() * sizeof(key_record) + index_.bucket_count() * (sizeof(key_hash) + 2 * sizeof(key_slot)) +
         (free_.capacity() + changed_.capacity()) * sizeof(key_slot);
}

} // namespace tocsin
