#include "io/config/suggestion.hpp"

#include <algorithm>

namespace tocsin::io {

namespace {

/// Longer texts are no misspelt keys, and the table below is quadratic.
constexpr std::size_t longest_key = 64;

} // namespace

std::size_t edit_distance(std::string_view a, std::string_view b) {
  const auto width = b.size() + 1;
  // table[i][j]: distance of the first i characters of a and the first j of b.
  std::vector<std::size_t> table((a.size() + 1) * width);
  const auto at = [&](std::size_t i, std::size_t j) -> std::size_t& { return table[i * width + j]; };
  for (std::size_t i = 0; i <= a.size(); ++i)
    at(i, 0) = i;
  for (std::size_t j = 0; j <= b.size(); ++j)
    at(0, j) = j;
  for (std::size_t i = 1; i <= a.size(); ++i)
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const std::size_t differs = a[i - 1] == b[j - 1] ? 0 : 1;
      at(i, j) = std::min({at(i - 1, j) + 1, at(i, j - 1) + 1, at(i - 1, j - 1) + differs});
      if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
        at(i, j) = std::min(at(i, j), at(i - 2, j - 2) + 1);
    }
  return at(a.size(), b.size());
}

std::optional<std::string> nearest(std::string_view text, const std::vector<std::string>& candidates) {
  if (text.size() > longest_key)
    return std::nullopt;
  std::optional<std::string> best;
  auto best_distance = std::max<std::size_t>(2, text.size() / 3) + 1;
  for (const auto& candidate : candidates) {
    const auto distance = edit_distance(text, candidate);
    // A replacement of everything is no misspelling.
    if (distance < best_distance && distance < candidate.size()) {
      best = candidate;
      best_distance = distance;
    }
  }
  return best;
}

} // namespace tocsin::io
