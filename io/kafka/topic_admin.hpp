#pragma once

#include "io/kafka/connection.hpp"
#include "io/kafka/offset_range.hpp"
#include "io/result.hpp"

#include <chrono>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

namespace tocsin::io::kafka {

/// A client that asks questions and creates topics. A consumer: asking for a topic never makes one.
result<std::unique_ptr<connection>> open_admin(const properties& given, error_code code,
                                               std::function<void(const std::string&)> log);

/// How many partitions a topic has. A topic that does not exist is a fatal error.
result<std::int32_t> partitions_of(connection& to, const std::string& topic, std::chrono::milliseconds patience);

struct new_topic {
  std::string name;
  std::int32_t partitions = 1;
  std::vector<std::pair<std::string, std::string>> settings; ///< for example cleanup.policy
};
/// Creates a topic and waits until it can be written. One of that name already is a fatal error.
result<void> create_topic(connection& to, const new_topic& topic, std::chrono::milliseconds patience);

/// What each partition holds now; its end is that of committed records.
result<std::vector<offset_span>> present_spans(connection& to, const std::string& topic, std::int32_t partitions,
                                               std::chrono::milliseconds patience);
/// What a range is on each partition, of which `present` is what it holds.
result<std::vector<offset_span>> spans_of_range(connection& to, const std::string& topic,
                                                const std::vector<offset_span>& present, const range_bound& from,
                                                const range_bound& until, std::chrono::milliseconds patience);

} // namespace tocsin::io::kafka
