#pragma once

#include "io/decode/column_slots.hpp"
#include "io/expression/expression.hpp"
#include "io/source.hpp"

#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace tocsin::io {

/// Reads one CSV record (RFC 4180, one line each) into the table of values. Every value is text; an empty field is
/// null. Belongs to one decoder; allocates only for a new header or a record that cannot be read.
class csv_reader {
public:
  explicit csv_reader(const std::vector<std::string>& paths) : paths_(paths) {}
  void begin(const raw_block& block);
  bool read(std::string_view line, std::size_t readable, std::vector<field_value>& values);
  const std::string& problem() const { return problem_; }

private:
  void read_header(std::string_view header);
  bool next_field(std::string_view line, std::size_t& at, std::string_view& field);
  bool quoted_field(std::string_view line, std::size_t& at, std::string_view& field);
  bool refuse_width(std::string_view line, std::size_t column, std::size_t at);

  std::vector<std::string> paths_;
  std::shared_ptr<const std::string> header_; ///< held, so that its address tells whether it is the same one
  column_slots columns_;
  std::string unescaped_; ///< text of quoted fields with doubled quotes
  std::string problem_;
  bool ready_ = false;
};

} // namespace tocsin::io
