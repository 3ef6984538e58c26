// Any text either compiles, and then evaluates over any values, or gives an error that names a column.

#include "io/expression/expression.hpp"

#include <cstdint>
#include <cstdlib>
#include <string_view>
#include <vector>

using namespace tocsin::io;

namespace {

void require(bool holds) {
  if (!holds)
    std::abort();
}

field_value value_of(std::uint8_t choice) {
  field_value v;
  switch (choice % 6) {
  case 0: break;
  case 1:
    v.type = field_value::kind::boolean;
    v.boolean = choice >= 128;
    v.text = v.boolean ? "true" : "false";
    break;
  case 2:
    v.type = field_value::kind::integer;
    v.integer = choice;
    v.text = "12";
    break;
  case 3:
    v.type = field_value::kind::real;
    v.real = choice / 7.0;
    v.text = "1.5";
    break;
  case 4:
    v.type = field_value::kind::text;
    v.text = choice >= 128 ? "12.5" : "a\xC3\xA9_%";
    break;
  default: v.type = field_value::kind::nested; break;
  }
  return v;
}

} // namespace

/// First byte: which values the fields have; the rest is the condition.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0)
    return 0;
  const std::string_view text(reinterpret_cast<const char*>(data) + 1, size - 1);
  const auto compiled = expression::compile(text);
  if (!compiled) {
    const auto& message = compiled.failure().message;
    require(message.compare(0, 7, "column ") == 0);
    require(message.find(": found ") != std::string::npos && message.find(", expected ") != std::string::npos);
    return 0;
  }
  require(compiled->text() == text);
  std::vector<field_value> values;
  std::vector<std::uint32_t> slots;
  for (std::size_t i = 0; i < compiled->fields().size(); ++i) {
    values.push_back(value_of(static_cast<std::uint8_t>(data[0] + 37 * i)));
    slots.push_back(static_cast<std::uint32_t>(i));
  }
  const bool holds = compiled->evaluate(values.data(), slots.data());
  require(compiled->evaluate(values.data(), slots.data()) == holds);

  // A condition and its opposite never both hold.
  const auto opposite = expression::compile("NOT (" + std::string(text) + ")");
  if (opposite)
    require(opposite->fields() == compiled->fields() && !(holds && opposite->evaluate(values.data(), slots.data())));
  return 0;
}
