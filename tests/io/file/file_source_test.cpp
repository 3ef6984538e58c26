#include "io/file/file_source.hpp"
#include "tests/support/compress.hpp"
#include "tests/support/source_records.hpp"
#include "tests/support/temp_dir.hpp"

#include <doctest/doctest.h>

#include <random>
#include <sys/stat.h>
#include <unistd.h>

using namespace tocsin;
using namespace tocsin::io;
using namespace tocsin::test;

namespace {

using strings = std::vector<std::string>;

std::unique_ptr<source> open_source(file_source_options options) {
  auto opened = open_file_source(std::move(options));
  if (!opened)
    FAIL(opened.failure().message);
  return std::move(*opened);
}

std::unique_ptr<source> open_path(const std::string& path, std::size_t max_record_bytes = std::size_t{1} << 20) {
  file_source_options options;
  options.paths = {path};
  options.max_record_bytes = max_record_bytes;
  return open_source(options);
}

bool mentions(const std::string& text, const std::string& word) {
  return text.find(word) != std::string::npos;
}

/// Lines whose lengths lie around the limits that a reader has.
std::string awkward_text(std::mt19937& random, std::size_t size) {
  const std::vector<std::size_t> lengths = {0,    1,    63,   64,   65,    199,   200,   201,   1023,   1024,
                                            1025, 4094, 4095, 4096, 4097,  8191,  8192,  16383, 16384,  16385,
                                            0,    0,    10,   80,   65535, 65536, 70000, 99999, 100000, 100001};
  std::string text;
  while (text.size() < size) {
    text.append(lengths[random() % lengths.size()], static_cast<char>('a' + random() % 26));
    text += random() % 8 == 0 ? "\r\n" : "\n";
  }
  return text;
}

} // namespace

TEST_CASE("a plain, a gzip and a zstd file give the same records for every block size") {
  const temp_dir dir;
  std::mt19937 random(7);
  const std::size_t limit = 100000;
  for (const bool last_newline : {true, false}) {
    auto text = awkward_text(random, 1500000);
    if (!last_newline)
      text += "the end";
    const auto middle = text.size() / 3;
    const auto expected = expected_records(text, limit);
    dir.write("plain", text);
    dir.write("gzip", gzip(text.substr(0, middle)) + gzip("") + gzip(text.substr(middle)) + std::string(512, '\0'));
    dir.write("zstd", std::string("\x50\x2a\x4d\x18\x03\x00\x00\x00xyz", 11) + zstd(text.substr(0, middle)) + zstd("") +
                          zstd(text.substr(middle)));
    for (const auto* name : {"plain", "gzip", "zstd"})
      for (const std::size_t block : {1u, 4096u, 4097u, 65536u, 100001u, 1u << 20, 1u << 22}) {
        CAPTURE(name);
        CAPTURE(block);
        const auto from = open_path(dir.file(name), limit);
        CHECK((records_of(*from, 0, block) == expected));
      }
  }
}

TEST_CASE("random lines come back whole for random block and record limits") {
  const temp_dir dir;
  std::mt19937 random(11);
  for (int round = 0; round < 300; ++round) {
    const auto longest = 1 + random() % 600;
    std::string text;
    for (auto lines = random() % 60; lines > 0; --lines)
      text.append(random() % longest, static_cast<char>('a' + random() % 26)).append("\n");
    text.append(random() % 2 == 0 ? 0 : random() % longest, 'z');
    const auto limit = 1 + random() % 500;
    const auto block = 1 + random() % 900;
    // A new name each time: rewriting a file makes some file systems flush it to disk.
    const auto path = dir.write(std::to_string(round), random() % 2 == 0 ? text : gzip(text));
    CAPTURE(round);
    const auto from = open_path(path, limit);
    CHECK((records_of(*from, 0, block) == expected_records(text, limit)));
  }
}

