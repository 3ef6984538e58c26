#pragma once

#include "tools/alert_log/alert_record.hpp"

#include <array>
#include <cstddef>
#include <string>

namespace tocsin::tools {

/// How wide a table may be and whether it may be coloured.
struct table_style {
  std::size_t width = 100;
  bool cut = false; ///< lines fit the width: columns are left out, then texts are cut; else they are longer
  bool colours = false;
  /// Of standard output: the terminal's width; colours unless NO_COLOR is set; nothing is cut in a file or pipe.
  static table_style of_output();
};

/// Alert records as lines of a table for people. The columns have widths that depend on the terminal only, so that
/// following needs no look ahead. Where they do not fit, these go, in this order: monitor, date, id, excess, cause.
/// Value.
class alert_table {
public:
  explicit alert_table(table_style style);
  /// Head and rows end with a line feed.
  std::string head() const;
  std::string row(const alert_record& record) const;

private:
  static constexpr std::size_t columns = 11;
  using cells = std::array<std::string, columns>;
  std::size_t taken() const;
  std::string line(const cells& texts, const char* severity_colour) const;

  table_style style_;
  std::array<std::size_t, columns> widths_; ///< 0: left out
};

} // namespace tocsin::tools
