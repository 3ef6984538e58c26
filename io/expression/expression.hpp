#pragma once

#include "io/result.hpp"

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace tocsin::io {

/// A field's value while one record is decoded. Views point into the record's buffers.
struct field_value {
  enum class kind : std::uint8_t { null, boolean, integer, real, text, nested };
  kind type = kind::null; ///< a missing field is null; `nested` is an object or array
  bool boolean = false;
  std::int64_t integer = 0;
  double real = 0;
  /// text: the unescaped value. Other scalars: the value as written in the record.
  std::string_view text;
};

/// A condition in SQL's boolean language over the fields of a record (three-valued logic: null is "unknown"):
/// comparison (= <> != < <= > >=), AND OR NOT, IN (...), LIKE (% and _), BETWEEN x AND y, IS [NOT] NULL, literals
/// ('text' with '' inside, numbers, TRUE FALSE NULL), field paths (`a`, `a.b`, `"quoted name"`).
/// Compiled once, then evaluated without allocation by any number of threads.
class expression {
public:
  /// Compiles. Errors name the column (from 1), what was found and what was expected.
  static result<expression> compile(std::string_view text);

  /// Paths of the fields that it reads, without repetition; index i is what `evaluate` takes at fields[i].
  const std::vector<std::string>& fields() const;
  /// True when the condition is true; false when it is false or unknown. `slots[k]` is the value of fields()[k]
  /// found at values[slots[k]], so that several expressions share one table of values.
  bool evaluate(const field_value* values, const std::uint32_t* slots) const;
  const std::string& text() const;

private:
  struct program;
  explicit expression(std::shared_ptr<const program> compiled);
  std::shared_ptr<const program> program_;
};

} // namespace tocsin::io
