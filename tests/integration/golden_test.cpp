#include "tests/integration/support.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <set>
#include <sstream>

using namespace tocsin::test;

namespace {

namespace fs = std::filesystem;

const fs::path golden_folder = TOCSIN_SOURCE_DIR "/tests/golden";

std::vector<fs::path> cases() {
  std::vector<fs::path> found;
  for (const auto& entry : fs::directory_iterator(golden_folder))
    if (entry.is_directory())
      found.push_back(entry.path());
  std::sort(found.begin(), found.end());
  return found;
}

fs::path input_of(const fs::path& folder) {
  for (const auto& entry : fs::directory_iterator(folder))
    if (entry.path().stem() == "input")
      return entry.path();
  FAIL("no input in " << folder);
  return {};
}

/// The fingerprint covers versions of the machine (time zones); it says nothing about verdicts.
std::string without_fingerprint(std::string log) {
  const std::string field = "\"config_fingerprint\":\"";
  for (auto at = log.find(field); at != std::string::npos; at = log.find(field, at)) {
    at += field.size();
    log.erase(at, log.find('"', at) - at);
  }
  return log;
}

/// `<offset> <reason>` a line, in order.
std::string reject_list(const std::string& dead_letters) {
  std::set<std::pair<std::int64_t, std::string>> seen;
  std::istringstream lines(dead_letters);
  std::string line;
  while (std::getline(lines, line)) {
    const auto record = nlohmann::json::parse(line);
    seen.emplace(record.at("offset"), record.at("reason"));
  }
  std::string list;
  for (const auto& [offset, reason] : seen)
    list += std::to_string(offset) + " " + reason + "\n";
  return list;
}

/// One case at work in a folder of its own.
class golden_case {
public:
  explicit golden_case(const fs::path& folder)
      : input_(input_of(folder)), text_(read_bytes(input_.string())),
        name_(directory_.file(input_.filename().string())) {
    config_ = nlohmann::json::parse(read_bytes((folder / "config.json").string()), nullptr, true, true);
    config_["input"]["file"]["paths"] = {name_};
    config_["alerts"]["file"] = directory_.file("alerts.ndjson");
    config_["dead_letter"]["file"] = directory_.file("rejected.ndjson");
    config_["state"] = {{"sqlite", directory_.file("state.db")}, {"commit_interval", "0s"}};
    path_ = written_config(directory_, "config.json", config_);
  }

  std::string clean() {
    fs::remove(directory_.file("rejected.ndjson"));
    return without_fingerprint(replayed(path_, {input_.string()}, {"--workers", "1"}));
  }
  std::string with_many_workers() {
    return without_fingerprint(replayed(path_, {input_.string()}, {"--workers", "8", "--block-bytes", "4096"}));
  }
  std::string without_actors() { return without_fingerprint(engine_log(path_, {input_.string()})); }

  /// Killed where `share` of the input was there, restarted with all of it.
  std::string killed_at(double share) {
    for (const auto* name : {"alerts.ndjson", "rejected.ndjson", "state.db", "state.db-wal", "state.db-shm"})
      fs::remove(directory_.file(name));
    write_bytes(name_, text_.substr(0, static_cast<std::size_t>(share * static_cast<double>(text_.size()))));
    {
      process daemon(tocsin_command({"run", "--quiet", "--config", path_}));
      static_cast<void>(eventually([&] { return show_state(path_).exists; }, 2s));
      daemon.signal(SIGKILL);
      daemon.wait();
    }
    std::ofstream(name_, std::ios::binary | std::ios::app) << text_.substr(fs::file_size(name_));
    succeed({"run", "--quiet", "--until-end", "--config", path_});
    return without_fingerprint(directory_.read("alerts.ndjson"));
  }
  std::string rejects() { return reject_list(directory_.read("rejected.ndjson")); }

private:
  temp_dir directory_;
  fs::path input_;
  std::string text_;
  std::string name_;
  nlohmann::json config_;
  std::string path_;
};

} // namespace

TEST_CASE("golden cases: clean, with other workers, without actors, and killed") {
  const char* asked = std::getenv("TOCSIN_WRITE_GOLDEN");
  const bool rewrite = asked != nullptr && std::string(asked) == "1";
  const auto folders = cases();
  CHECK(folders.size() >= 6);
  for (const auto& folder : folders) {
    CAPTURE(folder.filename().string());
    golden_case one(folder);
    const auto log = one.clean();
    const auto rejects = one.rejects();
    check_records(log);
    const auto expected_log = (folder / "expected.ndjson").string();
    const auto expected_rejects = (folder / "expected_rejects.txt").string();
    if (rewrite) {
      write_bytes(expected_log, log);
      if (!rejects.empty())
        write_bytes(expected_rejects, rejects);
    }
    const auto expected = read_bytes(expected_log);
    CHECK(difference(log, expected) == "");
    CHECK(rejects == read_bytes(expected_rejects));
    CHECK(difference(one.with_many_workers(), expected) == "");
    CHECK(difference(one.without_actors(), expected) == "");
    for (const double share : {0.3, 0.7}) {
      CHECK(difference(one.killed_at(share), expected) == "");
      CHECK(one.rejects() == rejects);
    }
  }
}
