#include "io/expression/number.hpp"

#include <charconv>
#include <limits>

namespace tocsin::io {

namespace {

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

std::size_t skip_digits(std::string_view text, std::size_t from) {
  while (from < text.size() && is_digit(text[from]))
    ++from;
  return from;
}

/// Longest run of digits that always fits 64 bits.
constexpr std::size_t safe_digits = 18;

} // namespace

std::optional<number> parse_number(std::string_view text, number_syntax syntax) {
  const bool lenient = syntax == number_syntax::lenient;
  if (lenient && !text.empty() && text[0] == '+') {
    text.remove_prefix(1);
    if (!text.empty() && text[0] == '-')
      return std::nullopt;
  }
  const bool negative = !text.empty() && text[0] == '-';
  const std::size_t first = negative ? 1 : 0;
  std::size_t at = skip_digits(text, first);
  const auto digits = at - first;
  if (!lenient && (digits == 0 || (digits > 1 && text[first] == '0')))
    return std::nullopt;

  // The common case: a whole number without fraction and exponent.
  if (at == text.size() && digits > 0) {
    number result;
    if (digits <= safe_digits) {
      for (auto i = first; i < at; ++i)
        result.integer = result.integer * 10 + (text[i] - '0');
      if (negative)
        result.integer = -result.integer;
      result.whole = true;
    } else {
      result.whole = std::from_chars(text.data(), text.data() + text.size(), result.integer).ec == std::errc();
    }
    if (result.whole) {
      result.real = static_cast<double>(result.integer);
      return result;
    }
  }

  std::size_t fraction_digits = 0;
  if (at < text.size() && text[at] == '.') {
    const auto end = skip_digits(text, at + 1);
    fraction_digits = end - at - 1;
    if (!lenient && fraction_digits == 0)
      return std::nullopt;
    at = end;
  }
  if (digits + fraction_digits == 0)
    return std::nullopt;
  if (at < text.size() && (text[at] == 'e' || text[at] == 'E')) {
    ++at;
    if (at < text.size() && (text[at] == '+' || text[at] == '-'))
      ++at;
    const auto end = skip_digits(text, at);
    if (end == at)
      return std::nullopt;
    at = end;
  }
  if (at != text.size())
    return std::nullopt;
  number result;
  const auto parsed = std::from_chars(text.data(), text.data() + text.size(), result.real);
  if (parsed.ec != std::errc() || parsed.ptr != text.data() + text.size())
    return std::nullopt;
  return result;
}

int compare(const number& a, const number& b) {
  if (a.whole && b.whole)
    return a.integer < b.integer ? -1 : a.integer > b.integer ? 1 : 0;
  return a.real < b.real ? -1 : a.real > b.real ? 1 : 0;
}

} // namespace tocsin::io
