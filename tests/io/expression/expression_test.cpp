#include "io/expression/condition.hpp"
#include "io/expression/expression.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <map>
#include <memory>
#include <random>
#include <string>
#include <utility>
#include <vector>

using namespace tocsin::io;

namespace {

field_value null_value() {
  return {};
}

field_value text_value(std::string_view text) {
  field_value v;
  v.type = field_value::kind::text;
  v.text = text;
  return v;
}

field_value integer_value(std::int64_t n, std::string_view text) {
  field_value v;
  v.type = field_value::kind::integer;
  v.integer = n;
  v.text = text;
  return v;
}

field_value real_value(double x, std::string_view text) {
  field_value v;
  v.type = field_value::kind::real;
  v.real = x;
  v.text = text;
  return v;
}

field_value boolean_value(bool b) {
  field_value v;
  v.type = field_value::kind::boolean;
  v.boolean = b;
  v.text = b ? "true" : "false";
  return v;
}

field_value nested_value() {
  field_value v;
  v.type = field_value::kind::nested;
  return v;
}

const std::map<std::string, field_value>& record() {
  static const std::map<std::string, field_value> fields = {
      {"status", integer_value(503, "503")},
      {"path", text_value("/health/live")},
      {"name", text_value("O'Hara")},
      {"rate", real_value(0.25, "0.25")},
      {"ok", boolean_value(true)},
      {"missing", null_value()},
      {"list", nested_value()},
      {"csv_number", text_value("12.50")},
      {"csv_word", text_value("delayed")},
      {"csv_flag", text_value("TRUE")},
      {"a.b", integer_value(-3, "-3")},
      {"odd name", text_value("x")},
      {"in", text_value("keyword")},
      {"größe", integer_value(7, "7")},
  };
  return fields;
}

/// Evaluates over the record above, with the slots in an order of their own.
truth evaluate(const std::string& text) {
  auto parsed = parse_condition(text);
  REQUIRE_MESSAGE(parsed.ok(), text << ": " << (parsed.ok() ? "" : parsed.failure().message));
  parsed->seal();
  std::vector<field_value> values(1);
  std::vector<std::uint32_t> slots;
  for (const auto& name : parsed->fields) {
    const auto found = record().find(name);
    REQUIRE_MESSAGE(found != record().end(), name);
    values.insert(values.begin(), found->second);
    for (auto& slot : slots)
      ++slot;
    slots.push_back(0);
  }
  return parsed->evaluate(values.data(), slots.data());
}

std::string message_of(const std::string& text) {
  const auto compiled = expression::compile(text);
  return compiled.ok() ? "compiles" : compiled.failure().message;
}

} // namespace

TEST_CASE("conditions follow SQL's three-valued logic") {
  const std::pair<const char*, truth> table[] = {
      {"status = 503", truth::yes},
      {"status <> 503", truth::no},
      {"status != 500", truth::yes},
      {"status >= 500", truth::yes},
      {"status>=504", truth::no},
      {"500<status", truth::yes},
      {"status = 503.0", truth::yes},
      {"status = 5.03e2", truth::yes},
      {"status = '503'", truth::yes},
      {"status = 'x'", truth::unknown},
      {"rate < .3", truth::yes},
      {"rate = 0.25", truth::yes},
      {"a.b = -3", truth::yes},
      {"a.b < 0 and a.b > -3.5", truth::yes},
      {"csv_number > 12", truth::yes},
      {"csv_number = 12.5", truth::yes},
      {"csv_number = '12.5'", truth::no}, // text with text: bytes
      {"csv_word > 12", truth::unknown},
      {"NOT csv_word > 12", truth::unknown},
      {"csv_flag = true", truth::yes},
      {"csv_flag", truth::yes},
      {"csv_word = TRUE", truth::unknown},
      {"ok", truth::yes},
      {"ok = TRUE", truth::yes},
      {"ok <> FALSE", truth::yes},
      {"ok = 1", truth::unknown},
      {"missing", truth::unknown},
      {"missing = 1", truth::unknown},
      {"missing = NULL", truth::unknown},
      {"status = NULL", truth::unknown},
      {"missing IS NULL", truth::yes},
      {"missing IS NOT NULL", truth::no},
      {"list IS NULL", truth::no},
      {"list = 'x'", truth::unknown},
      {"list LIKE '%'", truth::unknown},
      {"missing = 1 AND status = 1", truth::no},
      {"missing = 1 AND status = 503", truth::unknown},
      {"missing = 1 OR status = 503", truth::yes},
      {"missing = 1 OR status = 1", truth::unknown},
      {"NOT (missing = 1 AND status = 1)", truth::yes},
      {"status IN (500, 502, 503)", truth::yes},
      {"status IN (500, '503')", truth::yes},
      {"status IN (500, NULL)", truth::unknown},
      {"status IN (503, NULL)", truth::yes},
      {"status NOT IN (500, 502)", truth::yes},
      {"status NOT IN (500, NULL)", truth::unknown},
      {"missing NOT IN (500)", truth::unknown},
      {"path LIKE '/health%'", truth::yes},
      {"path NOT LIKE '/health%'", truth::no},
      {"missing NOT LIKE '/health%'", truth::unknown},
      {"status LIKE '5__'", truth::yes},
      {"ok LIKE 'tr%'", truth::yes},
      {"status BETWEEN 500 AND 599", truth::yes},
      {"status NOT BETWEEN 500 AND 599", truth::no},
      {"status BETWEEN 504 AND NULL", truth::no},
      {"status BETWEEN 500 AND NULL", truth::unknown},
      {"status BETWEEN 500 AND 599 AND ok", truth::yes},
      {"name = 'O''Hara'", truth::yes},
      {"\"odd name\" = 'x'", truth::yes},
      {"\"in\" = 'keyword'", truth::yes},
      {"\"a\".b = -3", truth::yes},
      {"größe = 7", truth::yes},
      {"TRUE", truth::yes},
      {"FALSE OR NULL", truth::unknown},
      {"ok OR FALSE AND FALSE", truth::yes}, // AND binds stronger
      {"(ok OR FALSE) AND FALSE", truth::no},
      {"NOT ok OR ok", truth::yes}, // NOT binds strongest
      {"nOt NoT ok", truth::yes},
  };
  for (const auto& [text, expected] : table) {
    CAPTURE(text);
    CHECK(evaluate(text) == expected);
  }
}

