#pragma once

#include <string>

namespace tocsin {

/// A fraction as a person reads it: `4.8 %`, three significant digits.
std::string in_percent(double fraction);
/// A number with three significant digits.
std::string in_words(double number);
/// A number of things, rounded up to whole ones: `12`, `10800`.
std::string in_count(double number);
/// A time of at least 0 in its largest unit, two significant digits: `25s`, `4.2h`.
std::string in_time(double seconds);

} // namespace tocsin
