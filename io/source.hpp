#pragma once

#include "detectors/values/event_batch.hpp"
#include "io/result.hpp"

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

namespace tocsin::io {

/// Bytes that every block has behind its data, zeroed, so that SIMD parsers may read over the end.
inline constexpr std::size_t block_padding = 64;

/// Whole records of one partition, in order, as they are in the decoded (decompressed) stream.
struct raw_block {
  partition_id partition = 0;
  std::uint64_t sequence = 0;    ///< set by the source actor
  std::uint64_t incarnation = 0; ///< set by the source actor
  stream_offset begin = 0;       ///< offset of data[0]
  stream_offset next_offset = 0; ///< offset behind the block: begin of the next one
  std::string data; ///< `size` bytes of records, each ended by '\n' (the last of a stream may lack it), then
                    ///< block_padding zeros
  std::size_t size = 0;
  bool oversized = false; ///< one record longer than max_record_bytes: data holds its first 200 bytes only
  std::shared_ptr<const std::string> header; ///< CSV: the header line that rules this block, without line end

  void clear();
};

enum class read_outcome {
  block, ///< `out` holds at least one record
  idle,  ///< nothing to read now; more may come (following)
  ended, ///< the end of input; stays so
};

/// A set of partitions, each a stream of records that can be read again from an offset.
/// Owned and called by one thread (the source actor's); may block for a short time only.
class source {
public:
  virtual ~source() = default;
  virtual std::size_t partitions() const = 0;
  /// Stable name of a partition, for example the path given by the user; identifies it in the state.
  virtual const std::string& name(partition_id partition) const = 0;
  /// Goes to the record that begins at `offset`. `position` is what position() gave when that offset was committed
  /// (empty: the partition's beginning is where it was). Errors: the data is no longer there.
  virtual result<void> seek(partition_id partition, stream_offset offset, const std::string& position) = 0;
  /// The next block: whole records, at most `max_bytes` unless the first record is longer.
  virtual result<read_outcome> read(partition_id partition, std::size_t max_bytes, raw_block& out) = 0;
  /// True if read() itself waits a moment for records of this partition (a pipe), so that an idle answer may be
  /// followed by the next call at once.
  virtual bool waits(partition_id /*partition*/) const { return false; }
  /// Opaque bytes to store with a committed offset, from which seek() finds it again (which file begins where).
  virtual std::string position(partition_id partition, stream_offset offset) const = 0;
  /// Bytes of input as stored (compressed), if known, and how many of them are read: for progress only.
  virtual std::optional<std::uint64_t> bytes_total() const { return std::nullopt; }
  virtual std::uint64_t bytes_read() const { return 0; }
};

} // namespace tocsin::io
