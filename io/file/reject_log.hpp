#pragma once

#include "io/reject_sink.hpp"
#include "io/result.hpp"

#include <memory>
#include <string>
#include <vector>

namespace tocsin::io {

/// A dead-letter file: one JSON object a line, {"partition", "offset", "reason", "detail", "excerpt"}, appended to what
/// is there; invalid UTF-8 is replaced. `partition_names[i]` is the name of partition i. Each write is in the file
/// when it returns, or not at all: a failed one (full disk) is taken back and is a retriable sink error. A torn last
/// line, left by a crash, is cut when the file is opened. Owned by one thread.
result<std::unique_ptr<reject_sink>> open_reject_log(const std::string& path, std::vector<std::string> partition_names);

} // namespace tocsin::io
