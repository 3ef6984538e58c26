#pragma once

#include "detectors/values/monitor_spec.hpp"
#include "io/decoder.hpp"
#include "tests/support/event_stream.hpp"

#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace tocsin::test {

/// `time,total,failed,viewer,d0,d1,...` with an empty text for what is missing, and the line end.
std::string to_line(const test_event& event);
std::string to_text(const std::vector<test_event>& events);

/// The smallest decoder there can be, for such lines; every other line is a reject. All monitors of the world have the
/// same dimensions, in the order of the columns. `on_block` may throw, to play a bug.
std::unique_ptr<io::decoder> make_line_decoder(std::shared_ptr<const world_spec> spec,
                                               std::function<void()> on_block = {});

} // namespace tocsin::test
