#include "io/file/file_source.hpp"
#include "tests/support/compress.hpp"
#include "tests/support/source_records.hpp"
#include "tests/support/temp_dir.hpp"

#include <doctest/doctest.h>

#include <fcntl.h>
#include <filesystem>
#include <sys/stat.h>
#include <unistd.h>

using namespace tocsin;
using namespace tocsin::io;
using namespace tocsin::test;

namespace {

using strings = std::vector<std::string>;

/// A log that a service writes, and its reader, which may be restarted.
struct followed_log {
  temp_dir dir;
  file_source_options options;
  std::unique_ptr<source> from;
  std::vector<read_record> records;
  strings warnings;

  explicit followed_log(bool follow = true) {
    options.paths = {dir.file("log")};
    options.follow = follow;
    options.on_warning = [this](const std::string& text) { warnings.push_back(text); };
  }
  void open() {
    auto opened = open_file_source(options);
    if (!opened)
      FAIL(opened.failure().message);
    from = std::move(*opened);
  }
  /// What is there now, as new records.
  strings poll() {
    std::vector<read_record> fresh;
    CHECK(drain(*from, 0, 4096, fresh) == read_outcome::idle);
    records.insert(records.end(), fresh.begin(), fresh.end());
    return texts(fresh);
  }
  /// A new process continues at `offset`.
  result<void> restart(stream_offset offset) {
    const auto position = from->position(0, offset);
    open();
    return from->seek(0, offset, position);
  }
  void rename(const std::string& a, const std::string& b) { std::filesystem::rename(dir.file(a), dir.file(b)); }
  void compress(const std::string& name) {
    dir.write(name + ".gz", gzip(dir.read(name)));
    std::filesystem::last_write_time(dir.file(name + ".gz"), std::filesystem::last_write_time(dir.file(name)));
    std::filesystem::remove(dir.file(name));
  }
  /// Sets the modification time, in seconds.
  void modified(const std::string& name, std::int64_t seconds) {
    const timespec times[2] = {{seconds, 0}, {seconds, 0}};
    REQUIRE(::utimensat(AT_FDCWD, dir.file(name).c_str(), times, 0) == 0);
  }
};

bool mentions(const std::string& text, const std::string& word) {
  return text.find(word) != std::string::npos;
}

std::string lines(const std::string& word, int from, int to) {
  std::string text;
  for (int i = from; i < to; ++i)
    text += word + std::to_string(i) + "\n";
  return text;
}

} // namespace

TEST_CASE("a file that appears and grows is followed line by line") {
  followed_log log;
  log.open();
  CHECK(log.poll().empty());
  log.dir.write("log", "");
  CHECK(log.poll().empty());
  log.dir.append("log", "(");
  CHECK(log.poll().empty());
  log.dir.append("log", "a)\nb");
  CHECK(log.poll() == strings{"(a)"});
  CHECK(log.poll().empty());
  log.dir.append("log", "b\nc\n");
  CHECK(log.poll() == strings{"bb", "c"});
  CHECK(log.records[1].offset == 4);
  std::string huge(2000000, 'x');
  log.dir.append("log", huge);
  CHECK(log.poll().empty());
  log.dir.append("log", huge);
  CHECK(log.poll().empty());
  log.dir.append("log", "\nd\n");
  CHECK(log.poll() == strings{std::string(200, 'x'), "d"});
  CHECK(log.records.back().offset == 9 + 4000001);
}

TEST_CASE("rotation by renaming reads the old file to its end, then the new one") {
  followed_log log;
  log.dir.write("log", "a\nb\nhalf");
  log.open();
  CHECK(log.poll() == strings{"a", "b"});
  log.rename("log", "log.1");
  CHECK(log.poll().empty()); // the path is away for a moment
  log.dir.append("log.1", " line\nlast");
  log.dir.write("log", "");
  CHECK(log.poll() == strings{"half line"}); // the writer has not moved yet
  log.dir.append("log", "c\nd");
  CHECK(log.poll() == strings{"last", "c"});
  CHECK(log.records.back().offset == 18);
  log.dir.append("log", "\n");
  CHECK(log.poll() == strings{"d"});
  CHECK(log.warnings.empty());
}