TEST_CASE("block sizes may change between reads") {
  const temp_dir dir;
  std::mt19937 random(13);
  const auto text = awkward_text(random, 700000);
  const auto from = open_path(dir.write("f", text), 70000);
  std::vector<read_record> records;
  raw_block block;
  for (;;) {
    const std::size_t size = std::size_t{1} << (random() % 21);
    const auto outcome = from->read(0, size, block);
    REQUIRE(outcome.ok());
    if (*outcome != read_outcome::block)
      break;
    take_block(block, size, records);
  }
  CHECK((records == expected_records(text, 70000)));
}

TEST_CASE("a seek to any record gives the identical remainder") {
  const temp_dir dir;
  std::mt19937 random(3);
  std::string text;
  for (int i = 0; i < 120; ++i)
    text += std::to_string(i) + std::string(random() % 90, 'x') + "\n";
  text += "no newline";
  const auto expected = expected_records(text, 1000);
  dir.write("plain", text);
  dir.write("gzip", gzip(text));
  dir.write("zstd", zstd(text));
  for (const auto* name : {"plain", "gzip", "zstd"}) {
    const auto from = open_path(dir.file(name));
    for (std::size_t i = 0; i <= expected.size(); ++i) {
      const auto offset = i < expected.size() ? expected[i].offset : static_cast<stream_offset>(text.size());
      const auto position = from->position(0, offset);
      REQUIRE(from->seek(0, offset, i % 2 == 0 ? std::string() : position).ok());
      const std::vector<read_record> rest(expected.begin() + static_cast<std::ptrdiff_t>(i), expected.end());
      CHECK((records_of(*from, 0, 256) == rest));
      const auto anew = open_path(dir.file(name));
      REQUIRE(anew->seek(0, offset, position).ok());
      CHECK((records_of(*anew, 0, 256) == rest));
    }
    const auto beyond = from->seek(0, static_cast<stream_offset>(text.size()) + 1, {});
    REQUIRE_FALSE(beyond.ok());
    CHECK(beyond.failure().fatal);
    CHECK(mentions(beyond.failure().message, name));
  }
}

TEST_CASE("an empty file has no records, a carriage return stays in its record") {
  const temp_dir dir;
  CHECK(records_of(*open_path(dir.write("empty", ""))).empty());
  CHECK(records_of(*open_path(dir.write("empty.gz", gzip("")))).empty());
  CHECK(records_of(*open_path(dir.write("empty.zst", zstd("")))).empty());
  CHECK(texts(records_of(*open_path(dir.write("crlf", "a\r\n\r\nb\r\n")))) == strings{"a\r", "\r", "b\r"});
  CHECK(texts(records_of(*open_path(dir.write("short", "\x1f\x8b")))) == strings{"\x1f\x8b"});
  CHECK(texts(records_of(*open_path(dir.write("paren", "(")))) == strings{"("});
}

TEST_CASE("a line over the limit comes alone, cut to 200 bytes") {
  const temp_dir dir;
  const std::string huge(3000000, 'h');
  const auto path = dir.write("f", "before\n" + huge + "\nafter\n" + huge);
  for (const std::size_t block : {4096u, 1u << 20, 1u << 23}) {
    const auto from = open_path(path);
    const auto records = records_of(*from, 0, block);
    REQUIRE(records.size() == 4);
    CHECK(records[1].oversized);
    CHECK(records[1].text == std::string(200, 'h'));
    CHECK(records[2].text == "after");
    CHECK(records[2].offset == 7 + 3000001);
    CHECK(records[3].oversized);
  }
}

