#pragma once

namespace tocsin::tools {

/// While it lives, SIGINT and SIGTERM ask for a clean stop instead of killing the process; a second one kills it.
/// At most one at a time.
class stop_signals {
public:
  stop_signals();
  ~stop_signals();
  stop_signals(const stop_signals&) = delete;
  stop_signals& operator=(const stop_signals&) = delete;
  bool received() const;
};

} // namespace tocsin::tools
