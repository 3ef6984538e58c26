#include "tools/generator/stream_files.hpp"

namespace tocsin::generator {

stream_files::stream_files(const stream_output& output, const stream_generator& stream)
    : output_(output), views_(output.format, stream), totals_(output.format, stream.profile()) {}

io::result<std::unique_ptr<stream_files>> stream_files::open(const stream_output& output,
                                                             const stream_generator& stream) {
  std::unique_ptr<stream_files> files(new stream_files(output, stream));
  for (std::uint32_t i = 0; i < output.partitions; ++i) {
    auto file = tools::output_file::open(output.partitions == 1 ? output.path : output.path + "." + std::to_string(i));
    if (!file)
      return file.failure();
    files->parts_.push_back({std::move(*file), {}});
    const auto header = output.aggregate > 0 ? files->totals_.header() : files->views_.header();
    if (auto written = files->parts_.back().file.write(header); !written)
      return written.failure();
  }
  return files;
}

io::result<void> stream_files::write(const generated_event& view) {
  auto& to = parts_.size() == 1 ? parts_[0] : parts_[scramble(view.viewer) % parts_.size()];
  if (output_.aggregate > 0)
    return count(to, view);
  auto room = to.file.room(views_.longest_line());
  if (!room)
    return room.failure();
  to.file.commit(views_.write(*room, view));
  return {};
}

io::result<void> stream_files::count(part& to, const generated_event& view) {
  const auto interval = tick_start(tick_of(view.time, output_.aggregate), output_.aggregate);
  if (interval_ != interval) {
    if (auto written = write_counts(); !written)
      return written;
    interval_ = interval;
  }
  auto& cell = to.cells[view.values];
  ++cell.total;
  cell.failed += view.outcome == view_outcome::failed ? 1 : 0;
  return {};
}

io::result<void> stream_files::write_counts() {
  for (auto& each : parts_) {
    for (const auto& [values, cell] : each.cells) {
      auto room = each.file.room(totals_.longest_line());
      if (!room)
        return room.failure();
      each.file.commit(totals_.write(*room, *interval_, values, cell.total, cell.failed));
    }
    each.cells.clear();
  }
  return {};
}

io::result<void> stream_files::close() {
  if (auto written = write_counts(); !written)
    return written;
  for (auto& each : parts_)
    if (auto closed = each.file.close(); !closed)
      return closed;
  return {};
}

} // namespace tocsin::generator
