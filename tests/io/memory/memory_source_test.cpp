#include "io/memory/memory_source.hpp"
#include "tests/support/source_records.hpp"

#include <doctest/doctest.h>

#include <thread>

using namespace tocsin;
using namespace tocsin::io;
using namespace tocsin::test;

namespace {
using strings = std::vector<std::string>;
}

TEST_CASE("a memory source gives its texts as records and can be read again") {
  memory_source from(std::vector<memory_partition>{{"a", "1\n22\n333"}, {"b", ""}});
  REQUIRE(from.partitions() == 2);
  CHECK(from.name(1) == "b");
  CHECK((records_of(from, 0, 4) == expected_records("1\n22\n333", 100)));
  CHECK(from.bytes_read() == 8);
  CHECK(from.bytes_total() == 8);
  CHECK(records_of(from, 1).empty());
  REQUIRE(from.seek(0, 2, {}).ok());
  CHECK(texts(records_of(from)) == strings{"22", "333"});
  const auto beyond = from.seek(0, 9, {});
  REQUIRE_FALSE(beyond.ok());
  CHECK(beyond.failure().message == "a: holds 8 bytes and byte 9 is needed");
}

TEST_CASE("a memory source has headers and record limits") {
  memory_source_options options;
  options.has_header = true;
  options.max_record_bytes = 5;
  memory_source from({{"a", "h\r\n12345\n123456\nx"}}, options);
  const std::vector<read_record> expected = {{3, "12345", false, "h"}, {9, "12345", true, "h"}, {16, "x", false, "h"}};
  CHECK((records_of(from) == expected));
  REQUIRE(from.seek(0, 9, {}).ok());
  CHECK(texts(records_of(from)) == strings{"12345", "x"});
}

TEST_CASE("a followed memory source takes appended text from another thread") {
  memory_source_options options;
  options.follow = true;
  memory_source from({{"a", "half"}}, options);
  std::vector<read_record> records;
  CHECK(drain(from, 0, 64, records) == read_outcome::idle);
  CHECK(records.empty());
  std::string expected = "half";
  for (int i = 0; i < 2000; ++i)
    expected += std::to_string(i) + "\n";
  expected += "end";
  std::thread writer([&] {
    for (std::size_t at = 4; at < expected.size(); at += 7)
      from.append(0, std::string_view(expected).substr(at, 7));
    from.close();
  });
  while (drain(from, 0, 64, records) != read_outcome::ended)
    std::this_thread::yield();
  writer.join();
  CHECK((records == expected_records(expected, 100)));
}
