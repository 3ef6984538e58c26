#include "io/config/quantity.hpp"
#include "io/config/suggestion.hpp"

#include <doctest/doctest.h>

using namespace tocsin;
using namespace tocsin::io;

TEST_CASE("durations carry their unit") {
  CHECK(parse_duration("250ms") == 250);
  CHECK(parse_duration("10s") == 10 * second_ms);
  CHECK(parse_duration("5m") == 5 * minute_ms);
  CHECK(parse_duration("1h") == hour_ms);
  CHECK(parse_duration("8d") == 8 * day_ms);
  CHECK(parse_duration("0s") == 0);
  for (const std::string wrong : {"", "10", "s", "-5s", "+5s", "1.5h", "10 s", " 10s", "10s ", "10S", "10sec", "1h30m",
                                  "99999d", "99999999999999999999s"})
    CHECK_MESSAGE(!parse_duration(wrong), wrong);
}

TEST_CASE("a duration reads back what the engine writes") {
  for (const time_ms duration : {time_ms{1}, 250 * time_ms{1}, 10 * second_ms, 90 * second_ms, 5 * minute_ms, day_ms})
    CHECK(parse_duration(format_duration(duration)) == duration);
}

TEST_CASE("sizes carry their unit") {
  CHECK(parse_size("512B") == 512);
  CHECK(parse_size("64KiB") == 65536);
  CHECK(parse_size("1MiB") == 1048576);
  CHECK(parse_size("1GiB") == 1073741824);
  CHECK(parse_size("8MB") == 8000000);
  CHECK(parse_size("8kB") == 8000);
  for (const std::string wrong :
       {"", "1024", "MiB", "-1MiB", "1.5GiB", "1 MiB", "1mib", "2000TiB", "99999999999999999999B"})
    CHECK_MESSAGE(!parse_size(wrong), wrong);
}

TEST_CASE("sizes are shown in their largest unit") {
  CHECK(format_size(0) == "0B");
  CHECK(format_size(1023) == "1023B");
  CHECK(format_size(1536) == "1.5KiB");
  CHECK(format_size(std::uint64_t{1} << 30) == "1GiB");
  CHECK(format_size(std::uint64_t{3} << 40) == "3TiB");
}

TEST_CASE("the edit distance counts swaps as one") {
  CHECK(edit_distance("", "abc") == 3);
  CHECK(edit_distance("format", "format") == 0);
  CHECK(edit_distance("fromat", "format") == 1);
  CHECK(edit_distance("tik", "tick") == 1);
  CHECK(edit_distance("kitten", "sitting") == 3);
}

TEST_CASE("a suggestion is near, or there is none") {
  const std::vector<std::string> keys{"tick", "scope", "levels"};
  CHECK(nearest("tik", keys) == "tick");
  CHECK(nearest("level", keys) == "levels");
  CHECK(!nearest("qwertz", keys));
  CHECK(!nearest(std::string(100'000, 'x'), keys));
}
