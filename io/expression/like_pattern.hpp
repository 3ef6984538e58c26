#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace tocsin::io {

/// An SQL LIKE pattern: `%` stands for any text, `_` for one character (UTF-8), everything else for itself.
/// Value; immutable after construction, so any number of threads may match with it. Matching takes the first place for
/// each piece between two `%` and never returns to an earlier piece.
class like_pattern {
public:
  explicit like_pattern(std::string_view pattern);
  bool matches(std::string_view text) const;

private:
  std::string front_;               ///< before the first %
  std::vector<std::string> middle_; ///< between two %
  std::string back_;                ///< behind the last %
  bool has_percent_ = false;
};

} // namespace tocsin::io
