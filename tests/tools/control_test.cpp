#include "tests/tools/tocsin.hpp"

#include <doctest/doctest.h>
#include <nlohmann/json.hpp>

#include <filesystem>
#include <sstream>

using namespace tocsin::test;
using nlohmann::json;

namespace {

/// A stream with an outage that is open at its end, worked off by `tocsin run`.
class watched_stream {
public:
  watched_stream() {
    const json document = {
        {"input",
         {{"format", "ndjson"}, {"time", {{"field", "ts"}, {"unit", "ms"}}}, {"file", {{"paths", {views()}}}}}},
        {"monitors",
         {{{"name", "m"},
           {"error_when", "error_code IS NOT NULL AND severity <> 'warning'"},
           {"levels", {json::array(), {"cdn"}}},
           {"detectors",
            {{{"type", "sr_mixture"}},
             {{"type", "threshold"}, {"rate", 0.2}, {"window", "5m"}, {"min_events", 50}}}}}}},
        {"alerts", {{"file", directory / "alerts.ndjson"}}},
        {"state", {{"sqlite", directory / "state.db"}}}};
    written(directory, "config.json", document.dump());
    REQUIRE(run_tocsin({"generate", "--scenario", "quiet", "--duration", "4h", "--rate", "5", "--incident",
                        "start=3h,for=1h,where=cdn:fastly,rate=0.4", "--quiet", "--out", directory / "all.ndjson"})
                .code == 0);
    const auto all = read_bytes(directory / "all.ndjson");
    const auto middle = all.find('\n', all.size() * 9 / 10) + 1;
    written(directory, "views.ndjson", all.substr(0, middle));
    rest_ = all.substr(middle);
  }

  std::string views() const { return directory / "views.ndjson"; }
  std::string config() const { return directory / "config.json"; }
  void run() const { REQUIRE(run_tocsin({"run", "--until-end", "--quiet", "--config", config()}).code == 0); }
  void grow() const { append(directory, "views.ndjson", rest_); }
  finished_process control(const std::string& action, std::vector<std::string> arguments) const {
    arguments.insert(arguments.begin(), {"control", action, "--config", config()});
    return run_tocsin(arguments);
  }
  std::string replayed(std::vector<std::string> options) const {
    options.insert(options.begin(), {"replay", "--quiet", "--config", config(), views()});
    const auto finished = run_tocsin(options);
    CAPTURE(finished.err);
    REQUIRE(finished.code == 0);
    return finished.out;
  }
  /// Of the open incident of cdn=fastly.
  std::string open_id(const std::string& detector) const {
    std::istringstream lines(run_tocsin({"alerts", "--file", directory / "alerts.ndjson", "--open", "--json",
                                         "--detector", detector, "--key", "cdn=fastly", "--children"})
                                 .out);
    std::string line;
    REQUIRE(std::getline(lines, line));
    return json::parse(line).at("id");
  }

