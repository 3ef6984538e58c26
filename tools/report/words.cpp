#include "tools/report/words.hpp"

#include <fmt/format.h>

#include <cmath>

namespace tocsin::tools {

std::string percent(double rate) {
  return fmt::format("{} %", quantity(rate * 100));
}

std::string quantity(double value) {
  return std::abs(value) >= 1000 && std::abs(value) < 1e15 ? fmt::format("{:.0f}", value)
                                                           : fmt::format("{:.3g}", value);
}

std::string long_time(double days) {
  if (days < 1)
    return quantity(days * 24) + " hours";
  if (days < 3650)
    return quantity(days) + " days";
  return days < 1e6 * 365.25 ? quantity(days / 365.25) + " years" : "more than a million years";
}

std::string clock_time(time_ms time) {
  auto text = format_rfc3339(time); // 2016-05-04T12:00:10.000Z
  text[text.find('T')] = ' ';
  return text.substr(0, text.rfind('.'));
}

} // namespace tocsin::tools
