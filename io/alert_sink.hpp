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
  /// At start: brings the log to exactly the records that `store` has committed (cuts a torn last line, appends what is
  /// missing). Refuses a log that is not a prefix of them.
  virtual result<void> complete(state_store& store) = 0;
  /// After a commit: appends its records.
  virtual result<void> append(const std::vector<std::string>& alerts) = 0;
};

} // namespace tocsin::io
