#pragma once

#include "detectors/values/event_batch.hpp"

#include <cstdint>
#include <vector>

namespace tocsin::actors {

/// Bytes of records that each partition may have between the source and its counter. The budget of a partition is at
/// any time split into what is lent (the source may use it, or it is on its way through decoder and counter) and what
/// is held back here.
///
/// A value, owned by the world's coordinator. Total: a block longer than the credit left makes `lent` smaller than the
/// bytes on their way, never the sum wrong.
class credit_ledger {
public:
  credit_ledger(std::size_t partitions, std::uint64_t budget);

  /// A block was counted: its bytes are here now.
  void earn(partition_id partition, std::uint64_t bytes);
  /// Lends everything that is held back and returns how much that was (0: send nothing).
  std::uint64_t lend(partition_id partition);

  std::uint64_t held(partition_id partition) const { return held_[partition]; }
  std::int64_t lent(partition_id partition) const;

private:
  std::uint64_t budget_;
  std::vector<std::uint64_t> held_;
};

} // namespace tocsin::actors
