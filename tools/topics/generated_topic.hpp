#pragma once

#include "io/result.hpp"
#include "tools/generator/line_sink.hpp"
#include "tools/topics/broker_options.hpp"

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace tocsin::tools {

/// Which topic a generated stream goes to, and how.
struct generated_topic {
  std::string name;
  std::vector<generator::dimension> key_by; ///< empty: no keys; a viewer stays in one partition, as in files
  bool create = false;
  std::optional<std::uint32_t> partitions; ///< to create, or to be there
};

/// Each line as a message, without its line end. With keys, Kafka's clients choose the partition: by murmur2 of the
/// values of `key_by`, joined by `|`. Errors: the topic is not there (or is, where it is to be created).
io::result<std::unique_ptr<generator::line_sink>> open_generated_topic(const generated_topic& topic, const broker& at,
                                                                       const generator::stream_profile& profile);

} // namespace tocsin::tools
