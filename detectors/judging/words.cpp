#include "detectors/judging/words.hpp"

#include <cstdio>

namespace tocsin {

std::string in_words(double number) {
  char text[32];
  std::snprintf(text, sizeof text, "%.3g", number);
  return text;
}

std::string in_percent(double fraction) {
  return in_words(100 * fraction) + " %";
}

} // namespace tocsin
