#include "tests/integration/support.hpp"

#include <doctest/doctest.h>

#include <csignal>
#include <filesystem>
#include <random>
#include <sstream>
#include <thread>

using namespace tocsin::test;

namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;
using std::chrono::system_clock;

std::int64_t wall_clock_ms() {
  return std::chrono::duration_cast<milliseconds>(system_clock::now().time_since_epoch()).count();
}

/// A `tocsin run` that is started, killed and started again.
class daemon_under_test {
public:
  explicit daemon_under_test(std::string config) : config_(std::move(config)) { start(); }

  void start() { running_ = std::make_unique<process>(tocsin_command({"run", "--quiet", "--config", config_})); }
  void kill() {
    running_->signal(SIGKILL);
    running_->wait();
  }
  /// Must end cleanly within the shutdown deadline of 10 s (and 10 s more for a loaded machine).
  void terminate() {
    REQUIRE(eventually([&] { return is_listening(*running_); }));
    running_->signal(SIGTERM);
    const auto code = running_->wait(20s);
    CAPTURE(running_->err());
    REQUIRE(code);
    CHECK(*code == 0);
  }
  process& running() { return *running_; }

private:
  std::string config_;
  std::unique_ptr<process> running_;
};

/// The lines of a stream, handed out in pieces.
class written_slowly {
public:
  explicit written_slowly(std::string text) : text_(std::move(text)) {}

  /// About `share` of the stream; the last piece of a line may come with the next.
  std::string next(double share) {
    const auto size = static_cast<std::size_t>(share * static_cast<double>(text_.size()));
    const auto piece = text_.substr(at_, size);
    at_ = std::min(text_.size(), at_ + size);
    return piece;
  }
  /// As much as ends with a whole line, as a rotation finds it.
  std::string next_lines(double share) {
    auto piece = next(share);
    while (!piece.empty() && piece.back() != '\n' && at_ < text_.size())
      piece += text_[at_++];
    return piece;
  }
  bool at_end() const { return at_ == text_.size(); }

private:
  std::string text_;
  std::size_t at_ = 0;
};

std::string wall_clock_start() {
  // Events may be ahead of the wall clock, so that only silence that is meant lets a partition go.
  const auto seconds = static_cast<std::time_t>(wall_clock_ms() / 1000);
  char text[32];
  std::tm parts{};
  std::strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%SZ", ::gmtime_r(&seconds, &parts));
  return text;
}

nlohmann::json followed_config(const temp_dir& directory) {
  auto config = views_config(directory);
  config["input"]["idle_timeout"] = "1s";
  config["input"]["block_bytes"] = "64KiB";
  return config;
}

} // namespace

TEST_CASE("follow: kills, rotations and a silent partition give the log of one replay with the journal") {
  const temp_dir directory;
  auto config = followed_config(directory);
  const auto other = directory.file("other.ndjson");
  config["input"]["file"]["paths"].push_back(other);
  const auto path = written_config(directory, "config.json", config);

  const auto events = std::to_string(size_of_test("TOCSIN_EVENTS", 60'000, 600'000));
  const auto make = [&](const std::string& name, const std::string& seed) {
    generated(directory, name,
              {"--rate", "50", "--events", events, "--seed", seed, "--disorder", "3s", "--start", wall_clock_start(),
               "--incident", "start=5m,for=5m,where=cdn:fastly,rate=0.4"});
    return written_slowly(directory.read(name));
  };
  auto mine = make("mine", "1");
  auto others = make("others", "2");
  std::string recorded_mine;
  std::string recorded_others;
  const auto write = [&](const std::string& name, const std::string& piece, std::string& recorded) {
    directory.append(name, piece);
    recorded += piece;
  };

  directory.write("views.ndjson", "");
  directory.write("other.ndjson", "");
  daemon_under_test daemon(path);
  // The watch over a file begins with the first commit: what is rotated away before that is not part of it.
  write("views.ndjson", mine.next(0.02), recorded_mine);
  write("other.ndjson", others.next(0.02), recorded_others);
  REQUIRE(eventually([&] { return show_state(path).exists; }));
  std::minstd_rand random(static_cast<unsigned>(size_of_test("TOCSIN_SEED", 1, 1)));
  const auto kills = size_of_test("TOCSIN_KILLS", 15, 100);
  std::size_t rotations = 0;
  std::size_t kills_inside = 0;
  for (std::uint64_t kill = 0; kill < kills; ++kill) {
    // The other partition is silent in the second third, until it is let go; then it is late.
    const auto share = 1.0 / static_cast<double>(kills);
    const bool silent = kill >= kills / 3 && kill < 2 * kills / 3;
    write("views.ndjson", mine.next(share), recorded_mine);
    if (!silent)
      write("other.ndjson", others.next(share), recorded_others);
    // Only while the first one is heard does it say how far the silent one is let go.
    if (silent && kill == kills / 2)
      CHECK(eventually([&] {
        write("views.ndjson", mine.next(share / 100), recorded_mine);
        return show_state(path).journal > 0;
      }));
    if (kill % 5 == 2) {
      write("views.ndjson", mine.next_lines(share / 3), recorded_mine);
      ++rotations;
      std::filesystem::rename(directory.file("views.ndjson"),
                              directory.file("views.ndjson." + std::to_string(rotations)));
      write("views.ndjson", mine.next(share / 3), recorded_mine);
    }
    std::this_thread::sleep_for(milliseconds(random() % 150));
    daemon.kill();
    if (show_state(path).alerts > 0)
      ++kills_inside;
    daemon.start();
  }
  write("views.ndjson", mine.next(1), recorded_mine);
  write("other.ndjson", others.next(1), recorded_others);
  REQUIRE(mine.at_end());
  REQUIRE(others.at_end());
  daemon.terminate();
  succeed({"run", "--quiet", "--until-end", "--config", path});

  const auto journal = succeed({"state", "export", "--journal", "--config", path}).out;
  const auto entries = std::count(journal.begin(), journal.end(), '\n');
  MESSAGE(kills << " kills, " << kills_inside << " after the first alert, " << rotations << " rotations, " << entries
                << " journal entries");
  CHECK(entries > 0);
  CHECK(kills_inside * 3 >= kills);
  const std::vector<std::string> recording = {directory.write("recorded_mine", recorded_mine),
                                              directory.write("recorded_others", recorded_others)};
  const auto log = directory.read("alerts.ndjson");
  CHECK(check_records(log) > 10);
  const auto given = directory.write("journal.ndjson", journal);
  CAPTURE(journal);
  CHECK(difference(log, replayed(path, recording, {"--journal", given})) == "");
  const bool journal_matters = log != replayed(path, recording);
  CHECK(journal_matters);
}

