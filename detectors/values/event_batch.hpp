#pragma once

#include "detectors/values/key.hpp"
#include "detectors/values/time.hpp"

#include <array>
#include <cstdint>
#include <string>
#include <vector>

namespace tocsin {

/// What a record that is a rate without denominator stands for. Not a sample size: see effective_counts.
inline constexpr std::int64_t rate_units = 1'000'000'000;

using partition_id = std::uint32_t;
/// Position in the decoded (decompressed) stream of a partition: bytes for files, offsets for Kafka.
using stream_offset = std::int64_t;

/// What one monitor sees of one event.
struct observation {
  key_hash leaf;               ///< hash of the leaf key
  std::uint32_t key_begin = 0; ///< leaf key: event_batch::key_bytes[key_begin, key_begin + key_size)
  std::uint16_t key_size = 0;
  std::uint16_t scope_size = 0; ///< the first scope_size bytes of the leaf key are the scope value
  std::uint8_t viewer_bit = 0;  ///< bit 0..63 of the viewer in the bitmap of failing viewers
  bool has_viewer = false;
  std::uint16_t type_size = 0;  ///< 0: no error type is asked for, or nothing failed
  std::uint32_t type_begin = 0; ///< error type, encoded as a value of a key, in event_batch::key_bytes
  std::int64_t total = 0;       ///< weight; 0 = this monitor does not count the event
  std::int64_t failed = 0;      ///< 0 <= failed <= total
};

struct event {
  time_ms time = 0;
  stream_offset offset = 0; ///< where its record begins
};

enum class reject_reason : std::uint8_t {
  malformed, ///< not parseable as the format
  too_long,  ///< longer than max_record_bytes
  missing_time,
  bad_time,
  missing_outcome, ///< total or failed is configured and absent
  bad_count,       ///< total or failed is no whole number, negative, or failed > total
  bad_type,        ///< a field has a type that cannot be a dimension (object or array)
  too_far_ahead,   ///< event time beyond max_ahead and contradicted by its successors
  too_late,        ///< older than the correction window
};
inline constexpr std::size_t reject_reasons = 9;
/// Stable snake_case name, used in metrics, summaries and the dead-letter file.
const char* name_of(reject_reason reason);

/// A record that could not be used; it goes to the dead-letter sink and is counted by reason.
struct reject {
  partition_id partition = 0;
  stream_offset offset = 0;
  reject_reason reason = reject_reason::malformed;
  std::string detail;  ///< what was found and what would be right, one line
  std::string excerpt; ///< at most 200 bytes of the record
};

/// So many rejects of one block are told in full; the rest are only counted, so that garbage cannot fill the memory.
inline constexpr std::size_t max_told_rejects = 1000;

/// One decoded block of one partition, in record order. Produced by a decoder, consumed by the partition's
/// counter, then recycled (`clear` keeps the memory).
struct event_batch {
  partition_id partition = 0;
  std::uint64_t sequence = 0;    ///< number of the block within its partition and incarnation, from 0
  std::uint64_t incarnation = 0; ///< of the world; older ones are ignored
  stream_offset begin = 0;       ///< offset of the block's first byte
  stream_offset next_offset = 0; ///< offset just behind the block
  std::uint64_t raw_bytes = 0;   ///< credit to give back when the block is counted
  std::vector<event> events;
  /// observations[m][i] is what monitor m sees of events[i]; one vector a monitor, each as long as events.
  std::vector<std::vector<observation>> observations;
  std::string key_bytes;                              ///< arena of the leaf keys and error types
  std::vector<reject> rejects;                        ///< in record order, at most max_told_rejects
  std::array<std::uint64_t, reject_reasons> untold{}; ///< rejects beyond these, by reason
  std::uint64_t filtered = 0;                         ///< records that `where` leaves out
  std::uint64_t hashed_values = 0;                    ///< dimension values over 256 bytes

  void clear();
  /// Adds a reject while there is room for it, else counts it. `tell` makes detail and excerpt.
  template <class Tell>
  void refuse(stream_offset offset, reject_reason reason, const Tell& tell) {
    if (rejects.size() >= max_told_rejects) {
      ++untold[static_cast<std::size_t>(reason)];
      return;
    }
    rejects.push_back({partition, offset, reason, {}, {}});
    tell(rejects.back());
  }
};

} // namespace tocsin
