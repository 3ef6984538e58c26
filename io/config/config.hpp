#pragma once

#include "detectors/values/monitor_spec.hpp"
#include "io/decode/decode_plan.hpp"
#include "io/result.hpp"

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace tocsin::io {

/// Where `tocsin run` reads. `replay` takes its inputs from the command line instead.
struct input_paths {
  std::vector<std::string> paths; ///< each a partition of its own, unless `sequence`
  bool use_stdin = false;
  bool sequence = false; ///< the files follow each other as one partition
};

/// A checked configuration: what the user's file means, with every default filled in.
struct config {
  std::string file; ///< name it was read from
  input_paths input;
  std::shared_ptr<const decode_plan> decode;
  world_spec world;
  std::vector<std::string> season_zones; ///< of each monitor; empty is UTC
  time_ms idle_timeout = 30 * second_ms; ///< a silent partition is let go after this wall time
  std::string alerts_file;               ///< empty: standard output
  std::string dead_letter_file;          ///< empty: rejected records are only counted
  std::string state_sqlite;              ///< empty: no durable state
  time_ms commit_interval = 1 * second_ms;
  std::uint64_t memory_limit = std::uint64_t{1} << 30;
  std::size_t block_bytes = std::size_t{1} << 20;
  std::uint32_t workers = 0; ///< 0: one a core
};

/// One mistake in a configuration.
struct config_issue {
  std::string pointer;  ///< JSON pointer, for example /monitors/0/tick
  std::string found;    ///< what is there
  std::string expected; ///< what would be right, with a suggestion where one is near
};
/// `file: /monitors/0/tick: found "10", expected a duration such as "10s"`
std::string to_string(const std::string& file, const config_issue& issue);

struct config_outcome {
  std::optional<config> value;       ///< present when there are no issues
  std::vector<config_issue> issues;  ///< all mistakes, not only the first
  std::vector<std::string> warnings; ///< legal, but probably not meant
};

/// Checks and compiles a configuration (JSON with comments). Never throws; relative paths stay as written.
config_outcome parse_config(std::string_view text, const std::string& file_name);
/// Reads the file and parses it.
config_outcome load_config(const std::string& path);

} // namespace tocsin::io
