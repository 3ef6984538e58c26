#include "detectors/counting/tick_slice.hpp"

#include <algorithm>

namespace tocsin {

bool judged_before(const tick_slice& a, const tick_slice& b) {
  if (a.end != b.end)
    return a.end < b.end;
  if (a.monitor != b.monitor)
    return a.monitor < b.monitor;
  return a.partition < b.partition;
}

std::vector<late_part>::const_iterator tick_slice::first_late(std::uint32_t cell) const {
  return std::lower_bound(late.begin(), late.end(), cell,
                          [](const late_part& part, std::uint32_t at) { return part.cell < at; });
}

void closed_range::index() {
  for (const auto& slice : slices)
    for (std::size_t s = 0; s < shard_count; ++s)
      if (slice->has_shard(s) || slice->types.has_shard(s))
        of_shard[s].push_back(slice.get());
}

} // namespace tocsin
