#include "tools/report/report.hpp"

#include "tools/report/page_file.hpp"
#include "tools/report/second_pass.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <optional>
#include <system_error>

namespace tocsin::tools {

namespace {

/// The first input that is gone when it has been read; nothing if all are files.
std::optional<std::string> unrepeatable(const std::vector<std::string>& paths) {
  const auto found = std::find_if(paths.begin(), paths.end(), [](const std::string& path) {
    std::error_code failed;
    return path == "-" || !std::filesystem::is_regular_file(path, failed);
  });
  return found == paths.end() ? std::nullopt : std::optional(*found == "-" ? "standard input" : *found);
}

} // namespace

io::result<std::string> make_report(const io::config& config, const recorded_input& input, const replay_facts& facts,
                                    const incident_book& book, const report_options& options) {
  auto chosen = book.worst_first();
  if (chosen.size() > std::min(options.incidents, max_listed_incidents))
    chosen.resize(std::min(options.incidents, max_listed_incidents));
  std::optional<recorded_counts> counts;
  std::string no_charts;
  if (const auto stream = unrepeatable(input.paths)) {
    no_charts = fmt::format("There are no charts: they need the input a second time, and {} can be read only once. "
                            "Replay it from a file to see them.",
                            *stream);
  } else {
    auto counted = count_again(config, input, book, chosen, facts.judged_through,
                               [&](recording& tape) { return !options.onward || options.onward(tape); });
    if (!counted)
      return counted.failure();
    counts = std::move(*counted);
  }
  return page_with(report_data(facts, config, book, chosen, counts, no_charts));
}

} // namespace tocsin::tools