TEST_CASE("an unknown condition does not hold") {
  const auto compiled = expression::compile("a = 1 OR b = 2");
  REQUIRE(compiled.ok());
  CHECK(compiled->fields() == std::vector<std::string>{"a", "b"});
  CHECK(compiled->text() == "a = 1 OR b = 2");
  field_value values[2];
  const std::uint32_t slots[] = {1, 0};
  CHECK_FALSE(compiled->evaluate(values, slots));
  values[0] = integer_value(2, "2");
  CHECK(compiled->evaluate(values, slots));
}

TEST_CASE("integers compare exactly") {
  const auto compiled = expression::compile("id = 9007199254740993");
  REQUIRE(compiled.ok());
  const std::uint32_t slots[] = {0};
  auto value = integer_value(9007199254740993, "9007199254740993");
  CHECK(compiled->evaluate(&value, slots));
  value = integer_value(9007199254740992, "9007199254740992");
  CHECK_FALSE(compiled->evaluate(&value, slots));
}

TEST_CASE("a condition that cannot be read points at the column") {
  const std::pair<const char*, const char*> table[] = {
      {"status = 500 XYZ", "column 14: found 'XYZ', expected AND, OR or the end"},
      {"status =", "column 9: found the end, expected a field or a literal"},
      {"", "column 1: found the end, expected a condition"},
      {"status", "compiles"},
      {"status = 'x", "column 10: found ''x', expected a closing ' at the end of the text"},
      {"\"status = 1", "column 1: found '\"status = 1', expected a closing \" at the end of the field name"},
      {"\"\" = 1", "column 1: found '\"\"', expected a field name between the quotes"},
      {"a. = 1", "column 1: found 'a.', expected a field name after the dot"},
      {"status == 1", "column 8: found '==', expected = (equality has one sign)"},
      {"a = 1 && b = 1", "column 7: found '&&', expected AND"},
      {"a = 1 || b = 1", "column 7: found '||', expected OR"},
      {"größe # 1", "column 7: found '#', expected a field, a literal, an operator or a parenthesis"},
      {"a IN 5", "column 6: found '5', expected ( and a list of values"},
      {"a IN (5", "column 8: found the end, expected , or )"},
      {"a IN ()", "column 7: found ')', expected a value"},
      {"a LIKE b", "column 8: found 'b', expected a pattern such as '/health%'"},
      {"a BETWEEN 1", "column 12: found the end, expected AND and the upper bound"},
      {"a IS 5", "column 6: found '5', expected NULL or NOT NULL"},
      {"a IS NOT 5", "column 10: found '5', expected NULL"},
      {"a NOT 5", "column 7: found '5', expected IN, LIKE or BETWEEN after NOT"},
      {"(a = 1", "column 7: found the end, expected AND, OR or )"},
      {"'x'", "column 4: found the end, expected a comparison such as = or IN"},
      {"5 AND a", "column 3: found 'AND', expected a comparison such as = or IN"},
      {"a = 12abc", "column 5: found '12abc', expected a number such as 12, -1.5 or 2e3"},
      {"a = 1.2.3", "column 5: found '1.2.3', expected a number such as 12, -1.5 or 2e3"},
      {"a = LIKE",
       "column 5: found 'LIKE', expected a field or a literal; a field with the name of a keyword is written "
       "in \"double quotes\""},
      {"((status)) = 503", "column 12: found '=', expected AND, OR or the end"},
  };
  for (const auto& [text, expected] : table) {
    CAPTURE(text);
    CHECK(message_of(text) == expected);
  }
}

