#pragma once

#include "io/config/config.hpp"
#include "io/result.hpp"
#include "tools/explaining/answer.hpp"
#include "tools/explaining/chosen_key.hpp"
#include "tools/replaying/recording.hpp"

#include <cstddef>

namespace tocsin::tools {

struct probe_options {
  recorded_input input;
  time_ms at = 0;
  std::size_t path = 30; ///< ticks of the key that are kept
};

/// Replays a recording in the calling thread up to the tick that holds `at`, and watches the key and those above it.
/// Writes nothing; what is watched changes no verdict. Errors: input that cannot be read, a time before the first
/// record, a scope without events.
io::result<answer> probe(const io::config& config, const chosen_key& key, const probe_options& options);

} // namespace tocsin::tools
