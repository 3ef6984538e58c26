#pragma once

#include "io/kafka/handle.hpp"
#include "io/kafka/properties.hpp"
#include "io/kafka/topic_writer.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace tocsin::test {

/// Makes a topic.
void create_topic(const io::kafka::properties& client, const std::string& topic, int partitions);

/// One message; without a value a tombstone.
struct test_message {
  std::int32_t partition = 0;
  std::optional<std::string> value;
  std::int64_t time = 0; ///< ms; 0: now
};
void write_messages(const io::kafka::properties& client, const std::string& topic,
                    const std::vector<test_message>& messages);

/// A producer of transactions, to leave them open or abort them.
class test_transactions {
public:
  test_transactions(const std::string& servers, const std::string& id);
  void begin();
  void write(const std::string& topic, const std::string& value, std::int32_t partition = 0);
  void commit();
  void abort();

private:
  io::kafka::client client_;
};

} // namespace tocsin::test
