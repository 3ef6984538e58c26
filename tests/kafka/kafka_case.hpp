#pragma once

#include "io/kafka/properties.hpp"
#include "tests/support/kafka_broker.hpp"
#include "tests/support/temp_dir.hpp"
#include "tests/tools/tocsin.hpp"

#include <doctest/doctest.h>

#include <iostream>
#include <optional>
#include <string>
#include <vector>

namespace tocsin::test {

/// What a case works with: the broker, a folder, and topics whose names nobody else has.
struct kafka_case {
  kafka_broker& broker = kafka_broker::shared();
  temp_dir directory;

  /// A name of its own, so that no case sees what another has written.
  static std::string new_topic() {
    static int count = 0;
    return "case-" + std::to_string(++count);
  }
  io::kafka::properties properties() const {
    io::kafka::properties given;
    given.set("bootstrap.servers", broker.servers());
    return given;
  }
  /// Runs `tocsin` with where Kafka is.
  finished_process tocsin(std::vector<std::string> arguments) const {
    arguments.insert(arguments.end(), {"--bootstrap", broker.servers()});
    return run_tocsin(std::move(arguments));
  }
  std::string succeed(std::vector<std::string> arguments) const {
    const auto ended = tocsin(std::move(arguments));
    REQUIRE_MESSAGE(ended.code == 0, ended.err);
    return ended.out;
  }
  /// The lines of a partition of the recording `name`.
  std::string recorded(const std::string& name, int partition) const {
    const auto file = directory.file(name) + "/partition-000" + std::to_string(partition) + ".ndjson.zst";
    const auto unpacked = run_process({"/usr/bin/zstd", "-dcq", file});
    REQUIRE_MESSAGE(unpacked.code == 0, unpacked.err);
    return unpacked.out;
  }
};

/// The first line of every case: nothing where there is no Kafka, which is said loudly.
inline std::optional<kafka_case> with_kafka() {
  const auto& why_not = kafka_broker::shared().why_not();
  if (why_not.empty())
    return std::optional<kafka_case>(std::in_place);
  std::cout << "SKIPPED: " << why_not << std::endl;
  return std::nullopt;
}

} // namespace tocsin::test
