#include "tests/support/mock_kafka.hpp"

#include <array>
#include <stdexcept>

namespace tocsin::test {

mock_kafka::mock_kafka(int brokers) {
  std::array<char, 512> reason{};
  auto* conf = rd_kafka_conf_new();
  rd_kafka_conf_set(conf, "log_level", "0", reason.data(), reason.size());
  host_ = rd_kafka_new(RD_KAFKA_PRODUCER, conf, reason.data(), reason.size());
  if (host_ == nullptr)
    throw std::runtime_error(reason.data());
  cluster_ = rd_kafka_mock_cluster_new(host_, brokers);
}

mock_kafka::~mock_kafka() {
  rd_kafka_mock_cluster_destroy(cluster_);
  rd_kafka_destroy(host_);
}

void mock_kafka::create(const std::string& topic, int partitions) {
  if (rd_kafka_mock_topic_create(cluster_, topic.c_str(), partitions, 1) != RD_KAFKA_RESP_ERR_NO_ERROR)
    throw std::runtime_error("the mock refuses the topic " + topic);
}

void mock_kafka::set_down(int broker) {
  rd_kafka_mock_broker_set_down(cluster_, broker);
}

void mock_kafka::set_up(int broker) {
  rd_kafka_mock_broker_set_up(cluster_, broker);
}

void mock_kafka::fail_next(std::int16_t api_key, const std::vector<rd_kafka_resp_err_t>& errors) {
  rd_kafka_mock_push_request_errors_array(cluster_, api_key, errors.size(), errors.data());
}

std::string mock_kafka::servers() const {
  return rd_kafka_mock_cluster_bootstraps(cluster_);
}

io::kafka::properties mock_kafka::properties() const {
  io::kafka::properties given;
  given.set("bootstrap.servers", servers());
  given.set("reconnect.backoff.ms", "20");
  given.set("reconnect.backoff.max.ms", "100");
  given.set("fetch.wait.max.ms", "10");
  given.set("linger.ms", "1");
  return given;
}

} // namespace tocsin::test
