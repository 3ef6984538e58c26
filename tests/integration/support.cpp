#include "tests/integration/support.hpp"

#include "detectors/engine/world.hpp"
#include "io/alert_json.hpp"
#include "io/config/config.hpp"
#include "io/decoder.hpp"
#include "io/file/file_source.hpp"
#include "tests/support/alert_schema.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <iostream>
#include <set>
#include <sstream>
#include <thread>

namespace tocsin::test {

namespace {

/// The commas are for people.
std::uint64_t parse_number(std::string text) {
  text.erase(std::remove(text.begin(), text.end(), ','), text.end());
  return std::strtoull(text.c_str(), nullptr, 10);
}

/// `name           text`: the two are apart by at least two spaces, or the name is 22 wide.
std::pair<std::string, std::string> split_row(const std::string& line) {
  const auto end = line.find("  ");
  if (end == std::string::npos)
    return {line, {}};
  return {line.substr(0, end), line.substr(std::min(line.size(), line.find_first_not_of(' ', end)))};
}

/// Each partition in turn, block by block, so that little has to wait for another partition.
void count_all(io::source& source, io::decoder& decoder, world& engine, const std::function<void()>& after_block) {
  io::raw_block block;
  event_batch batch;
  std::vector<bool> ended(source.partitions(), false);
  for (std::size_t left = ended.size(); left > 0;) {
    for (partition_id p = 0; p < ended.size(); ++p) {
      if (ended[p])
        continue;
      const auto outcome = source.read(p, std::size_t{1} << 20, block);
      REQUIRE_MESSAGE(outcome, outcome.failure().message);
      if (*outcome == io::read_outcome::block) {
        block.partition = p;
        decoder.decode(block, batch);
        batch.partition = p;
        batch.begin = block.begin;
        batch.next_offset = block.next_offset;
        engine.count(batch);
      } else {
        engine.finish(p);
        ended[p] = true;
        --left;
      }
      after_block();
    }
  }
}

} // namespace

std::uint64_t size_of_test(const char* name, std::uint64_t reduced, std::uint64_t full) {
  if (const char* given = std::getenv(name))
    return std::strtoull(given, nullptr, 10);
  const char* all = std::getenv("TOCSIN_FULL");
  return all != nullptr && std::string(all) == "1" ? full : reduced;
}

void skip_test(const std::string& why) {
  std::cout << "SKIPPED: " << why << std::endl;
}

nlohmann::json views_config(const temp_dir& directory) {
  auto config = nlohmann::json::parse(R"({
    "input": {"format": "ndjson", "time": {"field": "ts", "unit": "ms"}, "allowed_lateness": "5s",
              "viewer": "viewer_id", "error_type": "error_code"},
    "monitors": [{
      "name": "playback-failures", "error_when": "error_code IS NOT NULL AND severity <> 'warning'",
      "scope": ["property"], "levels": [[], ["cdn"], ["country"], ["title"], ["cdn", "country"]],
      "detectors": [{"type": "threshold", "rate": 0.1, "window": "1m", "min_events": 20, "resolve_rate": 0.05,
                     "resolve_for": "30s"},
                    {"type": "count_bucket"}, {"type": "sr_mixture"},
                    {"type": "burn_rate", "objective": 0.9,
                     "rules": [{"long_window": "5m", "short_window": "1m", "factor": 2}]},
                    {"type": "z_score", "window": "1m", "shadow": true}, {"type": "volume_drop"}]}],
    "state": {"commit_interval": "0s"}, "memory_limit": "4GiB"})");
  config["input"]["file"]["paths"] = {directory.file("views.ndjson")};
  config["alerts"]["file"] = directory.file("alerts.ndjson");
  config["dead_letter"]["file"] = directory.file("rejected.ndjson");
  config["state"]["sqlite"] = directory.file("state.db");
  return config;
}

std::string written_config(const temp_dir& directory, const std::string& name, const nlohmann::json& config) {
  return directory.write(name, config.dump(2) + "\n");
}

std::string generated(const temp_dir& directory, const std::string& name, std::vector<std::string> arguments) {
  arguments.insert(arguments.begin(), "generate");
  for (const auto& more : {std::string("--quiet"), std::string("--out"), directory.file(name)})
    arguments.push_back(more);
  succeed(arguments);
  return directory.file(name);
}

finished_process succeed(const std::vector<std::string>& arguments) {
  auto finished = run_tocsin(arguments);
  CAPTURE(finished.err);
  REQUIRE(finished.code == 0);
  return finished;
}

std::string replayed(const std::string& config, const std::vector<std::string>& inputs,
                     std::vector<std::string> options) {
  options.insert(options.begin(), {"replay", "--quiet", "--config", config});
  options.insert(options.end(), inputs.begin(), inputs.end());
  return succeed(options).out;
}

