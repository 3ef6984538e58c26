#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace tocsin::io {

enum class token_kind : std::uint8_t {
  end,
  word,       ///< keyword or plain field path
  field,      ///< field path with a quoted part: never a keyword
  text,       ///< 'text'
  number,     ///< 12, -1.5, 2e3
  symbol,     ///< = <> != < <= > >= ( ) ,
  unreadable, ///< `value` says what is wrong with it
};

struct token {
  token_kind kind = token_kind::end;
  std::string value;        ///< unescaped text, path, digits, symbol
  std::string_view written; ///< as in the source
  std::size_t column = 1;   ///< of its first character, from 1
};

/// Cuts a condition into tokens. Value that views the source; never fails: what it cannot read becomes a token too.
class lexer {
public:
  explicit lexer(std::string_view source) : source_(source) {}
  token next();

private:
  token read_text(token t);
  token read_path(token t);
  token read_number(token t);
  token read_symbol(token t);
  /// Reads up to the closing quote, in which a doubled quote stands for one; false if there is none.
  bool read_quoted(char quote, std::string& out);
  token finish(token t, std::size_t begin);

  std::string_view source_;
  std::size_t at_ = 0;
  std::size_t counted_ = 0; ///< bytes of the source whose characters are in column_
  std::size_t column_ = 1;
};

} // namespace tocsin::io
