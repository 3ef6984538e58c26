#pragma once

#include "tests/support/temp_dir.hpp"
#include "tests/tools/tocsin.hpp"

#include <nlohmann/json.hpp>

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <vector>

namespace tocsin::test {

using namespace std::chrono_literals;

/// Sizes of the integration tests: reduced, unless TOCSIN_FULL=1; or what the environment variable `name` says.
std::uint64_t size_of_test(const char* name, std::uint64_t reduced, std::uint64_t full);

/// Says that a test cannot run here, in the words that make ctest count it as skipped.
void skip_test(const std::string& why);

/// A configuration over views as `tocsin generate` makes them, with sensitive detectors, all paths in `directory`:
/// input `views.ndjson`, alerts.ndjson, rejected.ndjson, state.db. Change what you like before you write it.
nlohmann::json views_config(const temp_dir& directory);
/// Writes it; gives the path.
std::string written_config(const temp_dir& directory, const std::string& name, const nlohmann::json& config);

/// Runs `tocsin generate` with these arguments and `--out` `directory/name`; gives the path.
std::string generated(const temp_dir& directory, const std::string& name, std::vector<std::string> arguments);

/// Runs tocsin, requires exit code 0.
finished_process succeed(const std::vector<std::string>& arguments);
/// The alert log of `tocsin replay` over the inputs.
std::string replayed(const std::string& config, const std::vector<std::string>& inputs,
                     std::vector<std::string> options = {});
/// The alert log of the engine without actors, threads and processes over the same inputs.
std::string engine_log(const std::string& config, const std::vector<std::string>& inputs);

/// Every line is checked against the schema; gives the number of lines.
std::size_t check_records(const std::string& log);
/// A short name of a log, so that a difference does not print megabytes: length, and the first line that differs.
std::string difference(const std::string& found, const std::string& expected);

/// What the summary on standard error says: row -> text. "rejected" rows are under "rejected <reason>".
std::map<std::string, std::string> summary_of(const std::string& err);
/// The number at the beginning of a summary's text, without its commas; 0 if the row is missing.
std::uint64_t number_in(const std::map<std::string, std::string>& summary, const std::string& row);

/// True once `tocsin` handles SIGTERM; before, the signal just ends it.
bool is_listening(const process& running);

/// What `tocsin state show` says of a state that may not be there yet, or without a commit.
struct shown_state {
  bool exists = false;
  std::string judged_through;
  std::uint64_t alerts = 0;
  std::uint64_t log_bytes = 0;
  std::uint64_t journal = 0;
};
shown_state show_state(const std::string& config);

/// Waits until it is so, up to a minute (of a loaded machine); false if it never was.
bool eventually(const std::function<bool()>& is_so, std::chrono::milliseconds most = 60s);

/// Reasons in a dead-letter file, with how often (by distinct offset, since each is written at least once).
std::map<std::string, std::size_t> reasons_in(const std::string& dead_letters);

} // namespace tocsin::test
