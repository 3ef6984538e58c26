#pragma once

#include "detectors/engine/shard.hpp"
#include "io/config/config.hpp"
#include "io/sqlite/sqlite_state_store.hpp"
#include "tools/exit_code.hpp"

#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace tocsin::tools {

/// The state of a run, opened for reading, with the configuration that wrote it.
struct opened_state {
  io::config config;
  std::unique_ptr<io::sqlite_state_store> store;
  io::state_summary summary;
};

/// Opens the state of a configuration (or the file given). Mistakes are printed; nothing: exit with `code`.
std::optional<opened_state> open_state(const std::string& config_file, const std::string& state_file, exit_code& code);

/// The stored keys, brought back into the engine, by shard. Refuses the state of another configuration, and damage.
io::result<std::vector<shard>> restore_shards(const opened_state& opened);

} // namespace tocsin::tools
