#include "io/words.hpp"

#include <doctest/doctest.h>

#include <limits>

using namespace tocsin::io;

TEST_CASE("numbers in words: what is too small or too great for a person") {
  CHECK(percent(0.0841121) == "8.41 %");
  CHECK(quantity(15.63) == "15.6");
  CHECK(quantity(12345.6) == "12346");
  CHECK(quantity(2.345e-9) == "2.35e-09");
  CHECK(quantity(1e20) == "1e+20");
}

TEST_CASE("how often chance does something ends at a thousand years") {
  CHECK(how_often(0.25) == "once in 6 hours");
  CHECK(how_often(114.4) == "once in 114 days");
  CHECK(how_often(36525) == "once in 100 years");
  CHECK(how_often(365'250) == "once in 1000 years");
  CHECK(how_often(365'251) == "less than once in 1,000 years");
  CHECK(how_often(3e21) == "less than once in 1,000 years");
  CHECK(how_often(std::numeric_limits<double>::max()) == "less than once in 1,000 years");
}
