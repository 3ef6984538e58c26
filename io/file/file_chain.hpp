#pragma once

#include "detectors/values/event_batch.hpp"
#include "io/file/stored_file.hpp"
#include "io/result.hpp"

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace tocsin::io {

/// One file of a partition: what it is recognised by, and where its first byte is in the partition's stream.
struct chain_link {
  std::uint32_t path = 0; ///< index of the path under which it was read
  file_id id;
  std::uint32_t head_bytes = 0; ///< length of the decoded head that head_hash is of, at most line_framer::head_limit
  std::uint64_t head_hash = 0;
  stream_offset base = 0;
};

/// XXH3-64 of a file's first decoded bytes.
std::uint64_t hash_head(std::string_view head);

/// The links as versioned, checksummed bytes, and back; nothing if the bytes are damaged or of another version.
std::string encode_chain(const std::vector<chain_link>& links);
std::optional<std::vector<chain_link>> decode_chain(std::string_view bytes);

/// Finds a link's file: at `path`, or next to it under a name that begins with the same name (rotated, perhaps
/// compressed since). The same inode with the same head wins; otherwise the one file with the same head.
/// Null if it is gone; an error if several files could be it.
result<std::unique_ptr<stored_file>> find_file(const std::string& path, const chain_link& link);

/// The rotated file that was written directly after `current` and is no longer called `path`: the least recently
/// modified of those modified after `current`, among siblings named like rotated files (`path.1`, `path-20260131.gz`).
/// Null if there is none. `known` are the links that cannot be it.
result<std::unique_ptr<stored_file>> find_rotated_successor(const std::string& path, const file_status& current,
                                                            const std::vector<chain_link>& known);

} // namespace tocsin::io
