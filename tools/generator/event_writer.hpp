#pragma once

#include "tools/generator/stream_generator.hpp"

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace tocsin::generator {

enum class event_format { ndjson, csv };

/// The text of a dimension's values, ready to copy: listed names whole, numbered ones around their number.
class rendered_dimension {
public:
  rendered_dimension(event_format format, const char* name, const dimension_profile& values);
  char* write(char* to, std::uint32_t value) const;
  std::size_t longest() const { return longest_; }

private:
  std::vector<std::string> whole_;
  std::string lead_;
  std::string tail_;
  std::size_t longest_ = 0;
};

/// Writes views as lines, by hand: a library would cost more than the generator. Value; immutable.
class event_writer {
public:
  event_writer(event_format format, const stream_generator& stream);

  /// Empty, or the header line.
  std::string header() const;
  /// Room that any line needs.
  std::size_t longest_line() const { return longest_line_; }
  /// Writes one line; returns its end.
  char* write(char* to, const generated_event& view) const;

private:
  event_format format_;
  bool view_ids_;
  std::vector<rendered_dimension> dimensions_;
  std::string working_;             ///< the end of a line without an error
  std::vector<std::string> failed_; ///< the end of a line, by error code
  std::vector<std::string> warning_;
  std::size_t longest_line_ = 0;
};

/// Writes aggregated views: for each combination of dimension values, its number of views `n` and of failures `bad`.
class count_writer {
public:
  count_writer(event_format format, const stream_profile& profile);

  std::string header() const;
  std::size_t longest_line() const { return longest_line_; }
  char* write(char* to, time_ms time, const std::array<std::uint32_t, dimensions>& values, std::uint64_t total,
              std::uint64_t failed) const;

private:
  event_format format_;
  std::vector<rendered_dimension> dimensions_;
  std::size_t longest_line_ = 0;
};

} // namespace tocsin::generator
