#pragma once

#include "detectors/values/key.hpp"
#include "detectors/values/monitor_spec.hpp"
#include "detectors/values/time.hpp"

#include <tsl/robin_map.h>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace tocsin {

/// Place of a key in the columns of a shard; used again after the key has gone.
using key_slot = std::uint32_t;
inline constexpr key_slot no_slot = ~key_slot{0};

/// What a shard knows of a key besides its detectors' states.
struct key_record {
  key_hash hash;
  std::string bytes; ///< level number (one byte), then the values of the level's dimensions, scope first
  std::uint32_t level = 0;
  key_slot root = no_slot; ///< the root key of its scope; itself for a root
  tick_index created = 0;
  tick_index last_tick = 0; ///< last tick with events
  std::uint32_t holds = 0;  ///< open incidents: the key must stay
  bool alive = false;
  bool changed = false; ///< since the last commit
};

/// The keys of one monitor in one shard: who they are, which slot each has, who must go when there is no room.
/// Owned by a monitor_shard. What it decides depends on keys and ticks only, never on the order of insertion.
class keyed_state {
public:
  /// Takes this shard's part of the monitor's capacity (all of it for a monitor without scope).
  explicit keyed_state(const monitor_spec& monitor);

  /// The key with these bytes (level byte first), created if it is new. `is_new` tells. `root`: no_slot for a root.
  key_slot touch(const key_hash& hash, std::string_view bytes, std::uint32_t level, key_slot root, tick_index tick,
                 bool& is_new);
  /// Adds a key while restoring; its root is linked by link_roots().
  key_slot restore(std::string_view bytes, std::uint32_t level, tick_index created, tick_index last_tick);
  /// After restoring: finds the root of every key. False if a key has none.
  bool link_roots();
  std::optional<key_slot> find(const key_hash& hash) const;

  const key_record& operator[](key_slot slot) const { return records_[slot]; }
  key_record& operator[](key_slot slot) { return records_[slot]; }
  std::size_t slots() const { return records_.size(); }
  std::size_t size() const { return index_.size(); }

  /// Marks a key for the next commit.
  void mark_changed(key_slot slot);
  /// Slots marked since the last call; dead ones among them are skipped by the caller (alive == false).
  std::vector<key_slot> take_changed();
  /// Keys erased since the last call, as bytes.
  std::vector<std::string> take_erased();

  /// Keys that must go because there are too many, so many that an eighth of the room is free again: first whole scopes
  /// beyond max_scopes, coldest first; then from the scopes with the most keys (water-filling), coldest first. Cold =
  /// least last_tick, then key bytes. Roots go only with their scope; keys with an open incident and pooled keys stay.
  /// Children come before their roots.
  std::vector<key_slot> surplus() const;
  /// Removes keys; their slots are free for others afterwards.
  void erase(const std::vector<key_slot>& slots);

  std::uint64_t created_total() const { return created_total_; }
  std::size_t memory_bytes() const;

private:
  bool colder(key_slot a, key_slot b) const;
  bool may_go(key_slot slot) const;

  const monitor_spec* monitor_;
  std::uint64_t max_keys_;
  std::uint64_t max_scopes_;
  std::vector<key_record> records_;
  std::vector<key_slot> free_;
  std::vector<key_slot> changed_;
  std::vector<std::string> erased_;
  std::uint64_t scopes_ = 0;
  std::uint64_t created_total_ = 0;
  tsl::robin_map<key_hash, key_slot, key_hash_hasher> index_;
};

/// A shard's part of a capacity of the monitor: all of it for a monitor without scope.
std::uint64_t part_of_shard(std::uint64_t capacity, const monitor_spec& monitor);
/// Bytes of the scope's root key for a scope value.
std::string root_key(std::string_view scope_bytes);
/// Bytes of the key of an error type (encoded) in the scope of this root.
std::string type_key_of(const monitor_spec& monitor, std::string_view root_bytes, std::string_view type);
/// The scope's part of a key: its first `scope_size` values behind the level byte.
std::string_view scope_of(std::string_view key_bytes, std::uint32_t scope_size);
/// True if any value of the key is the pooled tail.
bool is_pooled(std::string_view key_bytes);

} // namespace tocsin
