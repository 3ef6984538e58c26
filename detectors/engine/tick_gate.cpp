#include "detectors/engine/tick_gate.hpp"

#include <algorithm>

namespace tocsin {

tick_gate::tick_gate(std::size_t partitions) : partitions_(partitions) {}

void tick_gate::update(partition_id partition, time_ms watermark, bool ended, time_ms last_tick_end) {
  auto& state = partitions_[partition];
  state.watermark = std::max(state.watermark, watermark);
  state.ended = state.ended || ended;
  state.last_tick_end = std::max(state.last_tick_end, last_tick_end);
}

bool tick_gate::all_ended() const {
  return std::all_of(partitions_.begin(), partitions_.end(), [](const partition_state& p) { return p.ended; });
}

time_ms tick_gate::slowest() const {
  auto low = end_of_time;
  for (const auto& p : partitions_)
    if (!p.ended)
      low = std::min(low, p.watermark);
  return low;
}

time_ms tick_gate::frontier() const {
  if (!all_ended())
    return slowest();
  // Nothing more can come: the last tick closes, whatever the watermarks say.
  auto last = beginning_of_time;
  for (const auto& p : partitions_)
    last = std::max({last, p.last_tick_end, p.watermark});
  return last;
}

bool tick_gate::may_read(partition_id partition, time_ms lead) const {
  const auto& own = partitions_[partition];
  return !own.ended && own.watermark - slowest() <= lead;
}

} // namespace tocsin
