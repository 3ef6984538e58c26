#pragma once

#include "detectors/values/event_batch.hpp"
#include "detectors/values/journal.hpp"
#include "detectors/values/key.hpp"
#include "detectors/values/time.hpp"

#include <array>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace tocsin {

/// Counts of one leaf key in one tick of one partition.
struct leaf_cell {
  key_hash leaf;
  std::int64_t total = 0;
  std::int64_t failed = 0;
  std::uint64_t failing_viewers = 0; ///< bitmap of the viewers that failed
  std::uint32_t key_begin = 0;       ///< in tick_slice::key_bytes
  std::uint16_t key_size = 0;
  std::uint16_t scope_size = 0;
  std::uint32_t shard = 0;
};

/// Part of a leaf cell that came late: its own tick was closed already.
struct late_part {
  std::uint32_t cell = 0; ///< position in tick_slice::cells
  time_ms minute = 0;     ///< begin of the minute to which it belongs
  std::int64_t total = 0;
  std::int64_t failed = 0;
};

/// Cells of a closed tick, with the bytes of their keys.
struct cell_columns {
  std::vector<leaf_cell> cells; ///< sorted by shard
  std::string key_bytes;
  std::array<std::uint32_t, shard_count + 1> shard_begin{}; ///< cells of shard s: [shard_begin[s], shard_begin[s+1])

  std::string_view key_of(const leaf_cell& cell) const {
    return std::string_view(key_bytes).substr(cell.key_begin, cell.key_size);
  }
  bool has_shard(std::size_t shard) const { return shard_begin[shard] != shard_begin[shard + 1]; }
};

/// What one partition counted for one monitor in one closed tick: immutable, shared with every shard.
struct tick_slice : cell_columns {
  std::uint32_t monitor = 0;
  tick_index tick = 0;
  time_ms end = 0; ///< end of the tick
  partition_id partition = 0;
  stream_offset first_offset = 0; ///< of the first record counted here
  rewind_point restart;           ///< where counting may start again to see every record counted here
  std::vector<late_part> late;    ///< sorted by cell and minute
  /// Failures alone, by leaf key and error type (the last value of the key); none where nothing names types.
  cell_columns types;

  /// The first late part of a cell at or behind this position.
  std::vector<late_part>::const_iterator first_late(std::uint32_t cell) const;
};
using tick_slice_ptr = std::shared_ptr<const tick_slice>;

/// Order in which a world judges: by end of tick, monitor, partition.
bool judged_before(const tick_slice& a, const tick_slice& b);

/// Ticks that every partition of the world has closed, to be judged together.
struct closed_range {
  time_ms through = beginning_of_time; ///< every tick that ends at or before this is closed
  std::vector<tick_slice_ptr> slices;  ///< in judging order
  /// of_shard[s]: the slices that have cells of shard s, in judging order.
  std::array<std::vector<const tick_slice*>, shard_count> of_shard;

  /// Fills of_shard from slices.
  void index();
};

} // namespace tocsin
