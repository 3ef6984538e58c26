#pragma once

#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace tocsin::evaluation {

/// What a table shows at one place: the words, and the numbers behind them by name.
struct cell {
  std::string text;
  std::vector<std::pair<std::string, double>> numbers;

  cell(std::string words) : text(std::move(words)) {} // NOLINT(google-explicit-constructor): a row is a list of words
  cell(const char* words) : text(words) {}            // NOLINT(google-explicit-constructor)
  cell(std::string words, std::vector<std::pair<std::string, double>> behind)
      : text(std::move(words)), numbers(std::move(behind)) {}
};
/// A number with so many digits behind the point; a dash where there is none.
cell number_cell(const std::optional<double>& value, int decimals);
/// A whole number.
cell count_cell(std::size_t value);

struct table {
  std::string title;
  std::string note; ///< how to read it; may be empty
  std::vector<std::string> columns;
  std::vector<std::vector<cell>> rows; ///< the first cell of each is its name
};

/// Everything an evaluation found out. Value.
struct report {
  std::string command; ///< that makes it again
  std::vector<table> tables;
  std::vector<std::string> skipped; ///< what could not be measured, and why
};

std::string to_markdown(const report& what);
std::string to_json(const report& what);

} // namespace tocsin::evaluation
