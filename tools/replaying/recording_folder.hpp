#pragma once

#include "io/result.hpp"

#include <cstdint>
#include <string>
#include <vector>

namespace tocsin::tools {

/// A partition of a topic in a recording.
struct recorded_partition {
  std::int32_t partition = 0;
  std::string file;           ///< within the folder
  std::int64_t begin = 0;     ///< the first offset of the range ...
  std::int64_t end = 0;       ///< ... and the one behind it
  std::uint64_t messages = 0; ///< with content
  std::uint64_t empty = 0;    ///< messages without any
  std::uint64_t tombstones = 0;
  std::uint64_t bytes = 0; ///< of the decompressed file
};

/// What `tocsin record` leaves: a folder with one compressed file of lines for each partition, `manifest.json`, which
/// is this, and `journal.ndjson`, if there was one. The folder appears under its name when it is complete. Value.
struct recording_manifest {
  std::string topic;
  std::vector<recorded_partition> partitions; ///< in their order: that of the inputs of a replay
  bool journal = false;
};

inline constexpr const char* manifest_file = "manifest.json";
inline constexpr const char* journal_file = "journal.ndjson";

std::string to_json(const recording_manifest& manifest);
io::result<recording_manifest> read_manifest(const std::string& folder);

/// Inputs of a replay in which a recording stands for its files, and its journal for the one that is not given. Errors:
/// no manifest or a damaged one; a recording beside other inputs or in a sequence: its partitions would not be those of
/// its journal.
struct replay_inputs {
  std::vector<std::string> paths;
  std::string journal;
};
io::result<replay_inputs> expand_recording(replay_inputs given, bool sequence);

} // namespace tocsin::tools