TEST_CASE("nesting is bounded and long chains are not") {
  const auto nested = [](std::size_t depth) { return std::string(depth, '(') + "a" + std::string(depth, ')'); };
  CHECK(message_of(nested(99)) == "compiles");
  CHECK(message_of(nested(100)) ==
        "column 101: found 'a', expected at most 100 parentheses and NOTs within each other");
  CHECK(message_of(nested(1'000'000)).find("at most 100") != std::string::npos);
  std::string negated;
  for (int i = 0; i < 100'000; ++i)
    negated += "NOT ";
  CHECK(message_of(negated + "a").find("at most 100") != std::string::npos);

  std::string chain = "a = 0";
  for (int i = 1; i < 50'000; ++i)
    chain += " OR a = " + std::to_string(i);
  const auto compiled = expression::compile(chain);
  REQUIRE(compiled.ok());
  auto value = integer_value(49'999, "49999");
  const std::uint32_t slots[] = {0};
  CHECK(compiled->evaluate(&value, slots));
}

namespace {

/// A second, deliberately plain reading of conditions: a tree of random nodes that knows its text and its truth.
/// 0 false, 1 unknown, 2 true.
struct sample {
  std::string text;
  int value = 1;
};

class sampler {
public:
  explicit sampler(unsigned seed) : random_(seed) {
    for (auto& v : values_)
      v = any_scalar();
  }

  const std::vector<std::string>& names() const { return names_; }
  field_value value_of(const std::string& name) const {
    const auto at = std::find(names_.begin(), names_.end(), name) - names_.begin();
    return values_[static_cast<std::size_t>(at)].value;
  }

  sample condition(int depth) {
    const auto kind = depth == 0 ? 9 : below(12);
    if (kind < 3) {
      auto a = condition(depth - 1);
      const auto b = condition(depth - 1);
      return {"(" + a.text + ") " + word("and") + " (" + b.text + ")", std::min(a.value, b.value)};
    }
    if (kind < 6) {
      auto a = condition(depth - 1);
      const auto b = condition(depth - 1);
      return {"(" + a.text + ") " + word("or") + " (" + b.text + ")", std::max(a.value, b.value)};
    }
    if (kind < 8) {
      auto a = condition(depth - 1);
      return {word("not") + " (" + a.text + ")", 2 - a.value};
    }
    return predicate();
  }

private:
  struct scalar {
    std::string text; ///< in a condition
    field_value value;
  };

  int below(int n) { return static_cast<int>(random_() % static_cast<unsigned>(n)); }

  std::string word(std::string keyword) {
    for (auto& c : keyword)
      if (below(2) == 0)
        c = static_cast<char>(std::toupper(c));
    return keyword;
  }

  scalar any_scalar() {
    static const char* const texts[] = {"", "a", "ab", "b%", "12", "-1.5", "true", "x''y", "1e2"};
    static const char* const integers[] = {"0", "1", "-1", "12", "100"};
    static const char* const reals[] = {"0.5", "-1.5", "12.0", "1e2"};
    switch (below(5)) {
    case 0: return {"NULL", null_value()};
    case 1: {
      const bool b = below(2) == 0;
      return {b ? word("true") : word("false"), boolean_value(b)};
    }
    case 2: {
      const std::string t = integers[below(5)];
      return {t, integer_value(std::atoll(t.c_str()), keep(t))};
    }
    case 3: {
      const std::string t = reals[below(4)];
      return {t, real_value(std::strtod(t.c_str(), nullptr), keep(t))};
    }
    default: {
      const std::string t = texts[below(9)];
      auto unescaped = t;
      if (const auto at = unescaped.find("''"); at != std::string::npos)
        unescaped.erase(at, 1);
      return {"'" + t + "'", text_value(keep(unescaped))};
    }
    }
  }

  scalar operand() {
    if (below(3) == 0)
      return any_scalar();
    const auto i = static_cast<std::size_t>(below(static_cast<int>(names_.size())));
    return {below(2) == 0 ? names_[i] : '"' + names_[i] + '"', values_[i].value};
  }

  sample predicate() {
    const auto a = operand();
    switch (below(5)) {
    case 0: {
      const bool negative = below(2) == 0;
      const bool null = a.value.type == field_value::kind::null;
      return {a.text + " is " + (negative ? "not " : "") + "null", null != negative ? 2 : 0};
    }
    case 1: {
      std::string list;
      int found = 0;
      for (int n = 1 + below(3); n > 0; --n) {
        const auto b = operand();
        list += (list.empty() ? "" : ", ") + b.text;
        found = std::max(found, compared(a.value, b.value, "="));
      }
      return maybe_not(a.text, "in (" + list + ")", found);
    }
    case 2: {
      const auto low = operand();
      const auto high = operand();
      return maybe_not(a.text, "between " + low.text + " and " + high.text,
                       std::min(compared(a.value, low.value, ">="), compared(a.value, high.value, "<=")));
    }
    default: {
      static const char* const signs[] = {"=", "<>", "!=", "<", "<=", ">", ">="};
      const auto b = operand();
      const std::string sign = signs[below(7)];
      return {a.text + " " + sign + " " + b.text, compared(a.value, b.value, sign)};
    }
    }
  }

  sample maybe_not(const std::string& subject, const std::string& test, int value) {
    if (below(2) == 0)
      return {subject + " " + word("not") + " " + test, 2 - value};
    return {subject + " " + test, value};
  }

  static bool number_of(const field_value& v, double& x) {
    if (v.type != field_value::kind::integer && v.type != field_value::kind::real && v.type != field_value::kind::text)
      return false;
    const std::string t(v.text);
    char* end = nullptr;
    x = std::strtod(t.c_str(), &end);
    return !t.empty() && *end == '\0';
  }

  static int boolean_of(const field_value& v) {
    if (v.type != field_value::kind::boolean && v.type != field_value::kind::text)
      return -1;
    return v.text == "true" ? 1 : v.text == "false" ? 0 : -1;
  }

  static int compared(const field_value& a, const field_value& b, const std::string& sign) {
    using kind = field_value::kind;
    double x = 0;
    double y = 0;
    if (a.type == kind::null || b.type == kind::null)
      return 1;
    if (a.type == kind::text && b.type == kind::text) {
      x = std::string(a.text) < std::string(b.text) ? 0 : std::string(a.text) == std::string(b.text) ? 1 : 2;
      y = 1;
    } else if (a.type == kind::boolean || b.type == kind::boolean) {
      x = boolean_of(a);
      y = boolean_of(b);
      if (x < 0 || y < 0)
        return 1;
    } else if (!number_of(a, x) || !number_of(b, y)) {
      return 1;
    }
    const bool holds = sign == "="                    ? x == y
                       : sign == "<>" || sign == "!=" ? x != y
                       : sign == "<"                  ? x < y
                       : sign == "<="                 ? x <= y
                       : sign == ">"                  ? x > y
                                                      : x >= y;
    return holds ? 2 : 0;
  }

  std::string_view keep(const std::string& text) {
    kept_.push_back(std::make_unique<std::string>(text));
    return *kept_.back();
  }

  std::mt19937 random_;
  std::vector<std::unique_ptr<std::string>> kept_;
  std::vector<std::string> names_ = {"f0", "f1.x", "f2", "_f3"};
  std::array<scalar, 4> values_;
};

} // namespace

TEST_CASE("random conditions agree with a naive evaluator") {
  std::array<int, 3> seen{};
  for (unsigned seed = 0; seed < 20'000; ++seed) {
    sampler samples(seed);
    const auto s = samples.condition(static_cast<int>(seed % 5));
    auto parsed = parse_condition(s.text);
    REQUIRE_MESSAGE(parsed.ok(), s.text << ": " << (parsed.ok() ? "" : parsed.failure().message));
    parsed->seal();
    std::vector<field_value> values;
    std::vector<std::uint32_t> slots;
    for (const auto& name : parsed->fields) {
      slots.push_back(static_cast<std::uint32_t>(values.size()));
      values.push_back(samples.value_of(name));
    }
    const auto value = static_cast<int>(parsed->evaluate(values.data(), slots.data()));
    REQUIRE_MESSAGE(value == s.value, s.text);
    ++seen[static_cast<std::size_t>(value)];
  }
  // All three truth values are common, else the comparison above says little.
  for (const auto count : seen)
    CHECK(count > 2'000);
}