std::string engine_log(const std::string& config, const std::vector<std::string>& inputs) {
  const auto loaded = io::load_config(config);
  REQUIRE(loaded.value);
  io::file_source_options options;
  options.paths = inputs;
  options.has_header = loaded.value->decode->format == io::input_format::csv;
  options.max_record_bytes = loaded.value->decode->max_record_bytes;
  auto source = io::open_file_source(options);
  REQUIRE_MESSAGE(source, source.failure().message);
  const auto decoder = io::make_decoder(loaded.value->decode);
  world engine(std::make_shared<const world_spec>(loaded.value->world), inputs.size());
  std::string log;
  count_all(**source, *decoder, engine, [&] {
    for (const auto& record : engine.take_alerts())
      log += io::to_json(record) + "\n";
    engine.take_rejects();
  });
  return log;
}

std::size_t check_records(const std::string& log) {
  std::ifstream file(TOCSIN_SOURCE_DIR "/configs/alert.schema.json");
  schema_validator schema(nlohmann::json::parse(file));
  std::istringstream lines(log);
  std::string line;
  std::size_t count = 0;
  for (; std::getline(lines, line); ++count) {
    const auto record = nlohmann::json::parse(line, nullptr, false);
    REQUIRE_MESSAGE(!record.is_discarded(), line);
    const auto wrong = schema.violations(record);
    REQUIRE_MESSAGE(wrong.empty(), wrong.front() << " in " << line);
  }
  CHECK((log.empty() || log.back() == '\n'));
  return count;
}

std::string difference(const std::string& found, const std::string& expected) {
  if (found == expected)
    return {};
  const auto place =
      std::mismatch(found.begin(), found.begin() + static_cast<std::ptrdiff_t>(std::min(found.size(), expected.size())),
                    expected.begin())
          .first;
  const auto line = std::count(found.begin(), place, '\n') + 1;
  const auto excerpt = [at = place - found.begin()](const std::string& text) {
    const auto before = text.rfind('\n', static_cast<std::size_t>(at));
    const auto begin = before == std::string::npos ? 0 : before;
    return text.substr(begin, 400);
  };
  return std::to_string(found.size()) + " bytes instead of " + std::to_string(expected.size()) + ", line " +
         std::to_string(line) + ": " + excerpt(found) + "\ninstead of " + excerpt(expected);
}

std::map<std::string, std::string> summary_of(const std::string& err) {
  std::map<std::string, std::string> rows;
  std::istringstream lines(err);
  std::string line;
  while (std::getline(lines, line)) {
    auto [name, text] = split_row(line);
    if (name == "rejected")
      name += text.substr(std::min(text.size(), text.find(' ')));
    rows[name] = text;
  }
  return rows;
}

std::uint64_t number_in(const std::map<std::string, std::string>& summary, const std::string& row) {
  const auto found = summary.find(row);
  return found == summary.end() ? 0 : parse_number(found->second.substr(0, found->second.find(' ')));
}

shown_state show_state(const std::string& config) {
  const auto finished = run_tocsin({"state", "show", "--config", config});
  shown_state state;
  const auto rows = summary_of(finished.out);
  state.exists = finished.code == 0 && rows.count("judged through") > 0;
  if (!state.exists)
    return state;
  state.judged_through = rows.at("judged through");
  state.alerts = number_in(rows, "alert records");
  const auto& alerts = rows.at("alert records");
  state.log_bytes = parse_number(alerts.substr(alerts.find('(') + 1));
  state.journal = number_in(rows, "journal entries");
  return state;
}

bool eventually(const std::function<bool()>& is_so, std::chrono::milliseconds most) {
  const auto deadline = std::chrono::steady_clock::now() + most;
  for (;;) {
    if (is_so())
      return true;
    if (std::chrono::steady_clock::now() >= deadline)
      return false;
    std::this_thread::sleep_for(10ms);
  }
}

bool is_listening(const process& running) {
  // Before exec() it is still a copy of the test program.
  const auto folder = "/proc/" + std::to_string(running.id());
  std::error_code ignored;
  if (std::filesystem::read_symlink(folder + "/exe", ignored).filename() != "tocsin")
    return false;
  const auto status = read_bytes(folder + "/status");
  const auto caught = status.find("SigCgt:");
  return caught != std::string::npos &&
         (std::strtoull(status.c_str() + caught + 7, nullptr, 16) >> (SIGTERM - 1) & 1) != 0;
}

std::map<std::string, std::size_t> reasons_in(const std::string& dead_letters) {
  std::set<std::tuple<std::string, std::int64_t, std::string>> seen;
  std::istringstream lines(dead_letters);
  std::string line;
  while (std::getline(lines, line)) {
    const auto record = nlohmann::json::parse(line, nullptr, false);
    REQUIRE_MESSAGE(!record.is_discarded(), line);
    seen.emplace(record.at("partition"), record.at("offset"), record.at("reason"));
  }
  std::map<std::string, std::size_t> reasons;
  for (const auto& one : seen)
    ++reasons[std::get<2>(one)];
  return reasons;
}

} // namespace tocsin::test
