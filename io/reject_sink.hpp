#pragma once

#include "detectors/values/event_batch.hpp"
#include "io/result.hpp"

#include <vector>

namespace tocsin::io {

/// Takes the records that could not be used (dead letters), at least once each. Called by one thread.
class reject_sink {
public:
  virtual ~reject_sink() = default;
  virtual result<void> write(const std::vector<reject>& rejects) = 0;
};

} // namespace tocsin::io
