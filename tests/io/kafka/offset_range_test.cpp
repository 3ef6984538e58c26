#include "io/kafka/offset_range.hpp"

#include <doctest/doctest.h>

using namespace tocsin::io::kafka;

namespace {

constexpr offset_span present{100, 200};
range_bound first() {
  return {range_bound::kind::first, 0};
}
range_bound last() {
  return {range_bound::kind::last, 0};
}
range_bound at(std::int64_t offset) {
  return {range_bound::kind::offset, offset};
}
range_bound since(std::int64_t time) {
  return {range_bound::kind::time, time};
}

} // namespace

TEST_CASE("a range of a topic: what is there, cut to what a partition holds") {
  CHECK(span_of(first(), last(), present, {}, {}) == offset_span{100, 200});
  CHECK(span_of(at(120), at(150), present, {}, {}) == offset_span{120, 150});
  CHECK(span_of(at(0), at(150), present, {}, {}) == offset_span{100, 150});
  CHECK(span_of(at(120), at(1000), present, {}, {}) == offset_span{120, 200});
  CHECK(span_of(last(), last(), present, {}, {}) == offset_span{200, 200});
}

TEST_CASE("a range of a topic by time: the first message at or after it, or the present end") {
  CHECK(span_of(since(5), since(9), present, 110, 130) == offset_span{110, 130});
  CHECK(span_of(since(5), since(9), present, 110, std::nullopt) == offset_span{110, 200});
  CHECK(span_of(since(5), last(), present, std::nullopt, {}) == offset_span{200, 200});
  // Answered before something was deleted.
  CHECK(span_of(since(5), last(), present, 50, {}) == offset_span{100, 200});
}

TEST_CASE("a range of a topic that ends before it begins is empty") {
  CHECK(span_of(at(150), at(120), present, {}, {}) == offset_span{150, 150});
  CHECK(span_of(since(9), since(5), present, 130, 110) == offset_span{130, 130});
  CHECK(span_of(first(), last(), {7, 7}, {}, {}) == offset_span{7, 7});
  CHECK(span_of(first(), last(), {7, 3}, {}, {}) == offset_span{7, 7});
}
