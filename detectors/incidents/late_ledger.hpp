#pragma once

#include "detectors/judging/keyed_state.hpp"
#include "detectors/judging/roll_up.hpp"
#include "detectors/values/codec.hpp"
#include "detectors/values/time.hpp"

#include <tsl/robin_map.h>

#include <cstdint>
#include <vector>

namespace tocsin {

/// Late events of the keys of one monitor in one shard, by the minute to which they belong: an incident must not count
/// those of the time before its onset. Keeps the last few minutes' worth a key, and nothing where nothing is late.
/// Owned by a monitor_shard; part of the keys' state; total.
class late_ledger {
public:
  struct sums {
    std::int64_t total = 0;
    std::int64_t failed = 0;
  };

  /// `tick_length`: of the monitor; `keep`: how long after it was counted a late event is remembered.
  late_ledger(time_ms tick_length, time_ms keep) : tick_length_(tick_length), keep_ticks_(keep / tick_length) {}

  void add(const closed_tick& tick);
  /// What was counted from tick `onset` through `now`, but belongs before `onset`.
  sums before(key_slot slot, tick_index onset, tick_index now) const;
  void forget(const std::vector<bool>& slots);

  void save(key_slot slot, state_writer& out) const;
  bool load(key_slot slot, state_reader& in);
  std::size_t memory_bytes() const;

private:
  struct entry {
    tick_index counted = 0; ///< the tick that took it
    time_ms minute = 0;     ///< begin of its own
    sums counts;
  };
  static constexpr std::size_t most_entries = 16; ///< a key; then the oldest go

  time_ms tick_length_;
  tick_index keep_ticks_;
  tsl::robin_map<key_slot, std::vector<entry>> late_;
};

} // namespace tocsin
