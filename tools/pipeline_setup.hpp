#pragma once

#include "actors/pipeline.hpp"
#include "io/config/config.hpp"
#include "io/result.hpp"
#include "tools/exit_code.hpp"

#include <string>
#include <vector>

namespace tocsin::tools {

/// Loads a configuration; mistakes are printed, one a line. Nothing: exit with exit_code::configuration.
std::optional<io::config> load_or_print(const std::string& file);

/// The files that a configuration is to be run over.
struct chosen_input {
  std::vector<std::string> paths; ///< "-" is standard input
  bool sequence = false;
  bool follow = false;
};

/// Opens the input and the dead-letter file, and makes the parts that `replay` and `run` share; the store and the alert
/// sink are left to the caller.
io::result<actors::pipeline_parts> make_parts(const io::config& config, const chosen_input& input);

/// Options that follow from the configuration. `partitions`: names of the source's partitions.
actors::pipeline_options make_options(const io::config& config, const io::source& source);

/// How the command ends. The pipeline's log has told a failure already, except that of one that was abandoned.
exit_code exit_code_of(const actors::pipeline_outcome& outcome);

} // namespace tocsin::tools
