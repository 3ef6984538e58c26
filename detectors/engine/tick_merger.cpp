#include "detectors/engine/tick_merger.hpp"

#include <algorithm>
#include <utility>

namespace tocsin {

tick_merger::tick_merger(std::vector<rewind_point> starts, time_ms judged_through, time_ms base_tick)
    : gate_(starts.size()), judged_through_(judged_through), base_tick_(base_tick) {
  for (std::size_t p = 0; p < starts.size(); ++p) {
    partition_state state;
    state.open = starts[p];
    state.next_offset = starts[p].offset;
    state.watermark = starts[p].watermark;
    partitions_.push_back(state);
    gate_.update(static_cast<partition_id>(p), starts[p].watermark, false, beginning_of_time);
  }
}

void tick_merger::add(counted&& news) {
  auto& state = partitions_[news.partition];
  state.open = news.rewind;
  state.next_offset = news.next_offset;
  state.watermark = news.watermark;
  gate_.update(news.partition, news.watermark, news.ended, news.last_tick_end);
  for (auto& slice : news.slices)
    waiting_.push_back(std::move(slice));
  for (auto& entry : news.journal)
    journal_.push_back(entry);
}

time_ms tick_merger::closable() const {
  return tick_start(tick_of(gate_.frontier(), base_tick_), base_tick_);
}

bool tick_merger::has_next() const {
  return closable() > judged_through_;
}

closed_range tick_merger::next() {
  closed_range range;
  range.through = std::max(judged_through_, closable());
  const auto open =
      std::partition(waiting_.begin(), waiting_.end(), [&](const auto& slice) { return slice->end > range.through; });
  range.slices.assign(std::make_move_iterator(open), std::make_move_iterator(waiting_.end()));
  waiting_.erase(open, waiting_.end());
  std::sort(range.slices.begin(), range.slices.end(),
            [](const auto& a, const auto& b) { return judged_before(*a, *b); });
  range.index();
  judged_through_ = range.through;
  return range;
}

restart_points tick_merger::take_restart_points() {
  restart_points points;
  for (std::size_t p = 0; p < partitions_.size(); ++p) {
    const auto& state = partitions_[p];
    auto rewind = state.open;
    for (const auto& slice : waiting_)
      if (slice->partition == p && slice->restart.offset < rewind.offset)
        rewind = slice->restart;
    points.rewinds.push_back(rewind);
    // What was judged beyond an ended partition's own watermark took its end for the end of input.
    const auto partition = static_cast<partition_id>(p);
    if (gate_.ended(partition) && judged_through_ > state.watermark)
      journal_.push_back({partition, state.next_offset, judged_through_, journal_kind::end});
  }
  points.journal = std::exchange(journal_, {});
  return points;
}

} // namespace tocsin
