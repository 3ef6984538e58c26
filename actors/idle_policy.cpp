#include "actors/idle_policy.hpp"

#include <algorithm>

namespace tocsin::actors {

idle_policy::idle_policy(std::size_t partitions, settings numbers) : numbers_(numbers), partitions_(partitions) {}

bool idle_policy::let_go(partition_id partition, time_ms now) const {
  const auto& since = partitions_[partition].silent_since;
  return since && now - *since >= numbers_.idle_timeout;
}

std::vector<idle_policy::advance> idle_policy::due(const tick_gate& gate, time_ms now, time_ms wall) {
  // Those that are still heard decide; if there are none, the wall clock does.
  auto target = wall - numbers_.idle_timeout - numbers_.lateness;
  bool heard = false;
  for (partition_id p = 0; p < partitions_.size(); ++p) {
    if (gate.ended(p) || let_go(p, now))
      continue;
    target = heard ? std::min(target, gate.watermark(p)) : gate.watermark(p);
    heard = true;
  }

  std::vector<advance> out;
  for (partition_id p = 0; p < partitions_.size(); ++p) {
    if (gate.ended(p) || !let_go(p, now))
      continue;
    auto& mine = partitions_[p];
    const auto reached = std::max(gate.watermark(p), mine.advanced_to);
    if (target <= reached || tick_of(target, numbers_.tick) <= tick_of(reached, numbers_.tick))
      continue;
    mine.advanced_to = target;
    out.push_back({p, target});
  }
  return out;
}

} // namespace tocsin::actors
