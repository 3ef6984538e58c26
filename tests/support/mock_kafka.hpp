#pragma once

#include "io/kafka/properties.hpp"

#include <cstdint>
#include <librdkafka/rdkafka.h>
#include <librdkafka/rdkafka_mock.h>
#include <string>
#include <vector>

namespace tocsin::test {

/// librdkafka's mock of a Kafka cluster, within this process: produce and fetch, and brokers that go down. It has no
/// transactions, no times and no topics made by a client. Owned by one test.
class mock_kafka {
public:
  explicit mock_kafka(int brokers = 1);
  ~mock_kafka();
  mock_kafka(const mock_kafka&) = delete;
  mock_kafka& operator=(const mock_kafka&) = delete;

  void create(const std::string& topic, int partitions);
  void set_down(int broker);
  void set_up(int broker);
  /// The next requests of this kind (Kafka's API key) fail so.
  void fail_next(std::int16_t api_key, const std::vector<rd_kafka_resp_err_t>& errors);
  std::string servers() const;
  /// A client's properties, with time-outs that suit a test.
  io::kafka::properties properties() const;

private:
  rd_kafka_t* host_;
  rd_kafka_mock_cluster_t* cluster_;
};

} // namespace tocsin::test
