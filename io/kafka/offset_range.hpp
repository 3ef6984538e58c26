#pragma once

#include "detectors/values/time.hpp"

#include <cstdint>
#include <optional>
#include <vector>

namespace tocsin::io::kafka {

/// Where a range of a topic begins or ends.
struct range_bound {
  enum class kind { first, last, offset, time };
  kind is = kind::first;
  std::int64_t value = 0; ///< the offset, or the time in ms
};

/// Offsets from `begin` to before `end`.
struct offset_span {
  std::int64_t begin = 0;
  std::int64_t end = 0;
  friend bool operator==(const offset_span& a, const offset_span& b) { return a.begin == b.begin && a.end == b.end; }
};

/// What a range is on a partition that holds `present`. `from_time`, `to_time`: for bounds by time, the offset of the
/// first message at or after it; nothing if there is none, which means the present end. What lies outside of the
/// present is cut off; a range without messages is empty, within the present. Total.
offset_span span_of(const range_bound& from, const range_bound& to, const offset_span& present,
                    std::optional<std::int64_t> from_time, std::optional<std::int64_t> to_time);

} // namespace tocsin::io::kafka
