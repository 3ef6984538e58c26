#pragma once

#include "io/source.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <cstddef>
#include <string>
#include <string_view>
#include <tuple>
#include <vector>

namespace tocsin::test {

/// One record as a source delivered it, without its newline.
struct read_record {
  stream_offset offset = 0;
  std::string text;
  bool oversized = false;
  std::string header;
  friend bool operator==(const read_record& a, const read_record& b) {
    return std::tie(a.offset, a.text, a.oversized, a.header) == std::tie(b.offset, b.text, b.oversized, b.header);
  }
};

/// Appends the block's records and checks what every block promises.
inline void take_block(const io::raw_block& block, std::size_t max_bytes, std::vector<read_record>& out) {
  REQUIRE(block.data.size() >= block.size + io::block_padding);
  const auto padding = std::string_view(block.data).substr(block.size, io::block_padding);
  REQUIRE(padding == std::string(io::block_padding, '\0'));
  REQUIRE(block.size > 0);
  const auto header = block.header ? *block.header : std::string();
  auto rest = std::string_view(block.data).substr(0, block.size);
  if (block.oversized) {
    REQUIRE(block.next_offset > block.begin + static_cast<stream_offset>(block.size));
    out.push_back({block.begin, std::string(rest), true, header});
    return;
  }
  REQUIRE(block.next_offset == block.begin + static_cast<stream_offset>(block.size));
  const bool one_line = rest.find('\n') >= rest.size() - 1;
  REQUIRE((block.size <= max_bytes || one_line));
  auto offset = block.begin;
  while (!rest.empty()) {
    const auto line = rest.substr(0, rest.find('\n'));
    out.push_back({offset, std::string(line), false, header});
    const auto step = std::min(line.size() + 1, rest.size());
    rest.remove_prefix(step);
    offset += static_cast<stream_offset>(step);
  }
}

/// Reads until nothing more comes; gives what the source said then. One block is recycled throughout.
inline io::read_outcome drain(io::source& from, partition_id partition, std::size_t max_bytes,
                              std::vector<read_record>& out) {
  io::raw_block block;
  for (;;) {
    const auto outcome = from.read(partition, max_bytes, block);
    if (!outcome)
      FAIL(outcome.failure().message);
    if (*outcome != io::read_outcome::block)
      return *outcome;
    take_block(block, max_bytes, out);
  }
}

inline std::vector<read_record> records_of(io::source& from, partition_id partition = 0,
                                           std::size_t max_bytes = std::size_t{1} << 16) {
  std::vector<read_record> records;
  CHECK(drain(from, partition, max_bytes, records) == io::read_outcome::ended);
  return records;
}

/// The records of a text by definition, for comparison.
inline std::vector<read_record> expected_records(std::string_view text, std::size_t max_record_bytes,
                                                 stream_offset base = 0) {
  std::vector<read_record> records;
  while (!text.empty()) {
    const auto line = text.substr(0, text.find('\n'));
    const bool oversized = line.size() > max_record_bytes;
    const auto shown = oversized ? line.substr(0, std::min<std::size_t>(200, max_record_bytes)) : line;
    records.push_back({base, std::string(shown), oversized, {}});
    const auto step = std::min(line.size() + 1, text.size());
    text.remove_prefix(step);
    base += static_cast<stream_offset>(step);
  }
  return records;
}

inline std::vector<std::string> texts(const std::vector<read_record>& records) {
  std::vector<std::string> out;
  for (const auto& record : records)
    out.push_back(record.text);
  return out;
}

} // namespace tocsin::test
