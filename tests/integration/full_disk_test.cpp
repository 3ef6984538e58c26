#include "tests/integration/support.hpp"

#include <doctest/doctest.h>

#include <csignal>
#include <filesystem>
#include <sys/mount.h>
#include <sys/resource.h>

using namespace tocsin::test;

namespace {

/// `tocsin` whose files may not grow beyond so many KiB, until free_space().
class limited_process {
public:
  limited_process(std::size_t kib, std::vector<std::string> arguments)
      : running_(shell_command(kib, tocsin_command(std::move(arguments)))) {}

  void free_space() {
    rlimit limit{};
    REQUIRE(::prlimit(running_.id(), RLIMIT_FSIZE, nullptr, &limit) == 0);
    limit.rlim_cur = limit.rlim_max;
    REQUIRE(::prlimit(running_.id(), RLIMIT_FSIZE, &limit, nullptr) == 0);
  }
  process& running() { return running_; }

private:
  /// The shell counts in blocks of 512 bytes; it gives its place to tocsin.
  static std::vector<std::string> shell_command(std::size_t kib, const std::vector<std::string>& command) {
    std::vector<std::string> all = {"/bin/sh", "-c", "ulimit -S -f " + std::to_string(2 * kib) + " && exec \"$@\"",
                                    "sh"};
    all.insert(all.end(), command.begin(), command.end());
    return all;
  }
  process running_;
};

/// A small file system of its own, if this user may have one.
class small_disk {
public:
  explicit small_disk(const std::string& path) : path_(path) {
    std::filesystem::create_directory(path_);
    mounted_ = ::mount("tmpfs", path_.c_str(), "tmpfs", 0, "size=16m") == 0;
  }
  small_disk(const small_disk&) = delete;
  small_disk& operator=(const small_disk&) = delete;
  ~small_disk() {
    if (mounted_)
      ::umount2(path_.c_str(), MNT_DETACH);
  }
  bool mounted() const { return mounted_; }
  std::string file(const std::string& name) const { return path_ + "/" + name; }
  /// Takes all but about so much.
  void fill(std::size_t left_bytes) const {
    const auto room = std::filesystem::space(path_).available;
    write_bytes(file("filler"), std::string(room > left_bytes ? room - left_bytes : 0, 'x'));
  }
  void free_space() const { std::filesystem::remove(file("filler")); }

private:
  std::string path_;
  bool mounted_ = false;
};

struct disk_case {
  temp_dir directory;
  nlohmann::json config = views_config(directory);
  std::string expected;

  disk_case() {
    generated(directory, "views.ndjson", {"--rate", "50", "--events", "100000"});
    expected = replayed(written_config(directory, "clean.json", config), {directory.file("views.ndjson")});
    std::filesystem::remove(directory.file("rejected.ndjson"));
    REQUIRE(expected.size() > 100'000);
  }
  std::string log() const { return read_bytes(config.at("alerts").at("file").get<std::string>()); }
};

/// Says what is wrong within a minute, and goes on working.
void check_complains(process& running, const std::string& file) {
  REQUIRE(eventually([&] { return running.err().find("restarting from the last commit") != std::string::npos; }));
  CAPTURE(running.err());
  CHECK(running.err().find(file) != std::string::npos);
}

} // namespace

TEST_CASE("full disk: the alert log and the state say so, and a run goes on when there is space again") {
  disk_case one;
  const auto path = written_config(one.directory, "config.json", one.config);
  // The state is larger than the log; the smallest files stay small enough for both.
  limited_process limited(64, {"run", "--quiet", "--until-end", "--config", path});
  REQUIRE(eventually([&] { return is_listening(limited.running()); }));
  check_complains(limited.running(), one.directory.path());
  SUBCASE("the same process goes on") {
    limited.free_space();
    const auto code = limited.running().wait(60s);
    CAPTURE(limited.running().err());
    REQUIRE(code);
    CHECK(*code == 0);
  }
  SUBCASE("stopped by SIGTERM, a restart goes on") {
    limited.running().signal(SIGTERM);
    const auto code = limited.running().wait(60s);
    REQUIRE(code);
    CHECK((*code == 5 || *code == 6));
    succeed({"run", "--quiet", "--until-end", "--config", path});
  }
  SUBCASE("killed, a restart goes on") {
    limited.running().signal(SIGKILL);
    limited.running().wait();
    succeed({"run", "--quiet", "--until-end", "--config", path});
  }
  CHECK(difference(one.log(), one.expected) == "");
}

TEST_CASE("full disk: a file system without space, for each file, and with space again") {
  disk_case one;
  const small_disk disk(one.directory.file("disk"));
  if (!disk.mounted())
    return skip_test("this user may not mount a file system");
  const auto where = [&](const char* section, const char* name, const std::string& file) {
    one.config[section][name] = disk.file(file);
    return disk.file(file);
  };
  std::string full;
  int expected_code = 5;
  SUBCASE("alert log") {
    full = where("alerts", "file", "alerts.ndjson");
  }
  SUBCASE("state") {
    full = where("state", "sqlite", "state.db");
    expected_code = 6;
  }
  SUBCASE("dead letters") {
    full = where("dead_letter", "file", "rejected.ndjson");
    std::string garbage;
    for (int i = 0; i < 900; ++i)
      garbage += "this is no record\n";
    one.directory.append("views.ndjson", garbage);
  }
  CAPTURE(full);
  const auto path = written_config(one.directory, "config.json", one.config);
  disk.fill(40'000);
  {
    process stopped(tocsin_command({"run", "--quiet", "--until-end", "--config", path}));
    REQUIRE(eventually([&] { return is_listening(stopped); }));
    check_complains(stopped, full);
    stopped.signal(SIGTERM);
    const auto code = stopped.wait(60s);
    REQUIRE(code);
    CHECK(*code == expected_code);
  }
  process patient(tocsin_command({"run", "--quiet", "--until-end", "--config", path}));
  check_complains(patient, full);
  disk.free_space();
  const auto code = patient.wait(60s);
  CAPTURE(patient.err());
  REQUIRE(code);
  CHECK(*code == 0);
  CHECK(difference(one.log(), one.expected) == "");
  const auto letters = reasons_in(read_bytes(one.config["dead_letter"]["file"].get<std::string>()));
  CHECK(letters == (full.find("rejected") == std::string::npos
                        ? std::map<std::string, std::size_t>{}
                        : std::map<std::string, std::size_t>{{"malformed", 900}}));
}

TEST_CASE("full disk: replay says so, and SIGTERM ends its patience with exit code 5") {
  const disk_case one;
  const auto path = written_config(one.directory, "config.json", one.config);
  process replay(tocsin_command(
      {"replay", "--quiet", "--config", path, "--alerts", "/dev/full", one.directory.file("views.ndjson")}));
  REQUIRE(eventually([&] { return replay.err().find("/dev/full: cannot write the alert log: No space left") == 8; }));
  replay.signal(SIGTERM);
  const auto code = replay.wait(20s);
  REQUIRE(code);
  CHECK(*code == 5);
}
