#include "io/words.hpp"

#include <fmt/format.h>

#include <cmath>

namespace tocsin::io {

namespace {

constexpr double days_a_year = 365.25;
constexpr double most_years = 1000;

} // namespace

std::string percent(double rate) {
  return quantity(rate * 100) + " %";
}

std::string quantity(double value) {
  return std::abs(value) >= 1000 && std::abs(value) < 1e15 ? fmt::format("{:.0f}", value)
                                                           : fmt::format("{:.3g}", value);
}

std::string how_often(double days) {
  const auto years = days / days_a_year;
  if (years > most_years)
    return "less than once in 1,000 years";
  if (years >= 10)
    return "once in " + quantity(years) + " years";
  return "once in " + (days < 1 ? quantity(days * 24) + " hours" : quantity(days) + " days");
}

} // namespace tocsin::io
