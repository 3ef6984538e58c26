#include "io/decode/column_slots.hpp"

#include "io/decode/excerpt.hpp"

#include <algorithm>

namespace tocsin::io {

column_slots::column_slots(const std::vector<std::string>& paths, const std::vector<std::string>& columns)
    : slots_(columns.size(), none) {
  std::string missing;
  for (std::uint32_t slot = 0; slot < paths.size(); ++slot) {
    const auto column = std::find(columns.begin(), columns.end(), paths[slot]);
    if (column != columns.end())
      slots_[static_cast<std::size_t>(column - columns.begin())] = slot;
    else
      missing += (missing.empty() ? "'" : ", '") + paths[slot] + "'";
  }
  if (missing.empty())
    return;
  std::string list;
  for (const auto& column : columns)
    list += (list.empty() ? "" : ", ") + column;
  constexpr std::size_t most = 500;
  problem_ = "found no column " + excerpt_of(missing, most) + ", expected one of: " + excerpt_of(list, most);
}

} // namespace tocsin::io