TEST_CASE("every rotated file counts when several rotations happen unseen") {
  followed_log log;
  log.dir.write("log", "a\n");
  log.open();
  CHECK(log.poll() == strings{"a"});
  log.dir.append("log", "a2\n");
  log.rename("log", "log.3.x"); // not a rotated name, but the open file itself
  log.dir.write("log.bak", "no log\n");
  log.dir.write("log.2", "b\n");
  log.dir.write("log.1", "c\n");
  log.compress("log.2");
  log.dir.write("log.9", "older\n");
  log.dir.write("log", "d\n");
  log.modified("log.9", 1000);
  log.modified("log.3.x", 2000);
  log.modified("log.2.gz", 3000);
  log.modified("log.1", 4000);
  log.modified("log", 5000);
  CHECK(log.poll() == strings{"a2", "b", "c", "d"});
  log.dir.append("log", "e\n");
  CHECK(log.poll() == strings{"e"});
}

TEST_CASE("a rotated file counts when it was last written at the same moment as the one before") {
  followed_log log;
  log.dir.write("log", "a\n");
  log.open();
  CHECK(log.poll() == strings{"a"});
  log.rename("log", "log.2");
  log.dir.write("log.1", "b\n");
  log.dir.write("log", "c\n");
  for (const auto* name : {"log.2", "log.1", "log"})
    log.modified(name, 1000);
  CHECK(log.poll() == strings{"b", "c"});
}

TEST_CASE("truncation in place continues from the new beginning and warns") {
  followed_log log;
  log.dir.write("log", "a\nb\nhalf");
  log.open();
  CHECK(log.poll() == strings{"a", "b"});
  std::filesystem::copy_file(log.dir.file("log"), log.dir.file("log.1"));
  std::filesystem::resize_file(log.dir.file("log"), 0);
  log.dir.append("log", "c\n");
  CHECK(log.poll() == strings{"half", "c"});
  CHECK(log.records.back().offset == 8);
  REQUIRE(log.warnings.size() == 1);
  CHECK(mentions(log.warnings[0], "truncated in place"));

  SUBCASE("also when it has grown beyond the old size again") {
    std::filesystem::resize_file(log.dir.file("log"), 0);
    log.dir.append("log", lines("grown", 0, 3));
    CHECK(log.poll() == strings{"grown0", "grown1", "grown2"});
    CHECK(log.warnings.size() == 2);
  }
  SUBCASE("and a restart finds the copied file") {
    for (const auto& record : std::vector<read_record>(log.records)) {
      REQUIRE(log.restart(record.offset).ok());
      const auto again = log.poll();
      CHECK(again.front() == record.text);
      CHECK(again.back() == "c");
    }
  }
}

TEST_CASE("a restart finds its place across rotations, compressed or not") {
  followed_log log;
  log.dir.write("log", lines("first-", 0, 400));
  log.open();
  log.poll();
  log.dir.append("log", "unfinished");
  log.rename("log", "log.1");
  log.dir.write("log", lines("second-", 0, 300));
  log.poll();
  log.rename("log.1", "log.2");
  log.rename("log", "log.1");
  log.dir.write("log", lines("third-", 0, 5));
  log.poll();
  const auto all = log.records;
  REQUIRE(all.size() == 706);

  SUBCASE("renamed") {}
  SUBCASE("the oldest compressed") {
    log.compress("log.2");
  }
  SUBCASE("all compressed") {
    log.compress("log.2");
    log.compress("log.1");
  }
  SUBCASE("late lines in a file that was left change no offset") {
    log.dir.append("log.1", "late\n");
  }
  for (std::size_t i = 0; i < all.size(); i += 7) {
    CAPTURE(i);
    REQUIRE(log.restart(all[i].offset).ok());
    log.records.clear();
    log.poll();
    CHECK((log.records == std::vector<read_record>(all.begin() + static_cast<std::ptrdiff_t>(i), all.end())));
  }
}

TEST_CASE("the file may be rotated and compressed while nobody reads") {
  for (const bool follow : {true, false}) {
    followed_log log;
    log.dir.write("log", lines("a", 0, 500));
    log.open();
    log.poll();
    const auto offset = log.records[300].offset;
    const auto position = log.from->position(0, offset);
    log.dir.append("log", lines("a", 500, 600));
    log.modified("log", 1000);
    log.rename("log", "log-20260101");
    log.compress("log-20260101");
    log.dir.write("log-20260102", lines("b", 0, 10));
    log.modified("log-20260102", 2000);
    log.dir.write("log", lines("c", 0, 10));
    log.options.follow = follow;
    log.open();
    REQUIRE(log.from->seek(0, offset, position).ok());
    std::vector<read_record> rest;
    CHECK(drain(*log.from, 0, 4096, rest) == (follow ? read_outcome::idle : read_outcome::ended));
    REQUIRE(rest.size() == 320);
    CHECK(rest.front().text == "a300");
    CHECK(rest[299].text == "a599");
    CHECK(rest[300].text == "b0");
    CHECK(rest.back().text == "c9");
    CHECK(rest.back().offset == rest[0].offset + 300 * 5 + 10 * 3 + 9 * 3);
  }
}

