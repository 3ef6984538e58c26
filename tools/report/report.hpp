#pragma once

#include "io/config/config.hpp"
#include "io/result.hpp"
#include "tools/replaying/recording.hpp"
#include "tools/report/incident_book.hpp"
#include "tools/report/report_data.hpp"

#include <cstddef>
#include <functional>
#include <string>

namespace tocsin::tools {

struct report_options {
  std::size_t incidents = 100;            ///< so many, the worst, get a panel with a chart
  std::function<bool(recording&)> onward; ///< called after each block of the second pass; false ends it
};

/// The page of a replay that has ended: reads the input once more for its charts, if it can be read twice.
/// `facts.inputs` and `input.paths` are the same files. Errors: input that cannot be read any more.
io::result<std::string> make_report(const io::config& config, const recorded_input& input, const replay_facts& facts,
                                    const incident_book& book, const report_options& options);

} // namespace tocsin::tools
