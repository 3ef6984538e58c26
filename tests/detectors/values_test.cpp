#include "detectors/values/codec.hpp"
#include "detectors/values/key.hpp"
#include "detectors/values/monitor_spec.hpp"
#include "detectors/values/time.hpp"

#include <doctest/doctest.h>

#include <cmath>
#include <limits>

using namespace tocsin;

TEST_CASE("ticks round towards minus infinity") {
  CHECK(tick_of(0, 10) == 0);
  CHECK(tick_of(9, 10) == 0);
  CHECK(tick_of(10, 10) == 1);
  CHECK(tick_of(-1, 10) == -1);
  CHECK(tick_of(-10, 10) == -1);
  CHECK(tick_of(-11, 10) == -2);
}

TEST_CASE("times are written as RFC 3339") {
  CHECK(format_rfc3339(0) == "1970-01-01T00:00:00.000Z");
  CHECK(format_rfc3339(1462363210123) == "2016-05-04T12:00:10.123Z");
  CHECK(format_rfc3339(951782400000) == "2000-02-29T00:00:00.000Z");
  CHECK(format_rfc3339(-1) == "1969-12-31T23:59:59.999Z");
}

TEST_CASE("durations are written with their largest whole unit") {
  CHECK(format_duration(8 * day_ms) == "8d");
  CHECK(format_duration(90 * minute_ms) == "90m");
  CHECK(format_duration(250) == "250ms");
  CHECK(format_duration(0) == "0ms");
}

TEST_CASE("a key's values come back as they went in") {
  std::string key;
  append_null(key);
  append_text(key, "");
  append_text(key, std::string(256, 'x'));
  CHECK(append_text(key, std::string(257, 'x')));
  append_pooled(key);
  key_reader reader(key);
  key_value value;
  REQUIRE(reader.next(value));
  CHECK(value.tag == value_tag::null);
  CHECK(shown(value) == "(none)");
  REQUIRE(reader.next(value));
  CHECK(value.tag == value_tag::text);
  CHECK(value.text.empty());
  REQUIRE(reader.next(value));
  CHECK(value.text == std::string(256, 'x'));
  REQUIRE(reader.next(value));
  CHECK(value.text.size() == 33);
  CHECK(value.text[0] == '#');
  REQUIRE(reader.next(value));
  CHECK(value.tag == value_tag::pooled);
  CHECK_FALSE(reader.next(value));
  CHECK(reader.valid());
}

TEST_CASE("a malformed key stops the reader") {
  std::string key;
  append_text(key, "abc");
  key.pop_back();
  key_reader reader(key);
  key_value value;
  CHECK_FALSE(reader.next(value));
  CHECK_FALSE(reader.valid());
}

TEST_CASE("state bytes survive every number and refuse every damage") {
  state_writer writer(3);
  writer.u8(7);
  writer.i64(std::numeric_limits<std::int64_t>::min());
  writer.f64(std::numeric_limits<double>::infinity());
  writer.f64(-0.0);
  writer.f64(4.9e-324);
  writer.text("hello");
  const auto sealed = writer.seal();
  state_reader reader(sealed);
  CHECK(reader.version() == 3);
  CHECK(reader.u8() == 7);
  CHECK(reader.i64() == std::numeric_limits<std::int64_t>::min());
  CHECK(std::isinf(reader.f64()));
  CHECK(std::signbit(reader.f64()));
  CHECK(reader.f64() == 4.9e-324);
  CHECK(reader.text() == "hello");
  CHECK(reader.complete());
  for (std::size_t i = 0; i < sealed.size(); ++i) {
    auto damaged = sealed;
    damaged[i] = static_cast<char>(damaged[i] ^ 0x10);
    CHECK_FALSE(state_reader(damaged).ok());
    CHECK_FALSE(state_reader(std::string_view(sealed).substr(0, i)).ok());
  }
}

TEST_CASE("a level's parent is its largest listed proper subset, the first if several") {
  monitor_spec monitor;
  monitor.dimensions = {"property", "cdn", "country", "title"};
  monitor.scope_size = 1;
  monitor.levels = {{{0}}, {{0, 1}}, {{0, 2}}, {{0, 1, 2}}, {{0, 1, 2, 3}}, {{0, 3}}};
  CHECK(parent_level(monitor, 0) == 0);
  CHECK(parent_level(monitor, 1) == 0);
  CHECK(parent_level(monitor, 3) == 1);
  CHECK(parent_level(monitor, 4) == 3);
  CHECK(parent_level(monitor, 5) == 0);
  CHECK(level_names(monitor, 3) == std::vector<std::string>{"cdn", "country"});
}
