#pragma once

#include "tools/generator/event_writer.hpp"
#include "tools/generator/line_sink.hpp"
#include "tools/generator/stream_generator.hpp"

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace tocsin::generator {

/// How the views of a stream become lines.
struct stream_format {
  event_format format = event_format::ndjson;
  time_ms aggregate = 0; ///< more than 0: counts over so long instead of views; views must come in order of time
};

/// Writes the views of one stream as lines. Owned by the generate command; one thread. An error of the sink ends the
/// stream; call close() for the last counts and the last bytes.
class stream_writer {
public:
  stream_writer(const stream_format& format, const stream_generator& stream);

  /// The line before the first one; may be empty.
  std::string header() const { return format_.aggregate > 0 ? totals_.header() : views_.header(); }
  /// Before the first view.
  void write_to(std::unique_ptr<line_sink> sink);
  io::result<void> write(const generated_event& view);
  io::result<void> close();

private:
  struct counts {
    std::uint64_t total = 0;
    std::uint64_t failed = 0;
  };

  io::result<void> count(std::size_t partition, const generated_event& view);
  io::result<void> write_counts();

  stream_format format_;
  event_writer views_;
  count_writer totals_;
  std::unique_ptr<line_sink> sink_;
  std::vector<std::map<dimension_values, counts>> cells_; ///< of the open interval by partition, when aggregating
  std::optional<time_ms> interval_;                       ///< start of the open interval
};

} // namespace tocsin::generator
