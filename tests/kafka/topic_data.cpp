#include "tests/kafka/topic_data.hpp"

#include "io/kafka/topic_admin.hpp"

#include <doctest/doctest.h>

#include <array>
#include <stdexcept>

namespace tocsin::test {

namespace {

constexpr int patience_ms = 20'000;
constexpr std::chrono::milliseconds patience{patience_ms};

void check(rd_kafka_error_t* failed) {
  if (failed == nullptr)
    return;
  const io::kafka::api_error kept(failed);
  throw std::runtime_error(rd_kafka_error_string(failed));
}

io::kafka::client make_producer(const std::vector<std::pair<std::string, std::string>>& settings) {
  std::array<char, 512> reason{};
  auto* conf = rd_kafka_conf_new();
  for (const auto& [name, value] : settings)
    if (rd_kafka_conf_set(conf, name.c_str(), value.c_str(), reason.data(), reason.size()) != RD_KAFKA_CONF_OK)
      throw std::runtime_error(reason.data());
  io::kafka::client made(rd_kafka_new(RD_KAFKA_PRODUCER, conf, reason.data(), reason.size()));
  if (!made)
    throw std::runtime_error(reason.data());
  return made;
}

/// By hand: the macros of librdkafka cast as C does.
void produce(rd_kafka_t* to, const std::string& topic, const test_message& one) {
  std::array<rd_kafka_vu_t, 5> fields{};
  fields[0].vtype = RD_KAFKA_VTYPE_TOPIC;
  fields[0].u.cstr = topic.c_str();
  fields[1].vtype = RD_KAFKA_VTYPE_PARTITION;
  fields[1].u.i32 = one.partition;
  fields[2].vtype = RD_KAFKA_VTYPE_VALUE;
  fields[2].u.mem.ptr = one.value ? const_cast<char*>(one.value->data()) : nullptr; // NOLINT: copied
  fields[2].u.mem.size = one.value ? one.value->size() : 0;
  fields[3].vtype = RD_KAFKA_VTYPE_TIMESTAMP;
  fields[3].u.i64 = one.time;
  fields[4].vtype = RD_KAFKA_VTYPE_MSGFLAGS;
  fields[4].u.i = RD_KAFKA_MSG_F_COPY;
  check(rd_kafka_produceva(to, fields.data(), fields.size()));
}

} // namespace

void create_topic(const io::kafka::properties& client, const std::string& topic, int partitions) {
  auto admin = io::kafka::open_admin(client, io::error_code::sink, {});
  REQUIRE_MESSAGE(admin, admin.failure().message);
  const auto created = io::kafka::create_topic(**admin, {topic, partitions, {}}, patience);
  REQUIRE_MESSAGE(created, created.failure().message);
}

void write_messages(const io::kafka::properties& client, const std::string& topic,
                    const std::vector<test_message>& messages) {
  auto to = make_producer({{"bootstrap.servers", client.shown("bootstrap.servers")}, {"enable.idempotence", "true"}});
  for (const auto& one : messages)
    produce(to.get(), topic, one);
  REQUIRE(rd_kafka_flush(to.get(), patience_ms) == RD_KAFKA_RESP_ERR_NO_ERROR);
}

test_transactions::test_transactions(const std::string& servers, const std::string& id)
    : client_(make_producer({{"bootstrap.servers", servers}, {"transactional.id", id}, {"linger.ms", "0"}})) {
  check(rd_kafka_init_transactions(client_.get(), patience_ms));
}

void test_transactions::begin() {
  check(rd_kafka_begin_transaction(client_.get()));
}

void test_transactions::write(const std::string& topic, const std::string& value, std::int32_t partition) {
  produce(client_.get(), topic, {partition, value, 0});
  if (rd_kafka_flush(client_.get(), patience_ms) != RD_KAFKA_RESP_ERR_NO_ERROR)
    throw std::runtime_error("not flushed");
}

void test_transactions::commit() {
  check(rd_kafka_commit_transaction(client_.get(), patience_ms));
}

void test_transactions::abort() {
  check(rd_kafka_abort_transaction(client_.get(), patience_ms));
}

} // namespace tocsin::test
