#include "io/expression/expression.hpp"

#include "io/expression/condition.hpp"

#include <utility>

namespace tocsin::io {

struct expression::program {
  std::string text;
  condition tree;
};

expression::expression(std::shared_ptr<const program> compiled) : program_(std::move(compiled)) {}

result<expression> expression::compile(std::string_view text) {
  auto parsed = parse_condition(text);
  if (!parsed)
    return parsed.failure();
  auto compiled = std::make_shared<program>();
  compiled->text = std::string(text);
  compiled->tree = std::move(*parsed);
  // Short texts live inside their string objects, so the views are set where those objects stay.
  compiled->tree.seal();
  return expression(std::move(compiled));
}

const std::vector<std::string>& expression::fields() const {
  return program_->tree.fields;
}

bool expression::evaluate(const field_value* values, const std::uint32_t* slots) const {
  return program_->tree.evaluate(values, slots) == truth::yes;
}

const std::string& expression::text() const {
  return program_->text;
}

} // namespace tocsin::io
