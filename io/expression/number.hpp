#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace tocsin::io {

/// A number as written in a record or a condition: a 64-bit integer where it is one, else the nearest double.
struct number {
  bool whole = false;
  std::int64_t integer = 0; ///< if whole
  double real = 0;          ///< always
};

/// Which texts are numbers.
enum class number_syntax : std::uint8_t {
  json,    ///< RFC 8259: no plus sign, no leading zeros, digits on both sides of the point
  lenient, ///< also `+5`, `007`, `.5`, `5.`; never `nan`, `inf` or hexadecimal
};

/// The number that the whole text is; nothing if any part of it is something else or a double cannot hold it.
std::optional<number> parse_number(std::string_view text, number_syntax syntax);

/// Below 0, 0 or above 0 as a is less than, equal to or greater than b. Integers compare exactly with each other.
int compare(const number& a, const number& b);

} // namespace tocsin::io
