#pragma once

#include "io/decode/column_slots.hpp"
#include "io/expression/expression.hpp"
#include "io/source.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace tocsin::io {

/// Reads one line of an Apache or nginx access log (Combined Log Format, or Common without its last two fields) into
/// the table of values. `-` is null; further fields behind the user agent are left alone. Belongs to one decoder;
/// allocates only for a line that cannot be read.
class log_reader {
public:
  explicit log_reader(const std::vector<std::string>& paths);
  void begin(const raw_block&) {}
  bool read(std::string_view line, std::size_t readable, std::vector<field_value>& values);
  const std::string& problem() const { return problem_; }
  /// The names of the fields, in the order of their columns.
  static const std::vector<std::string>& columns();

private:
  enum column : std::size_t {
    remote_host,
    ident,
    user,
    time,
    method,
    path,
    protocol,
    request,
    status,
    bytes,
    referer,
    user_agent
  };

  const char* read_line(std::string_view line, std::vector<field_value>& values);
  void set_text(column c, std::string_view text, std::vector<field_value>& values) const;
  bool set_integer(column c, std::string_view text, std::vector<field_value>& values) const;
  void set_request(std::string_view text, std::vector<field_value>& values) const;
  bool take_quoted(std::string_view& rest, std::string_view& out);

  column_slots slots_;
  std::string unescaped_;
  std::string problem_;
};

} // namespace tocsin::io