  scratch_directory directory;

private:
  std::string rest_;
};

bool has(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

} // namespace

TEST_CASE("control: an action waits for the next run, is journaled, and replays with the data") {
  const watched_stream stream;
  stream.run();
  const auto id = stream.open_id("sr_mixture");
  CHECK(stream.control("list", {}).out == "no actions\n");
  const auto accepted =
      stream.control("accept", {"--incident", id.substr(0, 12), "--author", "ada", "--comment", "new player"});
  CAPTURE(accepted.err);
  REQUIRE(accepted.code == 0);
  const auto excluded = stream.control("exclude", {"--from", "2024-01-01T03:30:00Z", "--to", "2024-01-01T05:00:00Z"});
  REQUIRE(excluded.code == 0);
  CHECK(has(excluded.err, "is judged already"));
  const auto pending = stream.control("list", {}).out;
  CHECK(has(pending, "pending                         accept   m: cdn=fastly  " + id));
  CHECK(has(pending, "ada: new player"));
  CHECK(has(pending, "exclude  m: everything  2024-01-01T03:30:00.000Z to 2024-01-01T05:00:00.000Z"));

  stream.grow();
  stream.run();
  const auto log = read_bytes(stream.directory / "alerts.ndjson");
  CHECK(has(
      run_tocsin({"alerts", "--file", stream.directory / "alerts.ndjson", "--kind", "rebase", "--json", "--children"})
          .out,
      id));
  std::istringstream listed(stream.control("list", {"--json"}).out);
  for (std::string line; std::getline(listed, line);)
    CHECK(json::parse(line).at("pending") == false);

  const auto journal = run_tocsin({"state", "export", "--journal", "--config", stream.config()}).out;
  CHECK(has(journal, R"("kind":"accept")"));
  const auto file = written(stream.directory, "journal.ndjson", journal);
  CHECK(stream.replayed({"--journal", file}) == log);
  CHECK(stream.replayed({"--journal", file, "--workers", "3", "--block-bytes", "20000"}) == log);
  const auto without = stream.replayed({"--journal", file, "--no-journal"});
  CHECK_FALSE(has(without, R"("kind":"rebase")"));
  CHECK(without == stream.replayed({}));
  CHECK(has(stream.control("list", {"--journal", file}).out, "since 2024-01-01T03:"));
}

TEST_CASE("control: with --journal an action goes to a file, and holds in its whole range on replay") {
  const watched_stream stream;
  const auto file = stream.directory / "facts.ndjson";
  REQUIRE(
      stream.control("exclude", {"--journal", file, "--from", "2024-01-01T01:00:00Z", "--to", "2024-01-01T02:00:00Z"})
          .code == 0);
  CHECK(has(stream.control("list", {"--journal", file}).out, "from the beginning"));
  const auto excluded = stream.replayed({"--journal", file});
  CHECK(excluded != stream.replayed({}));
  CHECK(excluded == stream.replayed({"--journal", file, "--hindsight"}));
  REQUIRE(stream.control("accept", {"--journal", file, "--key", "cdn=fastly", "--at", "2024-01-01T03:20:00Z"}).code ==
          0);
  CHECK(has(stream.replayed({"--journal", file}), R"("kind":"rebase")"));
}

TEST_CASE("control: hindsight leaves out what was learned before the exclusion was given") {
  const watched_stream stream;
  const auto file = written(stream.directory, "journal.ndjson",
                            R"({"kind":"exclude","monitor":"m","key":{},"from":"2024-01-01T01:00:00Z",)"
                            R"("to":"2024-01-01T02:00:00Z","in_force":"2024-01-01T03:30:00Z"})"
                            "\n");
  CHECK(stream.replayed({"--journal", file}) == stream.replayed({}));
  CHECK(stream.replayed({"--journal", file, "--hindsight"}) != stream.replayed({}));
}

TEST_CASE("control: mistakes are one line and exit code 2") {
  const watched_stream stream;
  stream.run();
  const std::vector<std::string> range = {"--from", "2024-01-01T01:00:00Z", "--to", "2024-01-01T02:00:00Z"};
  const auto with_range = [&](std::vector<std::string> more) {
    more.insert(more.end(), range.begin(), range.end());
    return more;
  };
  const std::string limit = stream.open_id("threshold");
  const std::vector<std::tuple<std::string, std::vector<std::string>, std::string>> mistakes = {
      {"exclude", with_range({"--monitor", "x"}), "--monitor: found \"x\", expected one of m"},
      {"exclude", with_range({"--key", "cnd=a"}), "no dimension \"cnd\" (did you mean \"cdn\"?)"},
      {"exclude", with_range({"--key", "cdn"}), "--key: found \"cdn\""},
      {"exclude", with_range({"--key", "cdn=a", "--key", "cdn=b"}), "named twice"},
      {"exclude", {"--from", "noon", "--to", "2024-01-01T02:00:00Z"}, "--from: found \"noon\""},
      {"exclude", {"--from", "2024-01-01T02:00:00Z", "--to", "never"}, "--to: found \"never\""},
      {"exclude", {"--from", "2024-01-01T02:00:00Z", "--to", "2024-01-01T02:00:00Z"}, "expected a time behind --from"},
      {"accept", {"--key", "cdn=nowhere"}, "no incident of cdn=nowhere is open in monitor m"},
      {"accept", {"--incident", "zzz"}, "no open incident has an id that begins with \"zzz\""},
      {"accept", {"--incident", "a", "--key", "cdn=a"}, "give one of them"},
      {"accept", {"--incident", limit}, "is of detector threshold, which has no baseline of its own"},
      {"accept", {"--key", "cdn=fastly", "--at", "soon"}, "--at: found \"soon\""},
      {"accept", {"--key", "cdn=fastly", "--journal", stream.directory / "j"}, "--at is needed"},
  };
  for (const auto& [action, arguments, expected] : mistakes) {
    const auto finished = stream.control(action, arguments);
    CAPTURE(expected);
    CHECK(finished.code == 2);
    CHECK(is_one_error_line(finished.err));
    CHECK_MESSAGE(has(finished.err, expected), finished.err);
  }
  CHECK(stream.control("list", {}).out == "no actions\n");
  CHECK_FALSE(std::filesystem::exists(stream.directory / "j"));
  CHECK(stream.control("exclude", with_range({"--state", stream.directory / "none.db"})).code == 6);
}

TEST_CASE("control: mistakes in a journal file are told with their line") {
  const watched_stream stream;
  const std::vector<std::pair<std::string, std::string>> mistakes = {
      {R"({"kind":"exclude","monitor":"m"})", "\"from\" is missing"},
      {R"({"kind":"exclude","monitor":"m","from":"2024-01-01T02:00:00Z","to":"2024-01-01T01:00:00Z"})", "\"to\""},
      {R"({"kind":"exclude","monitor":"x","from":"2024-01-01T01:00:00Z","to":"2024-01-01T02:00:00Z"})",
       "found monitor \"x\""},
      {R"({"kind":"accept","monitor":"m","key":{"player":"a"},"in_force":"2024-01-01T01:00:00Z"})",
       "found dimension \"player\""},
      {R"({"kind":"accept","monitor":"m"})", "needs \"in_force\""},
      {R"({"kind":"forget"})", "expected whole numbers"},
  };
  for (const auto& [line, expected] : mistakes) {
    const auto file = written(stream.directory, "journal.ndjson", "\n" + line + "\n");
    const auto finished =
        run_tocsin({"replay", "--quiet", "--config", stream.config(), stream.views(), "--journal", file});
    CHECK(finished.code == 4);
    CHECK_MESSAGE(has(finished.err, file + ":2: "), finished.err);
    CHECK_MESSAGE(has(finished.err, expected), finished.err);
  }
}