TEST_CASE("bytes that are gone are a fatal error that names them") {
  followed_log log;
  log.dir.write("log", lines("first-", 0, 10));
  log.open();
  log.poll();
  log.rename("log", "log.1");
  log.dir.write("log", "second\n");
  log.poll();
  const auto second = log.records.back().offset;
  REQUIRE(log.restart(8).ok());
  const auto position = log.from->position(0, 8);
  std::filesystem::remove(log.dir.file("log.1"));

  const auto sought = log.restart(8);
  REQUIRE_FALSE(sought.ok());
  CHECK(sought.failure().code == error_code::source);
  CHECK(sought.failure().fatal);
  CHECK(mentions(sought.failure().message, "bytes 0 to 80 of the stream cannot be read again"));
  CHECK(mentions(sought.failure().message, "put the file back"));

  SUBCASE("the newer file alone is enough for its own records") {
    REQUIRE(log.from->seek(0, second, position).ok());
    CHECK(log.poll() == strings{"second"});
  }
  SUBCASE("a damaged position is refused") {
    auto damaged = position;
    damaged[5] = static_cast<char>(damaged[5] ^ 1);
    const auto refused = log.from->seek(0, second, damaged);
    REQUIRE_FALSE(refused.ok());
    CHECK(refused.failure().fatal);
    CHECK(mentions(refused.failure().message, "position is damaged"));
  }
  SUBCASE("two files that could be it are refused") {
    log.dir.write("log.6", "takes the inode that became free");
    log.dir.write("log.7", lines("first-", 0, 10));
    log.dir.write("log.8", lines("first-", 0, 10));
    const auto refused = log.from->seek(0, 8, position);
    REQUIRE_FALSE(refused.ok());
    CHECK(mentions(refused.failure().message, "log.7 and " + log.dir.file("log.8")));
  }
  SUBCASE("a file with other contents under the same inode is not it") {
    log.dir.write("log", "other\nthings\n");
    const auto refused = log.from->seek(0, second, log.from->position(0, second));
    REQUIRE_FALSE(refused.ok());
    CHECK(mentions(refused.failure().message, "the bytes from 80 on"));
  }
}

TEST_CASE("a rotated CSV file brings its own header") {
  followed_log log;
  log.options.has_header = true;
  log.dir.write("log", "ts,co");
  log.open();
  CHECK(log.poll().empty());
  log.dir.append("log", "de\n1,a\n");
  CHECK(log.poll() == strings{"1,a"});
  log.rename("log", "log.1");
  log.dir.write("log", "code,ts\nb,2\n");
  CHECK(log.poll() == strings{"b,2"});
  CHECK(log.records[0].header == "ts,code");
  CHECK(log.records[1].header == "code,ts");
  CHECK(log.records[1].offset == 20);
  REQUIRE(log.restart(12).ok());
  CHECK(log.poll() == strings{"b,2"});
  REQUIRE(log.restart(20).ok());
  CHECK(log.poll() == strings{"b,2"});
  CHECK(log.records.back().header == "code,ts");
}

TEST_CASE("a followed gzip file ends where it ended, its successor is found") {
  followed_log log;
  log.dir.write("log", gzip("a\nb"));
  log.open();
  CHECK(log.poll() == strings{"a"});
  log.dir.append("log", gzip("ignored\n"));
  CHECK(log.poll().empty());
  log.rename("log", "log.1");
  log.dir.write("log", gzip("c\n"));
  CHECK(log.poll() == strings{"b", "c"});
}

TEST_CASE("without following the present end is the end until the next seek") {
  followed_log log(false);
  log.dir.write("log", "a\nb");
  log.open();
  CHECK(texts(records_of(*log.from)) == strings{"a", "b"});
  log.dir.append("log", "c\n");
  CHECK(records_of(*log.from).empty());
  REQUIRE(log.from->seek(0, 2, log.from->position(0, 2)).ok());
  CHECK(texts(records_of(*log.from)) == strings{"bc"});
}

TEST_CASE("the last file of a followed sequence is followed") {
  followed_log log;
  log.options.sequence = true;
  log.options.paths = {log.dir.write("old", "a\nb"), log.dir.file("log")};
  log.open();
  CHECK(log.poll() == strings{"a"});
  log.dir.write("log", "c\n");
  CHECK(log.poll() == strings{"b", "c"});
  log.dir.append("log", "d\n");
  CHECK(log.poll() == strings{"d"});
  REQUIRE(log.restart(2).ok());
  CHECK(log.poll() == strings{"b", "c", "d"});
}
