#pragma once

#include "detectors/engine/world.hpp"
#include "detectors/values/event_batch.hpp"
#include "detectors/values/key.hpp"
#include "detectors/values/monitor_spec.hpp"

#include <algorithm>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

namespace tocsin::evaluation {

/// A leaf key, ready to be counted.
struct leaf_key {
  key_hash hash;
  std::string bytes;
};
/// The leaf key with these values of the monitor's dimensions.
leaf_key make_leaf(const std::vector<std::string>& values);

/// A record of the alert log, as much of it as is measured.
struct incident_record {
  std::uint32_t detector = 0; ///< index in the monitor
  alert_kind kind = alert_kind::open;
  time_ms tick = 0;      ///< end of the tick that decided
  std::string key_bytes; ///< as in `alert`
  std::string id{};
  std::vector<contributor> contributors{};
};

/// What is open after some records of one world. Value.
class open_incidents {
public:
  void follow(const incident_record& record) {
    if (record.kind == alert_kind::open)
      open_.emplace(record.detector, record.key_bytes);
    else
      open_.erase({record.detector, record.key_bytes});
  }
  bool contains(std::uint32_t detector, const std::string& key_bytes) const {
    return open_.count({detector, key_bytes}) > 0;
  }
  /// Calls `visit(detector, key_bytes)` for each.
  template <class Visit>
  void for_each(const Visit& visit) const {
    for (const auto& [detector, key_bytes] : open_)
      visit(detector, key_bytes);
  }

private:
  std::set<std::pair<std::uint32_t, std::string>> open_;
};

/// Openings after `from`, of one detector.
std::size_t count_openings(const std::vector<incident_record>& records, std::uint32_t detector, time_ms from,
                           time_ms to = end_of_time);

/// The same, and the incidents of the detector that are open at `from`.
std::size_t count_episodes(const std::vector<incident_record>& records, std::uint32_t detector, time_ms from);

/// The engine through its public path: counted records in (one a key and tick, or single events), alert records out. A
/// world of one monitor without scope, one partition, records in order of time. One thread.
///
/// A fork is a second engine that starts at a moment of the first, through the state that a restart would begin with.
class engine_feed {
public:
  explicit engine_feed(std::shared_ptr<const world_spec> spec);
  engine_feed(std::shared_ptr<const world_spec> spec, const world_snapshot& from);

  void add(const leaf_key& key, time_ms time, std::int64_t total, std::int64_t failed);
  /// Judges every tick that ends by `time`; later records must not be earlier.
  void close(time_ms time);
  /// The state at a close(), for a fork; to be asked for right after it.
  world_snapshot snapshot();
  /// Opens, resolves and expiries decided by the last close() since the last call, in log order; updates only where
  /// the monitor attributes.
  std::vector<incident_record> take_records() { return std::exchange(records_, {}); }
  std::uint64_t records_fed() const { return static_cast<std::uint64_t>(batch_.next_offset); }
  std::optional<attribution_view> attribute(std::string_view key, time_ms since) const {
    return world_.attribute(0, key, since);
  }
  shard_stats state_stats() const { return world_.state_stats(); }
  const std::optional<std::string>& error() const { return world_.error(); }

private:
  /// Orders record keys by their last bytes first: pages end with their number, lowest byte first, and a restart is
  /// many times as fast where they come by number.
  struct from_the_end {
    bool operator()(const std::string& a, const std::string& b) const {
      return std::lexicographical_compare(a.rbegin(), a.rend(), b.rbegin(), b.rend(), [](char x, char y) {
        return static_cast<unsigned char>(x) < static_cast<unsigned char>(y);
      });
    }
  };

  void flush();
  void collect();

  std::shared_ptr<const world_spec> spec_;
  world world_;
  event_batch batch_;
  std::vector<incident_record> records_;
  std::map<std::string, std::string, from_the_end> state_; ///< all commits so far, merged
};

/// A world for evaluations: one monitor over `dimensions` without scope, levels as given. No lateness: delays are the
/// detector's own. Every detector is in shadow, so that none shares its budget with another.
std::shared_ptr<world_spec> evaluation_world(std::vector<std::string> dimensions, std::vector<level_spec> levels,
                                             time_ms tick, std::vector<detector_spec> detectors);

/// Whether this build has the detector: make_detector knows it.
bool is_available(const detector_spec& spec);

} // namespace tocsin::evaluation
