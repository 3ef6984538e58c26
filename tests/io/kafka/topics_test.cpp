// Writing and reading topics, on librdkafka's mock cluster.
#include "io/kafka/topic_admin.hpp"
#include "io/kafka/topic_reader.hpp"
#include "io/kafka/topic_writer.hpp"
#include "tests/support/mock_kafka.hpp"

#include <doctest/doctest.h>

#include <chrono>
#include <map>

using namespace tocsin;
using namespace tocsin::io;
using namespace std::chrono_literals;
using kafka::message_view;
using kafka::outgoing_message;
using test::mock_kafka;

namespace {

constexpr std::int16_t produce_key = 0;
using message = std::pair<std::optional<std::string>, std::optional<std::string>>; // key and value

template <class T>
T good(result<T> outcome) {
  REQUIRE_MESSAGE(outcome, outcome.failure().message);
  return std::move(*outcome);
}
void good(const result<void>& outcome) {
  REQUIRE_MESSAGE(outcome, outcome.failure().message);
}

std::unique_ptr<kafka::topic_writer> writer(const mock_kafka& cluster, const std::string& topic,
                                            std::chrono::milliseconds patience = 10s) {
  kafka::topic_writer_options options;
  options.client = cluster.properties();
  options.topic = topic;
  options.patience = patience;
  return good(kafka::topic_writer::open(std::move(options)));
}

void fill(const mock_kafka& cluster, const std::string& topic, std::int32_t partition, int count) {
  auto to = writer(cluster, topic);
  for (int i = 0; i < count; ++i)
    good(to->write({std::nullopt, std::to_string(i), partition, {}}));
  good(to->flush());
  REQUIRE(to->delivered() == static_cast<std::uint64_t>(count));
}

using part = kafka::topic_reader_options::part;
std::unique_ptr<kafka::topic_reader> reader(const mock_kafka& cluster, const std::string& topic,
                                            std::vector<part> parts, std::chrono::milliseconds patience = 10s) {
  kafka::topic_reader_options options;
  options.client = cluster.properties();
  options.topic = topic;
  options.parts = std::move(parts);
  options.patience = patience;
  return good(kafka::topic_reader::open(std::move(options)));
}

/// Reads a part to its end; the offsets must follow each other from `begin`.
std::vector<message> read_all(kafka::topic_reader& from, std::size_t index, std::int64_t begin) {
  std::vector<message> all;
  for (;;) {
    const auto outcome = good(from.read(index, 100, 100ms, [&](const message_view& one) -> result<void> {
      CHECK(one.offset == begin++);
      CHECK(one.time > 0);
      all.emplace_back(one.key, one.value);
      return {};
    }));
    if (outcome == read_outcome::ended)
      return all;
  }
}

std::optional<std::string> text(const char* bytes) {
  return std::string(bytes);
}

} // namespace

TEST_CASE("kafka: what is written is read, with keys, empty values and tombstones") {
  mock_kafka cluster;
  cluster.create("t", 2);
  {
    auto to = writer(cluster, "t");
    good(to->write({"k", "v", 1, {{"content-type", "application/json"}}}));
    good(to->write({std::nullopt, "", 1, {}}));
    good(to->write({"", std::nullopt, 1, {}}));
    good(to->write({std::nullopt, "other", 0, {}}));
    good(to->flush());
    CHECK(to->delivered() == 4);
  }
  auto from = reader(cluster, "t", {{1, 0, 3}, {0, 0, 1}});
  CHECK(read_all(*from, 0, 0) ==
        std::vector<message>{{text("k"), text("v")}, {std::nullopt, text("")}, {text(""), std::nullopt}});
  CHECK(read_all(*from, 1, 0) == std::vector<message>{{std::nullopt, text("other")}});
  CHECK(good(from->read(0, 10, 0ms, [](const auto&) { return result<void>(); })) == read_outcome::ended);
}

TEST_CASE("kafka: a range ends before its end, and one without messages at once") {
  mock_kafka cluster;
  cluster.create("t", 1);
  fill(cluster, "t", 0, 50);
  auto from = reader(cluster, "t", {{0, 10, 20}});
  const auto got = read_all(*from, 0, 10);
  REQUIRE(got.size() == 10);
  CHECK(got.front().second == "10");
  CHECK(got.back().second == "19");
  CHECK(from->next_offset(0) == 20);
  auto nothing = reader(cluster, "t", {{0, 50, 50}});
  CHECK(read_all(*nothing, 0, 50).empty());
}

TEST_CASE("kafka: a partition that is not read holds up no other, and loses nothing") {
  mock_kafka cluster;
  cluster.create("t", 2);
  fill(cluster, "t", 0, 3000);
  fill(cluster, "t", 1, 3000);
  auto from = reader(cluster, "t", {{0, 0, 3000}, {1, 0, 3000}});
  CHECK(read_all(*from, 1, 0).size() == 3000);
  CHECK(read_all(*from, 0, 0).size() == 3000);
}

