#pragma once

#include "tools/common/output_file.hpp"
#include "tools/generator/event_writer.hpp"
#include "tools/generator/stream_generator.hpp"

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace tocsin::generator {

/// Where a generated stream goes and how.
struct stream_output {
  std::string path = "-";
  std::uint32_t partitions = 1; ///< more than one: files PATH.0, PATH.1 ...; a viewer stays in one
  event_format format = event_format::ndjson;
  time_ms aggregate = 0; ///< more than 0: counts over so long instead of views; views must come in order of time
};

/// Writes the views of one stream to its files. Owned by the generate command; one thread. An error of a file ends the
/// stream; call close() for the last counts and the last bytes.
class stream_files {
public:
  static io::result<std::unique_ptr<stream_files>> open(const stream_output& output, const stream_generator& stream);
  io::result<void> write(const generated_event& view);
  io::result<void> close();

private:
  struct counts {
    std::uint64_t total = 0;
    std::uint64_t failed = 0;
  };
  /// One partition.
  struct part {
    tools::output_file file;
    std::map<std::array<std::uint32_t, dimensions>, counts> cells; ///< of the open interval, when aggregating
  };

  stream_files(const stream_output& output, const stream_generator& stream);
  io::result<void> count(part& to, const generated_event& view);
  io::result<void> write_counts();

  stream_output output_;
  event_writer views_;
  count_writer totals_;
  std::vector<part> parts_;
  std::optional<time_ms> interval_; ///< start of the open interval
};

} // namespace tocsin::generator
