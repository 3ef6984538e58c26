#pragma once

#include "detectors/values/event_batch.hpp"
#include "detectors/values/monitor_spec.hpp"

#include <cstdint>
#include <optional>
#include <random>
#include <string>
#include <vector>

namespace tocsin::test {

/// One event as a test writes it. A missing dimension value is null.
struct test_event {
  time_ms time = 0;
  std::vector<std::optional<std::string>> values; ///< of monitor_spec::dimensions
  std::int64_t total = 1;
  std::int64_t failed = 0;
  std::optional<std::uint8_t> viewer; ///< bit of the viewer
  std::optional<std::string> type{};  ///< error type of what failed; nothing: null
};

/// Offset of event number i in the streams of these tests.
inline stream_offset offset_of(std::size_t i) {
  return static_cast<stream_offset>(10 * i);
}

/// Decodes events [begin, end) into one batch, the same for every monitor of the world.
event_batch make_batch(const world_spec& world, partition_id partition, const std::vector<test_event>& events,
                       std::size_t begin, std::size_t end);

/// A random stream: several keys, a failure rate that jumps now and then, disorder, late events, far-future clocks and
/// silent hours. A function of the seed.
struct stream_options {
  std::uint32_t seed = 1;
  std::size_t events = 5000;
  std::size_t dimensions = 2;
  std::size_t values = 6;        ///< per dimension
  time_ms start = 1462363200000; ///< 2016-05-04T12:00:00Z
  time_ms mean_gap = 400;
  bool weird = true; ///< late, disordered, far ahead, silent hours
};
std::vector<test_event> random_stream(const stream_options& options);

/// A world of two monitors over the dimensions d0, d1, ...: `scoped` (scope d0) and `whole` (no scope), both with
/// every detector, one of them in shadow.
world_spec two_monitor_world(std::size_t dimensions);

} // namespace tocsin::test
