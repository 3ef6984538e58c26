#pragma once

#include <string>

namespace tocsin {

/// A fraction as a person reads it: `4.8 %`, three significant digits.
std::string in_percent(double fraction);
/// A number with three significant digits.
std::string in_words(double number);

} // namespace tocsin
