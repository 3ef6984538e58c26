#include "tools/topics/broker_options.hpp"

#include "io/config/document.hpp"
#include "tools/command.hpp"
#include "tools/common/units.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <charconv>
#include <fstream>
#include <iterator>
#include <memory>
#include <utility>

namespace tocsin::tools {

namespace {

using io::kafka::range_bound;

io::error misuse(const std::string& message) {
  return {io::error_code::usage, message, false, true};
}

io::result<io::kafka::properties> read_properties(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  const std::string text{std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
  if (!file)
    return io::error{io::error_code::configuration, path + ": cannot be read", false, true};
  std::vector<io::config_issue> issues;
  const auto document = io::parse_document(text, issues);
  if (!issues.empty()) {
    auto& first = issues.front();
    // The text at the place of a syntax error may be a part of a secret.
    first.found = first.found.substr(0, first.found.find("; last read"));
    return io::error{io::error_code::configuration, io::to_string(path, first), false, true};
  }
  return io::kafka::properties::parse(*document, path + ": ");
}

std::function<void(const std::string&)> log_once() {
  return [last = std::make_shared<std::string>()](const std::string& line) {
    if (std::exchange(*last, line) != line)
      print_error("kafka: " + line);
  };
}

} // namespace

void declare_broker(CLI::App& command, broker_options& options, CLI::Option* wanted) {
  const auto declare = [&](CLI::Option* option) {
    if (wanted != nullptr)
      option->needs(wanted);
  };
  declare(command.add_option("--bootstrap", options.bootstrap, "Kafka's brokers: HOST:PORT, separated by commas"));
  declare(command.add_option("--kafka-config", options.config_file,
                             "Properties of the Kafka client, a JSON file (docs/kafka.md)"));
  declare(
      command.add_option("--timeout", options.timeout, "How long a silent Kafka is waited for")->capture_default_str());
}

io::result<broker> make_broker(const broker_options& options) {
  broker out;
  if (options.bootstrap.empty() && options.config_file.empty())
    return misuse("where is Kafka? Give --bootstrap HOST:PORT, or --kafka-config FILE");
  if (!options.config_file.empty()) {
    auto read = read_properties(options.config_file);
    if (!read)
      return read.failure();
    out.client = std::move(*read);
  }
  if (!options.bootstrap.empty())
    out.client.set("bootstrap.servers", options.bootstrap);
  const auto patience = parse_duration(options.timeout);
  if (!patience || *patience < 1 || *patience > day_ms)
    return misuse(
        fmt::format("--timeout: found \"{}\", expected a duration of up to a day, such as 30s", options.timeout));
  out.patience = std::chrono::milliseconds(*patience);
  out.log = log_once();
  return out;
}

std::optional<range_bound> parse_bound(const std::string& text) {
  std::int64_t offset = 0;
  const auto* end = text.data() + text.size();
  const auto parsed = std::from_chars(text.data(), end, offset);
  if (parsed.ec == std::errc() && parsed.ptr == end && offset >= 0)
    return range_bound{range_bound::kind::offset, offset};
  const auto time = parse_rfc3339(text);
  if (!time || *time < 0)
    return std::nullopt;
  return range_bound{range_bound::kind::time, *time};
}

} // namespace tocsin::tools
