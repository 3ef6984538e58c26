#pragma once

#include "detectors/values/journal.hpp"
#include "io/result.hpp"

#include <string>
#include <vector>

namespace tocsin::tools {

/// One journal entry as a line of JSON: {"partition":0,"name":"views.ndjson","offset":123,"watermark":1462363200000,
/// "kind":"idle"}. `name` is for people; the number counts.
std::string journal_line(const journal_entry& entry, const std::string& partition_name);

/// Reads a journal file for an input with these partitions. Errors name file:line, what was found, what is expected.
io::result<std::vector<journal_entry>> read_journal(const std::string& path,
                                                    const std::vector<std::string>& partitions);

} // namespace tocsin::tools
