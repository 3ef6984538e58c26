#pragma once

#include <algorithm>
#include <cstddef>
#include <vector>

namespace tocsin {

/// Gives the marked slots of a detector's column their first value again; marks beyond its end are no marks.
template <class T>
void forget_columns(std::vector<T>& column, const std::vector<bool>& marks, const T& first = T{}) {
  for (std::size_t slot = 0; slot < std::min(marks.size(), column.size()); ++slot)
    if (marks[slot])
      column[slot] = first;
}

} // namespace tocsin
