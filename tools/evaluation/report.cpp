#include "tools/evaluation/report.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

namespace tocsin::evaluation {

namespace {

std::string row_of(const std::vector<std::string>& cells) {
  std::string line = "|";
  for (const auto& text : cells)
    line += " " + text + " |";
  return line + "\n";
}

std::string table_text(const table& what) {
  auto text = fmt::format("### {}\n\n", what.title);
  if (!what.note.empty())
    text += what.note + "\n\n";
  text += row_of(what.columns);
  text += row_of(std::vector<std::string>(what.columns.size(), "---"));
  for (const auto& row : what.rows) {
    std::vector<std::string> cells;
    cells.reserve(row.size());
    for (const auto& one : row)
      cells.push_back(one.text);
    text += row_of(cells);
  }
  return text + "\n";
}

nlohmann::json value_of(const cell& what) {
  if (what.numbers.empty())
    return what.text;
  if (what.numbers.size() == 1 && what.numbers.front().first.empty())
    return what.numbers.front().second;
  nlohmann::json numbers = nlohmann::json::object();
  for (const auto& [name, value] : what.numbers)
    numbers[name] = value;
  return numbers;
}

} // namespace

cell number_cell(const std::optional<double>& value, int decimals) {
  if (!value)
    return "-";
  return {fmt::format("{:.{}f}", *value, decimals), {{"", *value}}};
}

cell count_cell(std::size_t value) {
  return {std::to_string(value), {{"", static_cast<double>(value)}}};
}

std::string to_markdown(const report& what) {
  auto text = fmt::format("Made by `{}`.\n\n", what.command);
  for (const auto& one : what.tables)
    text += table_text(one);
  for (const auto& line : what.skipped)
    text += "Not measured: " + line + "\n";
  return text;
}

std::string to_json(const report& what) {
  nlohmann::json tables = nlohmann::json::array();
  for (const auto& one : what.tables) {
    nlohmann::json rows = nlohmann::json::array();
    for (const auto& row : one.rows) {
      nlohmann::json fields = nlohmann::json::object();
      for (std::size_t i = 0; i < row.size(); ++i)
        fields[one.columns[i]] = value_of(row[i]);
      rows.push_back(std::move(fields));
    }
    tables.push_back({{"title", one.title}, {"note", one.note}, {"rows", std::move(rows)}});
  }
  return nlohmann::json{{"command", what.command}, {"tables", tables}, {"not_measured", what.skipped}}.dump(2) + "\n";
}

} // namespace tocsin::evaluation
