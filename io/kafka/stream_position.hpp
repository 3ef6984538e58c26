#pragma once

#include "detectors/values/event_batch.hpp"

#include <cstdint>

namespace tocsin::io::kafka {

/// A message may hold many records, and a journal entry or a rewind point names one of them. So the position of a
/// record in a partition's stream is the offset of its message, and the byte of the message's value at which it begins:
///
///     position = offset * 2^24 + byte
///
/// which orders records as the partition does, for messages of up to 16 MiB and offsets up to 2^39.
inline constexpr int byte_bits = 24;
inline constexpr std::int64_t largest_message = std::int64_t{1} << byte_bits;
inline constexpr std::int64_t largest_offset = (std::int64_t{1} << (62 - byte_bits)) - 1;

inline constexpr stream_offset position_of(std::int64_t message_offset, std::int64_t byte = 0) {
  return message_offset * largest_message + byte;
}
inline constexpr std::int64_t message_of(stream_offset position) {
  return position / largest_message;
}
inline constexpr std::int64_t byte_of(stream_offset position) {
  return position % largest_message;
}

} // namespace tocsin::io::kafka