TEST_CASE("kafka: following, a partition is caught up at its end and goes on when more comes") {
  mock_kafka cluster;
  cluster.create("t", 1);
  fill(cluster, "t", 0, 3);
  auto from = reader(cluster, "t", {{0, 0, std::nullopt}});
  int seen = 0;
  const auto step = [&] {
    return good(from->read(0, 10, 50ms, [&](const message_view&) -> result<void> { return ++seen, result<void>(); }));
  };
  for (int i = 0; i < 200 && !from->caught_up(0); ++i)
    CHECK(step() != read_outcome::ended);
  CHECK(seen == 3);
  fill(cluster, "t", 0, 2);
  for (int i = 0; i < 200 && seen < 5; ++i)
    CHECK(step() != read_outcome::ended);
  CHECK(seen == 5);
}

TEST_CASE("kafka: messages go to the partition of their key, as with Java's clients") {
  mock_kafka cluster;
  cluster.create("t", 10);
  const std::vector<std::string> keys = {"p1", "p2", "fastly", "DE|web", "kafka"};
  // org.apache.kafka.common.utils.Utils: (murmur2(key) & 0x7fffffff) % 10
  const std::map<std::string, std::size_t> java = {{"p1", 0}, {"p2", 6}, {"fastly", 5}, {"DE|web", 6}, {"kafka", 0}};
  {
    auto to = writer(cluster, "t");
    for (const auto& key : keys)
      good(to->write({key, "v", std::nullopt, {}}));
    good(to->flush());
  }
  auto admin = good(kafka::open_admin(cluster.properties(), error_code::source, {}));
  const auto spans = good(kafka::present_spans(*admin, "t", 10, 5s));
  std::map<std::string, std::size_t> found;
  for (std::size_t p = 0; p < spans.size(); ++p) {
    auto from = reader(cluster, "t", {{static_cast<std::int32_t>(p), spans[p].begin, spans[p].end}});
    for (const auto& one : read_all(*from, 0, 0))
      found[*one.first] = p;
  }
  CHECK(found == java);
}

TEST_CASE("kafka: errors of a broker that pass are not seen, and nothing is written twice") {
  mock_kafka cluster;
  cluster.create("t", 1);
  cluster.fail_next(produce_key, {RD_KAFKA_RESP_ERR_NOT_LEADER_FOR_PARTITION, RD_KAFKA_RESP_ERR_REQUEST_TIMED_OUT});
  fill(cluster, "t", 0, 100);
  auto from = reader(cluster, "t", {{0, 0, 100}});
  CHECK(read_all(*from, 0, 0).size() == 100);
}

TEST_CASE("kafka: a message that is refused is told with its topic, partition and reason, and stays told") {
  mock_kafka cluster;
  cluster.create("t", 1);
  cluster.fail_next(produce_key, {RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED});
  auto to = writer(cluster, "t");
  good(to->write({std::nullopt, "v", 0, {}}));
  const auto flushed = to->flush();
  REQUIRE_FALSE(flushed.ok());
  CHECK(flushed.failure().fatal);
  CHECK(flushed.failure().code == error_code::sink);
  CHECK(flushed.failure().message.rfind("topic t, partition 0: a message was not delivered: ", 0) == 0);
  CHECK_FALSE(to->write({std::nullopt, "v", 0, {}}).ok());
}

TEST_CASE("kafka: a broker that goes away ends a read and a write within their patience, with the reason") {
  mock_kafka cluster;
  cluster.create("t", 1);
  fill(cluster, "t", 0, 10);
  auto to = writer(cluster, "t", 1s);
  auto from = reader(cluster, "t", {{0, 0, 20}}, 500ms);
  int seen = 0;
  const auto step = [&] {
    return from->read(0, 100, 20ms, [&](const message_view&) -> result<void> { return ++seen, result<void>(); });
  };
  while (seen < 10)
    good(step());
  cluster.set_down(1);
  auto outcome = step();
  for (int i = 0; i < 200 && outcome; ++i)
    outcome = step();
  REQUIRE_FALSE(outcome.ok());
  CHECK(outcome.failure().retriable);
  CHECK(outcome.failure().message.rfind("topic t: no answer from 127.0.0.1:", 0) == 0);
  CHECK(outcome.failure().message.find(" for 0.5 s (") != std::string::npos);
  good(to->write({std::nullopt, "v", 0, {}}));
  const auto flushed = to->flush();
  REQUIRE_FALSE(flushed.ok());
  CHECK(flushed.failure().retriable);
}

TEST_CASE("kafka: a topic that does not exist, and a broker that is not there, are told before anything is read") {
  mock_kafka cluster;
  cluster.create("t", 3);
  auto admin = good(kafka::open_admin(cluster.properties(), error_code::source, {}));
  CHECK(good(kafka::partitions_of(*admin, "t", 5s)) == 3);
  auto nowhere = cluster.properties();
  nowhere.set("bootstrap.servers", "127.0.0.1:1");
  auto lost = good(kafka::open_admin(nowhere, error_code::source, {}));
  const auto asked = kafka::partitions_of(*lost, "t", 300ms);
  REQUIRE_FALSE(asked.ok());
  CHECK(asked.failure().retriable);
  CHECK(asked.failure().message.find("no answer from 127.0.0.1:1 for 0.3 s") != std::string::npos);
  CHECK(asked.failure().message.find("Connection refused") != std::string::npos);
}
