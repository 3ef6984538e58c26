#include "io/expression/number.hpp"

#include <doctest/doctest.h>

#include <cstdint>
#include <limits>

using namespace tocsin::io;

TEST_CASE("whole numbers stay exact up to 64 bits and become doubles beyond") {
  for (const auto syntax : {number_syntax::json, number_syntax::lenient}) {
    CHECK(parse_number("0", syntax)->integer == 0);
    CHECK(parse_number("-12", syntax)->integer == -12);
    CHECK(parse_number("9223372036854775807", syntax)->integer == std::numeric_limits<std::int64_t>::max());
    CHECK(parse_number("-9223372036854775808", syntax)->integer == std::numeric_limits<std::int64_t>::min());
    const auto beyond = parse_number("9223372036854775808", syntax);
    REQUIRE(beyond);
    CHECK_FALSE(beyond->whole);
    CHECK(beyond->real == 9223372036854775808.0);
    CHECK_FALSE(parse_number("12.0", syntax)->whole);
    CHECK(parse_number("12.25", syntax)->real == 12.25);
    CHECK(parse_number("-1.5e-1", syntax)->real == -0.15);
    CHECK(parse_number("1E3", syntax)->real == 1000);
  }
}

TEST_CASE("what is no number is not read as one") {
  for (const auto syntax : {number_syntax::json, number_syntax::lenient})
    for (const char* text : {"",    "-",    "+",    ".",   "e3",  "1e",    "1e+",   "1x",  " 1", "1 ",      "nan",
                             "inf", "-inf", "0x10", "--1", "+-1", "1.2.3", "1e999", "1,5", "-.", "Infinity"}) {
      CAPTURE(text);
      CHECK_FALSE(parse_number(text, syntax));
    }
}

TEST_CASE("JSON is stricter than people") {
  for (const char* text : {"+5", "007", ".5", "5.", "-01", "5.e1"}) {
    CAPTURE(text);
    CHECK_FALSE(parse_number(text, number_syntax::json));
    CHECK(parse_number(text, number_syntax::lenient));
  }
  CHECK(parse_number("007", number_syntax::lenient)->integer == 7);
  CHECK(parse_number("-.5", number_syntax::lenient)->real == -0.5);
}

TEST_CASE("numbers compare") {
  const auto n = [](const char* text) { return *parse_number(text, number_syntax::json); };
  CHECK(compare(n("1"), n("2")) < 0);
  CHECK(compare(n("2"), n("1.5")) > 0);
  CHECK(compare(n("12"), n("12.0")) == 0);
  CHECK(compare(n("9007199254740993"), n("9007199254740992")) > 0);
}
