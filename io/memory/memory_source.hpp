#pragma once

#include "io/file/line_framer.hpp"
#include "io/source.hpp"

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace tocsin::io {

/// The records of one partition, as the bytes of a file.
struct memory_partition {
  std::string name;
  std::string text;
};

struct memory_source_options {
  bool follow = false;     ///< `idle` instead of `ended` at the present end, until close()
  bool has_header = false; ///< CSV: the first line of each partition is its header
  std::size_t max_record_bytes = std::size_t{1} << 20;
};

/// A source over strings, for tests and benchmarks. Cuts blocks exactly as a file source does. append() and close()
/// may be called by any thread, everything else by the source's own. position() is empty: the texts stay where they
/// are.
class memory_source final : public source {
public:
  explicit memory_source(std::vector<memory_partition> partitions, memory_source_options options = {});
  ~memory_source() override;

  /// Adds to the end of a partition.
  void append(partition_id partition, std::string_view text);
  /// Nothing more will come: what is there is the end of input, following or not.
  void close();

  std::size_t partitions() const override { return tapes_.size(); }
  const std::string& name(partition_id partition) const override;
  result<void> seek(partition_id partition, stream_offset offset, const std::string& position) override;
  result<read_outcome> read(partition_id partition, std::size_t max_bytes, raw_block& out) override;
  std::string position(partition_id, stream_offset) const override { return {}; }
  std::optional<std::uint64_t> bytes_total() const override;
  std::uint64_t bytes_read() const override;

private:
  class tape;
  memory_source_options options_;
  std::vector<std::unique_ptr<tape>> tapes_;
};

} // namespace tocsin::io
