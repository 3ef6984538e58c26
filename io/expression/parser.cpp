#include "io/expression/condition.hpp"
#include "io/expression/lexer.hpp"

#include <algorithm>
#include <string>

namespace tocsin::io {

namespace {

std::string upper(std::string_view text) {
  std::string out(text);
  for (auto& c : out)
    if (c >= 'a' && c <= 'z')
      c = static_cast<char>(c - 'a' + 'A');
  return out;
}

/// How a token is shown in a message; long ones are cut.
std::string shown(const token& t) {
  if (t.kind == token_kind::end)
    return "the end";
  constexpr std::size_t most = 40;
  if (t.written.size() <= most)
    return "'" + std::string(t.written) + "'";
  auto size = most;
  while (size > 0 && (static_cast<unsigned char>(t.written[size]) & 0xC0U) == 0x80U)
    --size;
  return "'" + std::string(t.written.substr(0, size)) + "...'";
}

constexpr const char* keywords[] = {"AND", "OR", "NOT", "IN", "LIKE", "BETWEEN", "IS", "NULL", "TRUE", "FALSE"};

/// Recursive descent over
///   condition := conjunction (OR conjunction)*
///   conjunction := factor (AND factor)*
///   factor := NOT factor | '(' condition ')' | predicate
///   predicate := operand [comparison operand | [NOT] IN (...) | [NOT] LIKE text | [NOT] BETWEEN operand AND operand
///                | IS [NOT] NULL]
/// The first error stops it: every function then returns node::none.
class parser {
public:
  explicit parser(std::string_view text) : lexer_(text) { advance(); }

  result<condition> run() {
    const auto root = disjunction();
    if (message_.empty() && current_.kind != token_kind::end)
      refuse("AND, OR or the end");
    if (!message_.empty())
      return error{error_code::configuration, message_, false, true};
    out_.root = root;
    return std::move(out_);
  }

private:
  void advance() { current_ = lexer_.next(); }

  std::uint32_t refuse(const std::string& expected) {
    if (message_.empty())
      message_ = "column " + std::to_string(current_.column) + ": found " + shown(current_) + ", expected " +
                 (current_.kind == token_kind::unreadable ? current_.value : expected);
    return node::none;
  }

  bool is_word(const char* keyword) const {
    return current_.kind == token_kind::word && upper(current_.value) == keyword;
  }
  bool is_symbol(const char* symbol) const { return current_.kind == token_kind::symbol && current_.value == symbol; }
  bool take_word(const char* keyword) {
    if (!is_word(keyword))
      return false;
    advance();
    return true;
  }
  bool take_symbol(const char* symbol) {
    if (!is_symbol(symbol))
      return false;
    advance();
    return true;
  }

  std::uint32_t add(node n) {
    out_.nodes.push_back(n);
    return static_cast<std::uint32_t>(out_.nodes.size() - 1);
  }

  /// A node over one child that already exists.
  std::uint32_t add_parent(node_kind kind, std::uint32_t child) {
    node n;
    n.kind = kind;
    n.first_child = child;
    return add(n);
  }

  /// `item (KEYWORD item)*` as one node over all items, or the item itself if it is alone.
  template <class Item>
  std::uint32_t chain(node_kind kind, const char* keyword, Item item) {
    const auto first = item();
    auto last = first;
    auto parent = first;
    while (message_.empty() && take_word(keyword)) {
      const auto next = item();
      if (!message_.empty())
        break;
      if (parent == first)
        parent = add_parent(kind, first);
      out_.nodes[last].next = next;
      last = next;
    }
    return message_.empty() ? parent : node::none;
  }

  std::uint32_t disjunction() {
    return chain(node_kind::any, "OR", [this] { return conjunction(); });
  }

  std::uint32_t conjunction() {
    return chain(node_kind::all, "AND", [this] { return factor(); });
  }

  std::uint32_t factor() {
    if (depth_ >= max_condition_depth)
      return refuse("at most " + std::to_string(max_condition_depth) + " parentheses and NOTs within each other");
    ++depth_;
    const auto index = nested_factor();
    --depth_;
    return index;
  }

  std::uint32_t nested_factor() {
    if (take_word("NOT")) {
      const auto child = factor();
      return message_.empty() ? add_parent(node_kind::negate, child) : node::none;
    }
    if (take_symbol("(")) {
      const auto inner = disjunction();
      if (!message_.empty())
        return node::none;
      if (!take_symbol(")"))
        return refuse("AND, OR or )");
      return inner;
    }
    return predicate();
  }