TEST_CASE("follow: SIGTERM stops cleanly, and the next start goes on") {
  const temp_dir directory;
  const auto path = written_config(directory, "config.json", followed_config(directory));
  generated(directory, "all", {"--rate", "50", "--events", "100000", "--start", wall_clock_start()});
  written_slowly views(directory.read("all"));
  directory.write("views.ndjson", views.next(0.5));
  std::uint64_t alerts = 0;
  daemon_under_test daemon(path);
  for (int stop = 0; stop < 4; ++stop) {
    REQUIRE(eventually([&] { return show_state(path).alerts > alerts; }));
    daemon.terminate();
    alerts = show_state(path).alerts;
    CHECK(check_records(directory.read("alerts.ndjson")) == alerts);
    directory.append("views.ndjson", views.next(0.1));
    daemon.start();
  }
  daemon.terminate();
  directory.append("views.ndjson", views.next(1));
  succeed({"run", "--quiet", "--until-end", "--config", path});
  const auto journal =
      directory.write("journal.ndjson", succeed({"state", "export", "--journal", "--config", path}).out);
  CHECK(difference(directory.read("alerts.ndjson"),
                   replayed(path, {directory.file("views.ndjson")}, {"--journal", journal})) == "");
}

TEST_CASE("follow: an outage before a silence is judged within idle_timeout + lateness + 2 ticks") {
  constexpr milliseconds idle_timeout = 2s;
  constexpr milliseconds lateness = 500ms;
  constexpr milliseconds tick = 1s;
  constexpr milliseconds scheduling = 1s; // of processes, by the machine
  // What disturbs a measurement can only make it longer: one of these must hold.
  milliseconds best = 1h;
  for (int attempt = 0; attempt < 5 && best > idle_timeout + lateness + 2 * tick + scheduling; ++attempt) {
    const temp_dir directory;
    auto config = views_config(directory);
    config["input"]["idle_timeout"] = "2s";
    config["input"]["allowed_lateness"] = "500ms";
    config["monitors"][0]["tick"] = "1s";
    config["monitors"][0]["group_wait"] = "0s"; // comes on top
    config["monitors"][0]["detectors"] = {{{"type", "threshold"}, {"rate", 0.5}, {"window", "1s"}, {"min_events", 20}}};
    const auto path = written_config(directory, "config.json", config);
    directory.write("views.ndjson", "");
    daemon_under_test daemon(path);
    REQUIRE(eventually([&] { return is_listening(daemon.running()); }));
    std::this_thread::sleep_for(500ms); // somewhere within its pauses

    std::string burst;
    const auto now = wall_clock_ms();
    for (int i = 0; i < 40; ++i)
      burst += nlohmann::json{{"ts", now},       {"viewer_id", i}, {"property", "p1"},    {"cdn", "fastly"},
                              {"country", "DE"}, {"title", "t1"},  {"severity", "fatal"}, {"error_code", "X"}}
                   .dump() +
               "\n";
    const auto start = steady_clock::now();
    directory.append("views.ndjson", burst);
    REQUIRE(eventually([&] { return directory.read("alerts.ndjson").find('\n') != std::string::npos; }));
    best = std::min(best, std::chrono::duration_cast<milliseconds>(steady_clock::now() - start));
    CHECK(directory.read("alerts.ndjson").find("\"kind\":\"open\"") != std::string::npos);
    check_records(directory.read("alerts.ndjson"));
  }
  MESSAGE("judged after " << best.count() << " ms");
  CHECK(best <= idle_timeout + lateness + 2 * tick + scheduling);
}
