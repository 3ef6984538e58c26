#pragma once

#include "io/result.hpp"
#include "tools/alert_log/alert_record.hpp"

#include <functional>
#include <string>
#include <utility>
#include <vector>

namespace tocsin::tools {

/// A time in which nobody is to be told of some keys: a silence, or a maintenance window. A value.
struct silence {
  std::string id;
  std::string monitor;                                  ///< empty: any
  std::vector<std::pair<std::string, std::string>> key; ///< all of these are in the record's key; empty: any
  time_ms start = 0;                                    ///< event time of the record's tick, [start, end)
  time_ms end = 0;
  std::string author;
  std::string comment;

  bool holds(const alert_record& record) const;
};

/// The silences of a JSON file that people and tools may edit:
/// {"silences": [{"id": "1", "monitor": "m", "key": {"cdn": "fastly"}, "start": "2016-05-04T12:00:00Z", "end": "...",
/// "author": "...", "comment": "..."}]}. Errors name the file, the JSON pointer, what was found, what is expected.
io::result<std::vector<silence>> load_silences(const std::string& path);
/// Changes the file: reads it (none is an empty one), calls change(silences), and replaces it as a whole, so that a
/// reader sees the old one or the new one. One editor at a time: others wait. Nothing is written if `change` fails.
io::result<void> edit_silences(const std::string& path,
                               const std::function<io::result<void>(std::vector<silence>&)>& change);
/// The least number that no silence has.
std::string next_silence_id(const std::vector<silence>& silences);

} // namespace tocsin::tools
