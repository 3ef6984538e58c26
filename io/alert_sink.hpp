#pragma once

#include "io/result.hpp"
#include "io/state_store.hpp"

#include <string>
#include <vector>

namespace tocsin::io {

/// Where committed alert records become visible. Owned and called by one thread (the sink actor's).
class alert_sink {
public:
  virtual ~alert_sink() = default;
  /// At start: brings the log to exactly the records that `store` has committed (goes on where the log ends, also
  /// within a torn last line). Refuses a log that is not a prefix of them.
  virtual result<void> complete(state_store& store) = 0;
  /// After a commit: appends its records. After a retriable error: call it again with the same records, or complete().
  virtual result<void> append(const std::vector<std::string>& alerts) = 0;
};

} // namespace tocsin::io
