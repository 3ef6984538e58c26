#include "io/decode/csv_reader.hpp"

#include <cstring>

namespace tocsin::io {

namespace {

constexpr std::string_view byte_order_mark = "\xEF\xBB\xBF";

std::string_view without_line_end(std::string_view line) {
  while (!line.empty() && (line.back() == '\n' || line.back() == '\r'))
    line.remove_suffix(1);
  return line;
}

} // namespace

void csv_reader::begin(const raw_block& block) {
  if (block.header == header_ && ready_)
    return;
  header_ = block.header;
  ready_ = true;
  if (header_)
    read_header(*header_);
  else
    problem_ = "found no header line, expected one with the names of the columns";
}

void csv_reader::read_header(std::string_view header) {
  problem_.clear();
  header = without_line_end(header);
  if (header.substr(0, byte_order_mark.size()) == byte_order_mark)
    header.remove_prefix(byte_order_mark.size());
  std::vector<std::string> columns;
  unescaped_.clear();
  unescaped_.reserve(header.size());
  for (std::size_t at = 0; at <= header.size();) {
    std::string_view column;
    if (!next_field(header, at, column)) {
      columns_ = {};
      problem_ = "found a header whose quotes do not match, expected the names of the columns";
      return;
    }
    columns.emplace_back(column);
  }
  columns_ = column_slots(paths_, columns);
}

bool csv_reader::read(std::string_view line, std::size_t, std::vector<field_value>& values) {
  if (!header_ || columns_.size() == 0)
    return false;
  if (!columns_.problem().empty()) {
    problem_ = columns_.problem();
    return false;
  }
  // Views into it must stay valid up to the end of the record.
  unescaped_.clear();
  if (unescaped_.capacity() < line.size())
    unescaped_.reserve(line.size());
  const auto width = columns_.size();
  std::size_t at = 0;
  for (std::size_t column = 0; column < width; ++column) {
    if (at > line.size())
      return refuse_width(line, column, at);
    std::string_view field;
    if (!next_field(line, at, field)) {
      problem_ = "found a quoted field that does not end with a quote and a comma (column " +
                 std::to_string(column + 1) + "), expected RFC 4180 with one record a line";
      return false;
    }
    const auto slot = columns_[column];
    if (slot == column_slots::none)
      continue;
    auto& value = values[slot];
    value.type = field.empty() ? field_value::kind::null : field_value::kind::text;
    value.text = field;
  }
  return at > line.size() || refuse_width(line, width, at);
}

/// Reads the field at `at` and moves behind its comma, or behind the end of the line plus one.
bool csv_reader::next_field(std::string_view line, std::size_t& at, std::string_view& field) {
  if (at < line.size() && line[at] == '"')
    return quoted_field(line, at, field);
  const auto rest = line.substr(at);
  const auto* comma = rest.empty() ? nullptr : std::memchr(rest.data(), ',', rest.size());
  const auto size =
      comma == nullptr ? rest.size() : static_cast<std::size_t>(static_cast<const char*>(comma) - rest.data());
  field = rest.substr(0, size);
  at += size + 1;
  return true;
}

bool csv_reader::quoted_field(std::string_view line, std::size_t& at, std::string_view& field) {
  const auto begin = at + 1;
  auto quote = line.find('"', begin);
  const auto unescaped_begin = unescaped_.size();
  auto copied = begin;
  while (quote != std::string_view::npos && quote + 1 < line.size() && line[quote + 1] == '"') {
    unescaped_.append(line.substr(copied, quote + 1 - copied));
    copied = quote + 2;
    quote = line.find('"', copied);
  }
  if (quote == std::string_view::npos || (quote + 1 < line.size() && line[quote + 1] != ','))
    return false;
  if (copied == begin) {
    field = line.substr(begin, quote - begin);
  } else {
    unescaped_.append(line.substr(copied, quote - copied));
    field = std::string_view(unescaped_).substr(unescaped_begin);
  }
  at = quote + 2;
  return true;
}

bool csv_reader::refuse_width(std::string_view line, std::size_t column, std::size_t at) {
  auto found = column;
  std::string_view field;
  while (at <= line.size() && next_field(line, at, field))
    ++found;
  problem_ =
      "found " + std::to_string(found) + " columns, expected " + std::to_string(columns_.size()) + " as in the header";
  return false;
}

} // namespace tocsin::io
