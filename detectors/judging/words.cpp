#include "detectors/judging/words.hpp"

#include <cmath>
#include <cstdio>
#include <utility>

namespace tocsin {

std::string in_words(double number) {
  char text[32];
  std::snprintf(text, sizeof text, "%.3g", number);
  return text;
}

std::string in_percent(double fraction) {
  return in_words(100 * fraction) + " %";
}

std::string in_count(double number) {
  if (!(number < 1e9))
    return in_words(number);
  char text[32];
  std::snprintf(text, sizeof text, "%.0f", std::ceil(number));
  return text;
}

std::string in_time(double seconds) {
  std::pair<double, const char*> unit{1, "s"};
  for (const auto& larger : {std::pair<double, const char*>{60, "m"}, {3600, "h"}, {86400, "d"}})
    if (seconds >= larger.first)
      unit = larger;
  const auto number = seconds / unit.first;
  char text[32];
  std::snprintf(text, sizeof text, number < 9.95 ? "%.2g%s" : "%.0f%s", number, unit.second);
  return text;
}

} // namespace tocsin
