#include "io/expression/like_pattern.hpp"

namespace tocsin::io {

namespace {

bool is_continuation(char c) {
  return (static_cast<unsigned char>(c) & 0xC0U) == 0x80U;
}

/// Matches the piece at the beginning of the text; the number of bytes taken, or npos.
std::size_t match_at_front(std::string_view text, std::string_view piece) {
  std::size_t at = 0;
  for (const char c : piece) {
    if (at >= text.size())
      return std::string_view::npos;
    if (c == '_') {
      ++at;
      while (at < text.size() && is_continuation(text[at]))
        ++at;
    } else if (text[at++] != c) {
      return std::string_view::npos;
    }
  }
  return at;
}

/// The position at which a match that ends with the text can only begin, or npos: `_` makes its length vary.
std::size_t match_at_back(std::string_view text, std::string_view piece) {
  std::size_t at = text.size();
  for (std::size_t i = piece.size(); i-- > 0;) {
    if (at == 0)
      return std::string_view::npos;
    --at;
    if (piece[i] == '_') {
      while (at > 0 && is_continuation(text[at]))
        --at;
    } else if (text[at] != piece[i]) {
      return std::string_view::npos;
    }
  }
  return at;
}

/// Finds the first match of the piece; the bytes up to its end, or npos.
std::size_t find_piece(std::string_view text, std::string_view piece) {
  if (piece.find('_') == std::string_view::npos) {
    const auto at = text.find(piece);
    return at == std::string_view::npos ? at : at + piece.size();
  }
  for (std::size_t from = 0; from <= text.size(); ++from) {
    // A character is never entered in its middle.
    if (from < text.size() && from > 0 && is_continuation(text[from]))
      continue;
    const auto taken = match_at_front(text.substr(from), piece);
    if (taken != std::string_view::npos)
      return from + taken;
  }
  return std::string_view::npos;
}

} // namespace

like_pattern::like_pattern(std::string_view pattern) {
  std::vector<std::string> pieces(1);
  for (const char c : pattern) {
    if (c == '%')
      pieces.emplace_back();
    else
      pieces.back().push_back(c);
  }
  has_percent_ = pieces.size() > 1;
  front_ = pieces.front();
  if (!has_percent_)
    return;
  back_ = pieces.back();
  for (std::size_t i = 1; i + 1 < pieces.size(); ++i)
    if (!pieces[i].empty())
      middle_.push_back(pieces[i]);
}

bool like_pattern::matches(std::string_view text) const {
  const auto front = match_at_front(text, front_);
  if (front == std::string_view::npos)
    return false;
  text.remove_prefix(front);
  if (!has_percent_)
    return text.empty();
  const auto back = match_at_back(text, back_);
  if (back == std::string_view::npos)
    return false;
  text = text.substr(0, back);
  for (const auto& piece : middle_) {
    const auto end = find_piece(text, piece);
    if (end == std::string_view::npos)
      return false;
    text.remove_prefix(end);
  }
  return true;
}

} // namespace tocsin::io
