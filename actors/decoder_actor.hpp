#pragma once

#include "actors/protocol.hpp"
#include "actors/recycler.hpp"
#include "io/decoder.hpp"

#include <functional>

namespace tocsin::actors {

struct decoder_setup {
  std::function<std::unique_ptr<io::decoder>()> make_decoder;
  std::shared_ptr<recycler<event_batch>> batches;
  std::vector<counter_actor> counters; ///< by partition
};

/// Decodes blocks of any partition. Never fails: bad records are part of the batch.
decoder_actor spawn_decoder(caf::local_actor* host, decoder_setup setup);

} // namespace tocsin::actors
