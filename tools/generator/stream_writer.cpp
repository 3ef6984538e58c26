#include "tools/generator/stream_writer.hpp"

#include <utility>

namespace tocsin::generator {

stream_writer::stream_writer(const stream_format& format, const stream_generator& stream)
    : format_(format), views_(format.format, stream), totals_(format.format, stream.profile()) {}

void stream_writer::write_to(std::unique_ptr<line_sink> sink) {
  sink_ = std::move(sink);
  cells_.resize(sink_->partitions());
}

io::result<void> stream_writer::write(const generated_event& view) {
  const auto partition = cells_.size() == 1 ? 0 : scramble(view.viewer) % cells_.size();
  if (format_.aggregate > 0)
    return count(partition, view);
  auto room = sink_->room(partition, views_.longest_line());
  if (!room)
    return room.failure();
  return sink_->commit(partition, views_.write(*room, view), view.values);
}

io::result<void> stream_writer::count(std::size_t partition, const generated_event& view) {
  const auto interval = tick_start(tick_of(view.time, format_.aggregate), format_.aggregate);
  if (interval_ != interval) {
    if (auto written = write_counts(); !written)
      return written;
    interval_ = interval;
  }
  auto& cell = cells_[partition][view.values];
  ++cell.total;
  cell.failed += view.outcome == view_outcome::failed ? 1 : 0;
  return {};
}

io::result<void> stream_writer::write_counts() {
  for (std::size_t p = 0; p < cells_.size(); ++p) {
    for (const auto& [values, cell] : cells_[p]) {
      auto room = sink_->room(p, totals_.longest_line());
      if (!room)
        return room.failure();
      const auto* end = totals_.write(*room, *interval_, values, cell.total, cell.failed);
      if (auto written = sink_->commit(p, end, values); !written)
        return written;
    }
    cells_[p].clear();
  }
  return {};
}

io::result<void> stream_writer::close() {
  if (auto written = write_counts(); !written)
    return written;
  return sink_->close();
}

} // namespace tocsin::generator
