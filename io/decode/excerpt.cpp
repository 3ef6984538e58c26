#include "io/decode/excerpt.hpp"

#include <cstdint>

namespace tocsin::io {

namespace {

constexpr std::string_view replacement = "\xEF\xBF\xBD";

/// Bytes of the printable UTF-8 character that the text begins with; 0 if it begins with none.
std::size_t printable_size(std::string_view text) {
  const auto byte = [&](std::size_t i) { return static_cast<std::uint32_t>(static_cast<unsigned char>(text[i])); };
  const auto first = byte(0);
  if (first < 0x80)
    return first >= 0x20 && first != 0x7F ? 1 : 0;
  const std::size_t size = first >= 0xF0 ? 4 : first >= 0xE0 ? 3 : 2;
  if (first < 0xC2 || first > 0xF4 || text.size() < size)
    return 0;
  std::uint32_t code = first & (0xFFU >> (size + 1));
  for (std::size_t i = 1; i < size; ++i) {
    if ((byte(i) & 0xC0U) != 0x80U)
      return 0;
    code = code << 6 | (byte(i) & 0x3FU);
  }
  // Overlong forms, surrogates, beyond Unicode, and the control characters of Latin-1.
  constexpr std::uint32_t least[] = {0, 0, 0xA0, 0x800, 0x10000};
  const bool surrogate = code >= 0xD800 && code <= 0xDFFF;
  return code >= least[size] && !surrogate && code <= 0x10FFFF ? size : 0;
}

} // namespace

std::string excerpt_of(std::string_view record, std::size_t most) {
  std::string out;
  while (!record.empty()) {
    const auto size = printable_size(record);
    const auto shown = size > 0 ? record.substr(0, size) : record[0] == '\t' ? std::string_view(" ") : replacement;
    if (out.size() + shown.size() > most)
      break;
    out += shown;
    record.remove_prefix(size > 0 ? size : 1);
  }
  return out;
}

} // namespace tocsin::io
