#pragma once

#include "detectors/values/key.hpp"
#include "io/decode/decode_plan.hpp"
#include "io/decoder.hpp"

#include <doctest/doctest.h>

#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace tocsin::io::test {

inline expression condition(std::string_view text) {
  auto compiled = expression::compile(text);
  REQUIRE_MESSAGE(compiled.ok(), text);
  return *compiled;
}

/// One monitor over `dimensions` whose condition for failure is `bad = TRUE`, times in ms in field `ts`.
inline decode_plan plan_of(input_format format, std::vector<std::string> dimensions = {},
                           const char* error_when = "bad = TRUE") {
  decode_plan plan;
  plan.format = format;
  plan.time_field = "ts";
  monitor_plan monitor;
  monitor.dimensions = std::move(dimensions);
  if (error_when != nullptr)
    monitor.error_when = condition(error_when);
  plan.monitors.push_back(monitor);
  return plan;
}

inline raw_block block_of(std::string_view text, stream_offset begin = 0, const std::string& header = {}) {
  raw_block block;
  block.partition = 3;
  block.sequence = 4;
  block.incarnation = 5;
  block.begin = begin;
  block.next_offset = begin + static_cast<stream_offset>(text.size());
  block.data = std::string(text) + std::string(block_padding, '\0');
  block.size = text.size();
  block.header = std::make_shared<const std::string>(header);
  return block;
}

inline event_batch decode(const decode_plan& plan, std::string_view text, const std::string& header = {}) {
  event_batch out;
  make_decoder(std::make_shared<const decode_plan>(plan))->decode(block_of(text, 0, header), out);
  return out;
}

/// `a|(none)|b`: a key as people read it.
inline std::string shown_key(const event_batch& batch, const observation& seen) {
  std::string out;
  key_reader reader(std::string_view(batch.key_bytes).substr(seen.key_begin, seen.key_size));
  key_value value;
  for (const char* separator = ""; reader.next(value); separator = "|")
    out += separator + std::string(shown(value));
  CHECK(reader.valid());
  return out;
}

inline std::string shown_key(const event_batch& batch, std::size_t i = 0, std::size_t monitor = 0) {
  return shown_key(batch, batch.observations.at(monitor).at(i));
}

/// `malformed: detail` of each reject.
inline std::vector<std::string> reasons(const event_batch& batch) {
  std::vector<std::string> out;
  for (const auto& r : batch.rejects)
    out.push_back(std::string(name_of(r.reason)) + ": " + r.detail);
  return out;
}

} // namespace tocsin::io::test