TEST_CASE("each file of a sequence has its own header, which counts but is no data") {
  const temp_dir dir;
  const std::string first = "time,code\r\n1,a\n2,b";
  const std::string second = "code,time\nc,3\nd,4\n";
  file_source_options options;
  options.paths = {dir.write("a.csv", first), dir.write("empty.csv", ""), dir.write("b.csv", gzip(second))};
  options.sequence = true;
  options.has_header = true;
  const auto from = open_source(options);
  REQUIRE(from->partitions() == 1);
  CHECK(from->name(0) == dir.file("a.csv"));
  const auto base = static_cast<stream_offset>(first.size());
  const std::vector<read_record> expected = {{11, "1,a", false, "time,code"},
                                             {15, "2,b", false, "time,code"},
                                             {base + 10, "c,3", false, "code,time"},
                                             {base + 14, "d,4", false, "code,time"}};
  for (const std::size_t block : {1u, 4u, 4096u}) {
    REQUIRE(from->seek(0, 0, {}).ok());
    CHECK((records_of(*from, 0, block) == expected));
  }
  for (std::size_t i = 0; i < expected.size(); ++i) {
    const auto position = from->position(0, expected[i].offset);
    const std::vector<read_record> rest(expected.begin() + static_cast<std::ptrdiff_t>(i), expected.end());
    const auto anew = open_source(options);
    REQUIRE(anew->seek(0, expected[i].offset, position).ok());
    CHECK((records_of(*anew) == rest));
    const auto unaided = open_source(options);
    REQUIRE(unaided->seek(0, expected[i].offset, {}).ok());
    CHECK((records_of(*unaided) == rest));
  }
}

TEST_CASE("a header over the record limit is refused with the file's name") {
  const temp_dir dir;
  file_source_options options;
  options.paths = {dir.write("a.csv", std::string(101, 'h') + "\n1\n")};
  options.has_header = true;
  options.max_record_bytes = 100;
  raw_block block;
  const auto refused = open_source(options)->read(0, 4096, block);
  REQUIRE_FALSE(refused.ok());
  CHECK(mentions(refused.failure().message, dir.file("a.csv") + ": the header line at byte 0 is longer than 100"));
  options.max_record_bytes = 101;
  CHECK(texts(records_of(*open_source(options))) == strings{"1"});
}

TEST_CASE("several files are several partitions, named as given") {
  const temp_dir dir;
  file_source_options options;
  options.paths = {dir.write("a", "1\n2\n"), dir.write("b", "3")};
  const auto from = open_source(options);
  REQUIRE(from->partitions() == 2);
  CHECK(from->name(1) == dir.file("b"));
  CHECK(from->bytes_total() == 5);
  CHECK(texts(records_of(*from, 1)) == strings{"3"});
  CHECK(texts(records_of(*from, 0)) == strings{"1", "2"});
  CHECK(from->bytes_read() == 5);
}

TEST_CASE("input that cannot be read is named with a remedy") {
  const temp_dir dir;
  const auto fails = [](const file_source_options& options) {
    const auto opened = open_file_source(options);
    REQUIRE_FALSE(opened.ok());
    return opened.failure();
  };
  file_source_options options;
  CHECK(fails(options).code == error_code::usage);
  options.paths = {dir.file("missing")};
  CHECK(fails(options).code == error_code::source);
  CHECK(mentions(fails(options).message, dir.file("missing") + ": no such file"));
  options.paths = {dir.path()};
  CHECK(mentions(fails(options).message, "is a directory; give a file"));
  options.follow = true;
  CHECK(mentions(fails(options).message, "is a directory; give a file"));
  options.paths = {dir.write("a", ""), dir.file("a")};
  CHECK(mentions(fails(options).message, "given twice"));
  options.paths = {dir.file("a"), "-"};
  options.sequence = true;
  CHECK(mentions(fails(options).message, "sequence"));
  if (::geteuid() != 0) {
    options.paths = {dir.file("a")};
    ::chmod(dir.file("a").c_str(), 0);
    CHECK(mentions(fails(options).message, "Permission denied"));
  }
}

