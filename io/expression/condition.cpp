#include "io/expression/condition.hpp"

#include <algorithm>

namespace tocsin::io {

namespace {

truth negated(truth t) {
  return static_cast<truth>(2 - static_cast<int>(t));
}

truth known(bool value) {
  return value ? truth::yes : truth::no;
}

bool equals_ignoring_case(std::string_view text, std::string_view lower) {
  return text.size() == lower.size() && std::equal(text.begin(), text.end(), lower.begin(), [](char a, char b) {
           return (a >= 'A' && a <= 'Z' ? static_cast<char>(a - 'A' + 'a') : a) == b;
         });
}

/// A value as a condition: TRUE, FALSE or, for everything that is neither, unknown. CSV has only text, so the words
/// count.
truth truth_of(const field_value& value) {
  if (value.type == field_value::kind::boolean)
    return known(value.boolean);
  if (value.type != field_value::kind::text)
    return truth::unknown;
  if (equals_ignoring_case(value.text, "true"))
    return truth::yes;
  return equals_ignoring_case(value.text, "false") ? truth::no : truth::unknown;
}

/// One side of a comparison with what is known about it beforehand.
struct side {
  const field_value* value;
  const operand* source;

  bool is_number() const { return value->type == field_value::kind::integer || value->type == field_value::kind::real; }
  std::optional<number> as_number() const {
    if (!source->is_field)
      return source->as_number;
    switch (value->type) {
    case field_value::kind::integer: return number{true, value->integer, static_cast<double>(value->integer)};
    case field_value::kind::real: return number{false, 0, value->real};
    case field_value::kind::text: return parse_number(value->text, number_syntax::lenient);
    default: return std::nullopt;
    }
  }
};

side side_of(const operand& source, const field_value* values, const std::uint32_t* slots) {
  return {source.is_field ? &values[slots[source.field]] : &source.literal, &source};
}

/// Below, at or above zero as a is less than, equal to or greater than b; nothing when they cannot be compared.
std::optional<int> compare(const side& a, const side& b) {
  using kind = field_value::kind;
  const auto unordered = [](kind k) { return k == kind::null || k == kind::nested; };
  if (unordered(a.value->type) || unordered(b.value->type))
    return std::nullopt;
  if (a.value->type == kind::text && b.value->type == kind::text)
    return a.value->text.compare(b.value->text);
  if (a.value->type == kind::boolean || b.value->type == kind::boolean) {
    const auto left = truth_of(*a.value);
    const auto right = truth_of(*b.value);
    if (left == truth::unknown || right == truth::unknown)
      return std::nullopt;
    return static_cast<int>(left) - static_cast<int>(right);
  }
  const auto left = a.as_number();
  const auto right = left ? b.as_number() : std::nullopt;
  if (!right)
    return std::nullopt;
  return compare(*left, *right);
}

template <class Test>
truth compared(const side& a, const side& b, Test test) {
  const auto order = compare(a, b);
  return order ? known(test(*order)) : truth::unknown;
}

/// Evaluates one node after the other over one record's values.
class evaluation {
public:
  evaluation(const condition& tree, const field_value* values, const std::uint32_t* slots)
      : tree_(tree), values_(values), slots_(slots) {}

  truth of(std::uint32_t index) const {
    const auto& n = tree_.nodes[index];
    switch (n.kind) {
    case node_kind::all: return all(n);
    case node_kind::any: return any(n);
    case node_kind::negate: return negated(of(n.first_child));
    case node_kind::truthy: return truth_of(*operand_of(n, 0).value);
    case node_kind::equal: return binary(n, [](int order) { return order == 0; });
    case node_kind::not_equal: return binary(n, [](int order) { return order != 0; });
    case node_kind::less: return binary(n, [](int order) { return order < 0; });
    case node_kind::less_equal: return binary(n, [](int order) { return order <= 0; });
    case node_kind::greater: return binary(n, [](int order) { return order > 0; });
    case node_kind::greater_equal: return binary(n, [](int order) { return order >= 0; });
    case node_kind::in: return in(n);
    case node_kind::between: return between(n);
    case node_kind::like: return like(n);
    case node_kind::is_null: return known(operand_of(n, 0).value->type == field_value::kind::null);
    }
    return truth::unknown;
  }

private:
  side operand_of(const node& n, std::uint32_t i) const {
    return side_of(tree_.operands[n.first_operand + i], values_, slots_);
  }

  template <class Test>
  truth binary(const node& n, Test test) const {
    return compared(operand_of(n, 0), operand_of(n, 1), test);
  }

  truth all(const node& n) const {
    auto least = truth::yes;
    for (auto child = n.first_child; child != node::none && least != truth::no; child = tree_.nodes[child].next)
      least = std::min(least, of(child));
    return least;
  }

  truth any(const node& n) const {
    auto greatest = truth::no;
    for (auto child = n.first_child; child != node::none && greatest != truth::yes; child = tree_.nodes[child].next)
      greatest = std::max(greatest, of(child));
    return greatest;
  }

  truth in(const node& n) const {
    const auto wanted = operand_of(n, 0);
    auto found = truth::no;
    for (std::uint32_t i = 1; i < n.operand_count && found != truth::yes; ++i)
      found = std::max(found, compared(wanted, operand_of(n, i), [](int order) { return order == 0; }));
    return found;
  }

  truth between(const node& n) const {
    const auto value = operand_of(n, 0);
    return std::min(compared(value, operand_of(n, 1), [](int order) { return order >= 0; }),
                    compared(value, operand_of(n, 2), [](int order) { return order <= 0; }));
  }

  truth like(const node& n) const {
    const auto& value = *operand_of(n, 0).value;
    if (value.type == field_value::kind::null || value.type == field_value::kind::nested)
      return truth::unknown;
    return known(tree_.patterns[n.pattern].matches(value.text));
  }

  const condition& tree_;
  const field_value* values_;
  const std::uint32_t* slots_;
};

} // namespace

void condition::seal() {
  for (auto& o : operands)
    if (!o.is_field)
      o.literal.text = o.text;
}

truth condition::evaluate(const field_value* values, const std::uint32_t* slots) const {
  return evaluation(*this, values, slots).of(root);
}

} // namespace tocsin::io