  std::uint32_t predicate() {
    node n;
    n.first_operand = static_cast<std::uint32_t>(out_.operands.size());
    const auto subject = current_;
    if (!add_operand("a condition"))
      return node::none;
    if (current_.kind == token_kind::symbol && take_comparison(n.kind)) {
      if (!add_operand("a field or a literal"))
        return node::none;
    } else if (take_word("IS")) {
      return null_test(n);
    } else {
      const bool negative = take_word("NOT");
      if (take_word("IN"))
        return finish_negatable(n, negative, node_kind::in, list());
      if (take_word("LIKE"))
        return finish_negatable(n, negative, node_kind::like, pattern(n));
      if (take_word("BETWEEN"))
        return finish_negatable(n, negative, node_kind::between, range());
      if (negative)
        return refuse("IN, LIKE or BETWEEN after NOT");
      // A field, TRUE, FALSE or NULL is a condition by itself; a number or a text never is.
      if (current_.kind == token_kind::unreadable || subject.kind == token_kind::text ||
          subject.kind == token_kind::number)
        return refuse("a comparison such as = or IN");
      n.kind = node_kind::truthy;
    }
    return finish(n);
  }

  bool take_comparison(node_kind& kind) {
    struct comparison {
      const char* symbol;
      node_kind kind;
    };
    constexpr comparison all[] = {{"=", node_kind::equal},         {"<>", node_kind::not_equal},
                                  {"!=", node_kind::not_equal},    {"<", node_kind::less},
                                  {"<=", node_kind::less_equal},   {">", node_kind::greater},
                                  {">=", node_kind::greater_equal}};
    for (const auto& c : all) {
      if (take_symbol(c.symbol)) {
        kind = c.kind;
        return true;
      }
    }
    return false;
  }

  std::uint32_t null_test(node n) {
    const bool negative = take_word("NOT");
    if (!take_word("NULL"))
      return refuse(negative ? "NULL" : "NULL or NOT NULL");
    return finish_negatable(n, negative, node_kind::is_null, true);
  }

  bool list() {
    if (!take_symbol("("))
      return refuse("( and a list of values"), false;
    do {
      if (!add_operand("a value"))
        return false;
    } while (take_symbol(","));
    if (!take_symbol(")"))
      return refuse(", or )"), false;
    return true;
  }

  bool pattern(node& n) {
    if (current_.kind != token_kind::text)
      return refuse("a pattern such as '/health%'"), false;
    n.pattern = static_cast<std::uint32_t>(out_.patterns.size());
    out_.patterns.emplace_back(current_.value);
    advance();
    return true;
  }

  bool range() {
    if (!add_operand("the lower bound"))
      return false;
    if (!take_word("AND"))
      return refuse("AND and the upper bound"), false;
    return add_operand("the upper bound");
  }

  std::uint32_t finish(node n) {
    n.operand_count = static_cast<std::uint32_t>(out_.operands.size()) - n.first_operand;
    return add(n);
  }

  std::uint32_t finish_negatable(node n, bool negative, node_kind kind, bool complete) {
    if (!complete)
      return node::none;
    n.kind = kind;
    const auto index = finish(n);
    return negative ? add_parent(node_kind::negate, index) : index;
  }

  bool add_operand(const char* expected) {
    operand o;
    switch (current_.kind) {
    case token_kind::text:
      o.literal.type = field_value::kind::text;
      o.text = current_.value;
      o.as_number = parse_number(o.text, number_syntax::lenient);
      break;
    case token_kind::number:
      o.as_number = parse_number(current_.value, number_syntax::lenient);
      if (!o.as_number)
        return refuse("a number such as 12, -1.5 or 2e3"), false;
      o.literal.type = o.as_number->whole ? field_value::kind::integer : field_value::kind::real;
      o.literal.integer = o.as_number->integer;
      o.literal.real = o.as_number->real;
      o.text = current_.value;
      break;
    case token_kind::field: set_field(o); break;
    case token_kind::word:
      if (!set_word(o))
        return refuse(std::string(expected) + "; a field with the name of a keyword is written in \"double quotes\""),
               false;
      break;
    case token_kind::end:
    case token_kind::symbol:
    case token_kind::unreadable: return refuse(expected), false;
    }
    out_.operands.push_back(std::move(o));
    advance();
    return true;
  }

  void set_field(operand& o) {
    o.is_field = true;
    const auto known = std::find(out_.fields.begin(), out_.fields.end(), current_.value);
    o.field = static_cast<std::uint32_t>(known - out_.fields.begin());
    if (known == out_.fields.end())
      out_.fields.push_back(current_.value);
  }

  /// A plain word is TRUE, FALSE, NULL or a field; false for any other keyword.
  bool set_word(operand& o) {
    const auto word = upper(current_.value);
    if (word == "TRUE" || word == "FALSE") {
      o.literal.type = field_value::kind::boolean;
      o.literal.boolean = word == "TRUE";
      o.text = word == "TRUE" ? "true" : "false";
      return true;
    }
    if (word == "NULL")
      return true;
    if (std::find(std::begin(keywords), std::end(keywords), word) != std::end(keywords))
      return false;
    set_field(o);
    return true;
  }

  lexer lexer_;
  token current_;
  condition out_;
  std::size_t depth_ = 0;
  std::string message_;
};

} // namespace

result<condition> parse_condition(std::string_view text) {
  return parser(text).run();
}

} // namespace tocsin::io
