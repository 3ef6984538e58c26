#pragma once

#include "tools/alert_log/alert_record.hpp"

#include <array>
#include <string>

namespace tocsin::tools {

/// How wide a table may be and whether it may be coloured.
struct table_style {
  std::size_t width = 100;
  bool cut = false; ///< rows wider than that lose the end of the key; else they are longer
  bool colours = false;
  /// Of standard output: the terminal's width; colours unless NO_COLOR is set; nothing is cut in a file or pipe.
  static table_style of_output();
};

/// Alert records as lines of a table for people. The columns have fixed widths, so that following needs no look ahead;
/// the key is last. Value.
class alert_table {
public:
  explicit alert_table(table_style style) : style_(style) {}
  /// Head and rows end with a line feed.
  std::string head() const;
  std::string row(const alert_record& record) const;

private:
  static constexpr std::size_t columns = 9;
  using cells = std::array<std::string, columns>;
  std::string line(const cells& texts, const char* severity_colour) const;
  std::size_t width_of(std::size_t column) const;

  table_style style_;
};

} // namespace tocsin::tools
