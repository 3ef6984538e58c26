#pragma once

#include "detectors/values/event_batch.hpp"
#include "io/source.hpp"

#include <memory>

namespace tocsin::io {

/// Turns raw blocks into events. Stateless between blocks, so any decoder may decode any block; one instance belongs to
/// one thread (it keeps buffers). Never fails: what cannot be used becomes a reject.
class decoder {
public:
  virtual ~decoder() = default;
  /// Replaces the contents of `out` (capacity is kept).
  virtual void decode(const raw_block& block, event_batch& out) = 0;
};

struct decode_plan;
/// A decoder for the plan's format.
std::unique_ptr<decoder> make_decoder(const std::shared_ptr<const decode_plan>& plan);

} // namespace tocsin::io
