#include "io/kafka/offset_range.hpp"

#include <algorithm>

namespace tocsin::io::kafka {

namespace {

std::int64_t place_of(const range_bound& bound, const offset_span& present, std::optional<std::int64_t> at_time) {
  switch (bound.is) {
  case range_bound::kind::first: return present.begin;
  case range_bound::kind::last: return present.end;
  case range_bound::kind::offset: return std::clamp(bound.value, present.begin, present.end);
  case range_bound::kind::time: return std::clamp(at_time.value_or(present.end), present.begin, present.end);
  }
  return present.end;
}

} // namespace

offset_span span_of(const range_bound& from, const range_bound& to, const offset_span& present,
                    std::optional<std::int64_t> from_time, std::optional<std::int64_t> to_time) {
  const offset_span whole{present.begin, std::max(present.begin, present.end)};
  const auto begin = place_of(from, whole, from_time);
  return {begin, std::max(begin, place_of(to, whole, to_time))};
}

} // namespace tocsin::io::kafka
