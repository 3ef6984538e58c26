#include "detectors/values/time.hpp"
#include "tests/integration/support.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <csignal>
#include <filesystem>
#include <random>
#include <set>
#include <thread>

using namespace tocsin::test;

namespace {

using std::chrono::duration_cast;
using std::chrono::milliseconds;
using std::chrono::steady_clock;

/// Where kills landed, by what they left behind.
struct landings {
  std::size_t kills = 0;
  std::size_t before_first_commit = 0;
  std::size_t between_commit_and_log = 0; ///< the log lacked committed bytes
  std::set<std::string> commits;          ///< distinct commits that a restart began from
};

/// A run that is killed again and again until it comes to its end by itself.
class killed_runs {
public:
  killed_runs(const temp_dir& directory, std::string config, milliseconds undisturbed, unsigned seed)
      : directory_(directory), config_(std::move(config)), delay_(undisturbed / 4 + 1ms), random_(seed) {}

  /// One recording, from an empty state to its end.
  void work_off() {
    for (const auto* name : {"alerts.ndjson", "rejected.ndjson", "state.db", "state.db-wal", "state.db-shm"})
      std::filesystem::remove(directory_.file(name));
    last_.clear();
    for (;;) {
      process running(tocsin_command({"run", "--quiet", "--until-end", "--config", config_}));
      const auto code = running.wait(milliseconds(random_() % static_cast<unsigned>(delay_.count())));
      if (code) {
        CAPTURE(running.err());
        REQUIRE(*code == 0);
        return;
      }
      running.signal(SIGKILL);
      if (const auto ended = running.wait(); ended == 0)
        return;
      look_around();
    }
  }

  const landings& landed() const { return landed_; }

private:
  void look_around() {
    ++landed_.kills;
    const auto state = show_state(config_);
    const auto position = state.exists ? state.judged_through : "-";
    if (position == "-")
      ++landed_.before_first_commit;
    else
      landed_.commits.insert(position);
    const auto log = directory_.file("alerts.ndjson");
    if (state.log_bytes > (std::filesystem::exists(log) ? std::filesystem::file_size(log) : 0))
      ++landed_.between_commit_and_log;
    // On a loaded machine a restart takes longer than expected: it must come forward all the same.
    if (position == last_)
      delay_ += delay_ / 8 + 1ms;
    last_ = position;
  }

  const temp_dir& directory_;
  std::string config_;
  milliseconds delay_;
  std::minstd_rand random_;
  std::string last_;
  landings landed_;
};

} // namespace

TEST_CASE("kill -9: the log of a run that was killed at random moments is that of one replay") {
  const temp_dir directory;
  auto config = views_config(directory);
  config["input"]["block_bytes"] = "16KiB";
  const auto path = written_config(directory, "config.json", config);
  const auto count = size_of_test("TOCSIN_EVENTS", 200'000, 2'000'000);
  const auto views = generated(directory, "views.ndjson",
                               {"--rate", "50", "--events", std::to_string(count), "--disorder", "3s",
                                "--late-fraction", "0.02", "--late-by", "2m"});
  directory.append("views.ndjson", "the last line is broken\n");
  const auto expected = replayed(path, {views});
  REQUIRE(check_records(expected) > 100);
  std::filesystem::remove(directory.file("rejected.ndjson"));

  const auto start = steady_clock::now();
  succeed({"run", "--quiet", "--until-end", "--config", path});
  const auto undisturbed = duration_cast<milliseconds>(steady_clock::now() - start);
  CHECK(difference(directory.read("alerts.ndjson"), expected) == "");

  const auto kills = size_of_test("TOCSIN_KILLS", 15, 100);
  const auto seed = static_cast<unsigned>(size_of_test("TOCSIN_SEED", 1, 1));
  killed_runs runs(directory, path, undisturbed, seed);
  std::size_t rounds = 0;
  while (runs.landed().kills < kills) {
    runs.work_off();
    ++rounds;
    CHECK(difference(directory.read("alerts.ndjson"), expected) == "");
    CHECK(reasons_in(directory.read("rejected.ndjson")) == std::map<std::string, std::size_t>{{"malformed", 1}});
  }
  const auto& landed = runs.landed();
  MESSAGE(landed.kills << " kills in " << rounds << " runs of " << undisturbed.count()
                       << " ms: " << landed.before_first_commit << " before the first commit, the others behind "
                       << landed.commits.size() << " different commits, " << landed.between_commit_and_log
                       << " between a commit and its log");
  CHECK(landed.kills >= kills);
  CHECK(2 * landed.before_first_commit <= landed.kills);
  CHECK(4 * landed.commits.size() >= kills);
}

TEST_CASE("kill -9 with operators' actions: the log is that of a replay with the exported journal") {
  const temp_dir directory;
  auto config = views_config(directory);
  config["input"]["block_bytes"] = "16KiB";
  const auto path = written_config(directory, "config.json", config);
  const auto views =
      generated(directory, "views.ndjson",
                {"--rate", "50", "--events", "150000", "--incident", "start=20m,for=4h,where=cdn:fastly,rate=0.4"});
  // First all but the last third, in which an outage is going on; the rest when an operator has accepted it.
  const auto all = directory.read("views.ndjson");
  const auto middle = all.find('\n', all.size() * 2 / 3) + 1;
  directory.write("views.ndjson", all.substr(0, middle));

  std::minstd_rand random(3);
  const auto kills = size_of_test("TOCSIN_KILLS", 4, 20);
  std::size_t asked = 0;
  const auto ask = [&](const std::string& action, std::vector<std::string> arguments) {
    arguments.insert(arguments.begin(), {"control", action, "--config", path});
    const bool done = run_tocsin(arguments).code == 0;
    asked += done ? 1u : 0u;
    return done;
  };
  const auto work_off = [&] {
    for (std::size_t kill = 0;; ++kill) {
      process running(tocsin_command({"run", "--quiet", "--until-end", "--config", path}));
      auto code = running.wait(milliseconds(random() % 60));
      // While it runs, or when it has ended: it takes the action over with a commit, or the next run does.
      if (show_state(path).exists && asked < 40) {
        const auto from = 1704067200 + static_cast<std::int64_t>(random() % 2400);
        ask("exclude", {"--key", kill % 2 == 0 ? "property=p1" : "cdn=fastly", "--from",
                        tocsin::format_rfc3339(from * 1000), "--to", tocsin::format_rfc3339((from + 1200) * 1000)});
      }
      if (!code && kill < kills)
        running.signal(SIGKILL);
      if (!code)
        code = running.wait();
      if (code == 0)
        return;
    }
  };
  work_off();
  REQUIRE(ask("accept", {"--key", "property=p1,cdn=fastly", "--comment", "a new normal"}));
  directory.append("views.ndjson", all.substr(middle));
  work_off();

  const auto journal = succeed({"state", "export", "--journal", "--config", path}).out;
  const auto actions = std::count(journal.begin(), journal.end(), '\n');
  const auto file = directory.write("journal.ndjson", journal);
  const auto log = directory.read("alerts.ndjson");
  REQUIRE(check_records(log) > 100);
  CHECK(difference(replayed(path, {views}, {"--journal", file}), log) == "");
  CHECK(difference(replayed(path, {views}, {"--journal", file, "--workers", "3", "--block-bytes", "100000"}), log) ==
        "");
  MESSAGE(asked << " actions asked for, " << actions << " lines of journal");
  CHECK(asked > 1);
  // No incident of this stream lasts so long that its rate is accepted by itself.
  CHECK(log.find(R"("kind":"rebase")") != std::string::npos);
}
