#pragma once

#include "io/expression/expression.hpp"
#include "io/expression/like_pattern.hpp"
#include "io/expression/number.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace tocsin::io {

/// SQL's three truth values, ordered so that AND is the least, OR the greatest and NOT the mirror image.
enum class truth : std::uint8_t { no = 0, unknown = 1, yes = 2 };

/// One side of a comparison: a field of the record or a literal.
struct operand {
  bool is_field = false;
  std::uint32_t field = 0;         ///< index into condition::fields, if is_field
  field_value literal;             ///< else; a text literal's view is set by `condition::seal`
  std::string text;                ///< characters of a text literal
  std::optional<number> as_number; ///< of a literal: its number, or the number its text is
};

enum class node_kind : std::uint8_t {
  all,    ///< AND over the children
  any,    ///< OR over the children
  negate, ///< NOT of the one child
  truthy, ///< operands[0] taken as a condition
  equal,  ///< operands[0] = operands[1], and so on
  not_equal,
  less,
  less_equal,
  greater,
  greater_equal,
  in,      ///< operands[0] is one of the others
  between, ///< operands[0] lies in [operands[1], operands[2]]
  like,    ///< operands[0] matches `pattern`
  is_null, ///< operands[0] is null
};

/// A node of a condition's tree. Children are chained by `next`, operands lie next to each other.
struct node {
  static constexpr std::uint32_t none = UINT32_MAX;
  node_kind kind = node_kind::all;
  std::uint32_t first_child = none;
  std::uint32_t next = none;
  std::uint32_t first_operand = 0;
  std::uint32_t operand_count = 0;
  std::uint32_t pattern = 0;
};

/// A compiled condition: a tree in flat vectors. Value; evaluation neither allocates nor changes it, and its recursion
/// is bounded by `max_condition_depth`.
struct condition {
  std::vector<std::string> fields;
  std::vector<operand> operands;
  std::vector<like_pattern> patterns;
  std::vector<node> nodes;
  std::uint32_t root = 0;

  /// Sets the views of text literals; call once when the vectors have their final place.
  void seal();
  truth evaluate(const field_value* values, const std::uint32_t* slots) const;
};

/// Parentheses and NOTs within each other.
inline constexpr std::size_t max_condition_depth = 100;

/// Parses a condition; errors name the column.
result<condition> parse_condition(std::string_view text);

} // namespace tocsin::io
