#pragma once

#include "io/result.hpp"

#include <optional>
#include <string>

namespace tocsin::tools {

/// Alert records as text, in their order, from wherever they are kept. Owned by one command; one thread.
class alert_lines {
public:
  virtual ~alert_lines() = default;
  /// The next line without its end; nothing if there is none now (not following: none ever).
  virtual io::result<std::optional<std::string>> next() = 0;
  /// Where the last line is, for messages.
  virtual std::string place() const = 0;
};

} // namespace tocsin::tools
