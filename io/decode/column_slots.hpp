#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace tocsin::io {

/// Which slot of the table of values each column of a record fills. Value.
class column_slots {
public:
  static constexpr std::uint32_t none = UINT32_MAX;

  /// `problem` names the paths that no column has; empty if each has one. Of columns with one name the first counts.
  column_slots(const std::vector<std::string>& paths, const std::vector<std::string>& columns);
  column_slots() = default;

  std::size_t size() const { return slots_.size(); }
  std::uint32_t operator[](std::size_t column) const { return slots_[column]; }
  const std::string& problem() const { return problem_; }

private:
  std::vector<std::uint32_t> slots_;
  std::string problem_;
};

} // namespace tocsin::io
