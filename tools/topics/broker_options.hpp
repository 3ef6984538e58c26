#pragma once

#include "io/kafka/offset_range.hpp"
#include "io/kafka/properties.hpp"
#include "io/result.hpp"

#include <CLI/CLI.hpp>

#include <chrono>
#include <functional>
#include <optional>
#include <string>

namespace tocsin::tools {

/// Where Kafka is, as a command line says it.
struct broker_options {
  std::string bootstrap;
  std::string config_file;
  std::string timeout = "30s";
};

/// What follows from it.
struct broker {
  io::kafka::properties client;
  std::chrono::milliseconds patience{};
  std::function<void(const std::string&)> log; ///< to standard error, the same line not twice in a row
};

/// Declares --bootstrap, --kafka-config and --timeout; `wanted` is the option that they belong to.
void declare_broker(CLI::App& command, broker_options& options, CLI::Option* wanted);
io::result<broker> make_broker(const broker_options& options);

/// An offset, an RFC 3339 time, or nothing if it is neither.
std::optional<io::kafka::range_bound> parse_bound(const std::string& text);

} // namespace tocsin::tools