TEST_CASE("damaged and cut off compressed files fail with name and place, after the lines before") {
  const temp_dir dir;
  std::string text;
  std::mt19937 random(5);
  for (int i = 0; i < 60000; ++i)
    text += std::to_string(random()) + "\n";
  for (const bool is_gzip : {true, false}) {
    const auto intact = is_gzip ? gzip(text) : zstd(text);
    auto damaged = intact;
    for (std::size_t i = damaged.size() / 2; i < damaged.size() / 2 + 64; ++i)
      damaged[i] = static_cast<char>(damaged[i] ^ 0x5a);
    for (const auto& content : {damaged, intact.substr(0, intact.size() / 2), intact + "garbage"}) {
      const auto from = open_path(dir.write("f", content));
      raw_block block;
      auto outcome = from->read(0, 4096, block);
      std::vector<read_record> records;
      while (outcome && *outcome == read_outcome::block) {
        take_block(block, 4096, records);
        outcome = from->read(0, 4096, block);
      }
      REQUIRE_FALSE(outcome.ok());
      CHECK(outcome.failure().code == error_code::source);
      CHECK(outcome.failure().fatal);
      CHECK(mentions(outcome.failure().message, dir.file("f")));
      CHECK(mentions(outcome.failure().message, is_gzip ? "gzip data" : "zstd data"));
      CHECK(mentions(outcome.failure().message, "at stored byte"));
      // Checksums at the end aside, what was delivered before is right.
      const auto expected = expected_records(text, 1000);
      REQUIRE(records.size() > 100);
      const std::size_t sure = records.size() / 4;
      CHECK(std::equal(records.begin(), records.begin() + static_cast<std::ptrdiff_t>(sure), expected.begin()));
      CHECK_FALSE(from->read(0, 4096, block).ok());
    }
  }
}

TEST_CASE("standard input is read from a pipe, plain or compressed, and cannot be read again") {
  for (const bool compressed : {false, true}) {
    int ends[2];
    REQUIRE(::pipe(ends) == 0);
    file_source_options options;
    options.use_stdin = true;
    options.stdin_descriptor = ends[0];
    const auto from = open_source(options);
    CHECK(from->name(0) == "-");
    CHECK_FALSE(from->bytes_total().has_value());
    REQUIRE(from->seek(0, 0, {}).ok());
    std::vector<read_record> records;
    CHECK(drain(*from, 0, 4096, records) == read_outcome::idle);
    CHECK(from->waits(0));

    const auto send = [&](const std::string& text) {
      const auto bytes = compressed ? gzip(text) : text;
      REQUIRE(::write(ends[1], bytes.data(), bytes.size()) == static_cast<ssize_t>(bytes.size()));
    };
    send("one\ntwo\nthr");
    CHECK(drain(*from, 0, 4096, records) == read_outcome::idle);
    CHECK(texts(records) == strings{"one", "two"});
    CHECK(from->seek(0, 8, from->position(0, 8)).ok());
    const auto refused = from->seek(0, 4, {});
    REQUIRE_FALSE(refused.ok());
    CHECK(refused.failure().fatal);
    CHECK(mentions(refused.failure().message, "standard input cannot be read again; it is at byte 8 and byte 4"));
    send("ee\nfour");
    ::close(ends[1]);
    CHECK(drain(*from, 0, 4096, records) == read_outcome::ended);
    CHECK(texts(records) == strings{"one", "two", "three", "four"});
    CHECK(records[3].offset == 14);
    ::close(ends[0]);
  }
}

TEST_CASE("a named pipe is waited for and read once") {
  const temp_dir dir;
  REQUIRE(::mkfifo(dir.file("fifo").c_str(), 0600) == 0);
  const auto from = open_path(dir.file("fifo"));
  std::vector<read_record> records;
  CHECK(drain(*from, 0, 64, records) == read_outcome::idle);
  dir.append("fifo", "a\nb");
  CHECK(drain(*from, 0, 64, records) == read_outcome::ended);
  CHECK(texts(records) == strings{"a", "b"});
  CHECK_FALSE(from->seek(0, 0, {}).ok());
}
