#include "io/expression/lexer.hpp"

namespace tocsin::io {

namespace {

bool is_blank(char c) {
  return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

bool begins_name(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || c == '@' || c == '$' ||
         static_cast<unsigned char>(c) >= 0x80;
}

bool continues_name(char c) {
  return begins_name(c) || is_digit(c);
}

} // namespace

token lexer::next() {
  while (at_ < source_.size() && is_blank(source_[at_]))
    ++at_;
  // Columns are characters, not bytes, so that they agree with what an editor shows.
  for (; counted_ < at_; ++counted_)
    if ((static_cast<unsigned char>(source_[counted_]) & 0xC0U) != 0x80U)
      ++column_;
  token t;
  t.column = column_;
  if (at_ >= source_.size())
    return t;
  const char c = source_[at_];
  const char after = at_ + 1 < source_.size() ? source_[at_ + 1] : '\0';
  if (c == '\'')
    return read_text(std::move(t));
  if (c == '"' || begins_name(c))
    return read_path(std::move(t));
  if (is_digit(c) || ((c == '-' || c == '+' || c == '.') && (is_digit(after) || after == '.')))
    return read_number(std::move(t));
  return read_symbol(std::move(t));
}

token lexer::read_text(token t) {
  const auto begin = at_;
  if (read_quoted('\'', t.value)) {
    t.kind = token_kind::text;
  } else {
    t.kind = token_kind::unreadable;
    t.value = "a closing ' at the end of the text";
  }
  return finish(std::move(t), begin);
}

token lexer::read_path(token t) {
  const auto begin = at_;
  t.kind = token_kind::word;
  for (;;) {
    if (at_ < source_.size() && source_[at_] == '"') {
      t.kind = token_kind::field;
      const auto size_before = t.value.size();
      if (!read_quoted('"', t.value)) {
        t.kind = token_kind::unreadable;
        t.value = "a closing \" at the end of the field name";
        break;
      }
      if (t.value.size() == size_before) {
        t.kind = token_kind::unreadable;
        t.value = "a field name between the quotes";
        break;
      }
    } else if (at_ < source_.size() && begins_name(source_[at_])) {
      while (at_ < source_.size() && continues_name(source_[at_]))
        t.value.push_back(source_[at_++]);
    } else {
      t.kind = token_kind::unreadable;
      t.value = "a field name after the dot";
      break;
    }
    if (at_ >= source_.size() || source_[at_] != '.')
      break;
    t.value.push_back('.');
    ++at_;
  }
  return finish(std::move(t), begin);
}

token lexer::read_number(token t) {
  const auto begin = at_++;
  while (at_ < source_.size()) {
    const char c = source_[at_];
    const char before = source_[at_ - 1];
    // Letters belong to it too, so that `12abc` is one wrong number and not a number and a name.
    const bool exponent_sign = (c == '-' || c == '+') && (before == 'e' || before == 'E');
    if (!continues_name(c) && c != '.' && !exponent_sign)
      break;
    ++at_;
  }
  t.kind = token_kind::number;
  t.value = std::string(source_.substr(begin, at_ - begin));
  return finish(std::move(t), begin);
}

token lexer::read_symbol(token t) {
  const auto begin = at_;
  const auto two = source_.substr(at_, 2);
  t.kind = token_kind::symbol;
  if (two == "<>" || two == "!=" || two == "<=" || two == ">=") {
    at_ += 2;
  } else if (two == "==") {
    at_ += 2;
    t.kind = token_kind::unreadable;
    t.value = "= (equality has one sign)";
    return finish(std::move(t), begin);
  } else if (two == "&&" || two == "||") {
    at_ += 2;
    t.kind = token_kind::unreadable;
    t.value = two == "&&" ? "AND" : "OR";
    return finish(std::move(t), begin);
  } else {
    ++at_;
    if (std::string_view("=<>(),").find(source_[begin]) == std::string_view::npos) {
      t.kind = token_kind::unreadable;
      t.value = "a field, a literal, an operator or a parenthesis";
      return finish(std::move(t), begin);
    }
  }
  t.value = std::string(source_.substr(begin, at_ - begin));
  return finish(std::move(t), begin);
}

bool lexer::read_quoted(char quote, std::string& out) {
  ++at_;
  while (at_ < source_.size()) {
    if (source_[at_] == quote) {
      if (at_ + 1 >= source_.size() || source_[at_ + 1] != quote) {
        ++at_;
        return true;
      }
      ++at_;
    }
    out.push_back(source_[at_++]);
  }
  return false;
}

token lexer::finish(token t, std::size_t begin) {
  t.written = source_.substr(begin, at_ - begin);
  return t;
}

} // namespace tocsin::io
