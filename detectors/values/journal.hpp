#pragma once

#include "detectors/values/event_batch.hpp"
#include "detectors/values/time.hpp"

#include <vector>

namespace tocsin {

/// Why a journal entry exists.
enum class journal_kind : std::uint8_t {
  idle = 0, ///< a silent partition was let go: its watermark moved without a record
  end = 1,  ///< the present end of the partition was treated as the end of input
};
const char* name_of(journal_kind kind);

/// A fact that the records do not hold and a verdict depends on. Applies to a partition just before its record at
/// `offset` (or at its end): the partition's watermark is raised to `watermark`. Of several entries at one
/// (partition, offset) only the highest matters.
struct journal_entry {
  partition_id partition = 0;
  stream_offset offset = 0;
  time_ms watermark = 0;
  journal_kind kind = journal_kind::idle;
  friend bool operator==(const journal_entry& a, const journal_entry& b) {
    return a.partition == b.partition && a.offset == b.offset && a.watermark == b.watermark && a.kind == b.kind;
  }
};

/// Where to read a partition again so that every record of an unjudged tick is seen: the offset of a record and
/// the watermark just before it.
struct rewind_point {
  stream_offset offset = 0;
  time_ms watermark = beginning_of_time;
  friend bool operator==(const rewind_point& a, const rewind_point& b) {
    return a.offset == b.offset && a.watermark == b.watermark;
  }
};

} // namespace tocsin
