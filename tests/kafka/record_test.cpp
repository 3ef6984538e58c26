// `tocsin record`: which messages, as which lines, and nothing by halves.
#include "io/kafka/stream_position.hpp"
#include "tests/kafka/kafka_case.hpp"
#include "tests/kafka/topic_data.hpp"

#include <nlohmann/json.hpp>

#include <chrono>
#include <csignal>
#include <filesystem>
#include <memory>
#include <sstream>
#include <thread>

using namespace tocsin;
using namespace tocsin::test;
using namespace std::chrono_literals;
using nlohmann::json;

namespace {

json partition_in_manifest(const kafka_case& kafka, const std::string& name, std::size_t partition) {
  return json::parse(kafka.directory.read(name + "/manifest.json")).at("partitions").at(partition);
}

} // namespace

TEST_CASE("messages become lines as the daemon reads them; empty ones and tombstones are counted") {
  const auto kafka = with_kafka();
  if (!kafka)
    return;
  const auto topic = kafka_case::new_topic();
  create_topic(kafka->properties(), topic, 2);
  write_messages(
      kafka->properties(), topic,
      {{0, "{\"a\":1}"}, {0, "{\"a\":2}\n{\"a\":3}\n"}, {0, ""}, {0, std::nullopt}, {0, "{\"a\":4}\n{\"a\":5}"}});
  const auto ended = kafka->tocsin({"record", topic, "--out", kafka->directory.file("taken")});
  REQUIRE_MESSAGE(ended.code == 0, ended.err);
  CHECK(kafka->recorded("taken", 0) == "{\"a\":1}\n{\"a\":2}\n{\"a\":3}\n{\"a\":4}\n{\"a\":5}\n");
  CHECK(kafka->recorded("taken", 1) == "");
  const auto first = partition_in_manifest(*kafka, "taken", 0);
  CHECK(first.at("begin") == 0);
  CHECK(first.at("end") == 5);
  CHECK(first.at("messages") == 3);
  CHECK(first.at("empty") == 1);
  CHECK(first.at("tombstones") == 1);
  CHECK(partition_in_manifest(*kafka, "taken", 1).at("messages") == 0);
  CHECK(ended.err.find("empty messages        1\n") != std::string::npos);
  CHECK(ended.err.find("tombstones            1\n") != std::string::npos);
  CHECK_FALSE(std::filesystem::exists(kafka->directory.file("taken/journal.ndjson")));
  // A second recording does not touch the first.
  const auto again = kafka->tocsin({"record", topic, "--out", kafka->directory.file("taken")});
  CHECK(again.code == 5);
  CHECK(again.err.find("exists already") != std::string::npos);
}

TEST_CASE("a range by offsets or by times of messages") {
  const auto kafka = with_kafka();
  if (!kafka)
    return;
  const auto topic = kafka_case::new_topic();
  create_topic(kafka->properties(), topic, 1);
  constexpr std::int64_t noon = 1'767'614'400'000; // 2026-01-05T12:00:00Z
  std::vector<test_message> messages;
  for (int i = 0; i < 10; ++i)
    messages.push_back({0, std::to_string(i), noon + 60'000 * i});
  write_messages(kafka->properties(), topic, messages);
  int count = 0;
  const auto taken = [&](std::vector<std::string> range) {
    const auto name = "taken" + std::to_string(++count);
    range.insert(range.begin(), {"record", topic, "--quiet", "--out", kafka->directory.file(name)});
    kafka->succeed(range);
    return kafka->recorded(name, 0);
  };
  CHECK(taken({"--from", "7"}) == "7\n8\n9\n");
  CHECK(taken({"--from", "2", "--to", "4"}) == "2\n3\n");
  CHECK(taken({"--to", "2"}) == "0\n1\n");
  CHECK(taken({"--from", "2026-01-05T12:03:00Z", "--to", "2026-01-05T12:05:00Z"}) == "3\n4\n");
  CHECK(taken({"--from", "2026-01-05T12:08:30Z"}) == "9\n");
  CHECK(taken({"--from", "2027-01-01"}) == "");
  CHECK(taken({"--from", "100"}) == "");
  const auto wrong = kafka->tocsin({"record", topic, "--out", kafka->directory.file("x"), "--from", "noon"});
  CHECK(wrong.code == 2);
  CHECK(wrong.err.find("--from: found \"noon\", expected an offset, or a time") != std::string::npos);
}

TEST_CASE("only committed messages are recorded, and the recording ends before a transaction that is open") {
  const auto kafka = with_kafka();
  if (!kafka)
    return;
  const auto topic = kafka_case::new_topic();
  create_topic(kafka->properties(), topic, 1);
  test_transactions producer(kafka->broker.servers(), topic);
  producer.begin();
  producer.write(topic, "one");
  producer.commit();
  producer.begin();
  producer.write(topic, "never");
  producer.abort(); // the topic ends with a mark that is no message
  kafka->succeed({"record", topic, "--quiet", "--out", kafka->directory.file("aborted")});
  CHECK(kafka->recorded("aborted", 0) == "one\n");
  CHECK(partition_in_manifest(*kafka, "aborted", 0).at("end") == 4);
  producer.begin();
  producer.write(topic, "two");
  kafka->succeed({"record", topic, "--quiet", "--out", kafka->directory.file("open")});
  CHECK(kafka->recorded("open", 0) == "one\n");
  CHECK(partition_in_manifest(*kafka, "open", 0).at("end") == 4);
  producer.commit();
  kafka->succeed({"record", topic, "--quiet", "--out", kafka->directory.file("committed")});
  CHECK(kafka->recorded("committed", 0) == "one\ntwo\n");
}

TEST_CASE("the journal travels with the recording, from positions in the topic to bytes of the file") {
  const auto kafka = with_kafka();
  if (!kafka)
    return;
  const auto topic = kafka_case::new_topic();
  create_topic(kafka->properties(), topic, 1);
  write_messages(kafka->properties(), topic, {{0, "0123"}, {0, "ab\ncd"}, {0, ""}, {0, "xyz"}});
  const auto entry = [](std::int64_t position, std::int64_t watermark) {
    return json{{"partition", 0}, {"name", "t"}, {"offset", position}, {"watermark", watermark}, {"kind", "idle"}}
               .dump() +
           "\n";
  };
  using io::kafka::position_of;
  const auto journal = kafka->directory.write("journal", entry(position_of(0), 1) + entry(position_of(1, 3), 2) +
                                                             entry(position_of(2), 3) + entry(position_of(4), 4) +
                                                             entry(position_of(9), 5));
  kafka->succeed({"record", topic, "--quiet", "--out", kafka->directory.file("taken"), "--journal", journal});
  REQUIRE(kafka->recorded("taken", 0) == "0123\nab\ncd\nxyz\n");
  std::vector<std::pair<std::int64_t, std::int64_t>> moved;
  std::istringstream lines(kafka->directory.read("taken/journal.ndjson"));
  for (std::string line; std::getline(lines, line);) {
    const auto one = json::parse(line);
    moved.emplace_back(one.at("watermark"), one.at("offset"));
  }
  // Of the one behind the end nothing is recorded.
  CHECK(moved == std::vector<std::pair<std::int64_t, std::int64_t>>{{1, 0}, {2, 8}, {3, 11}, {4, 15}});
  CHECK(json::parse(kafka->directory.read("taken/manifest.json")).at("journal") == true);
}

namespace {

/// A topic in crumbs, and properties that read it crumb by crumb: a recording of seconds.
struct slow_topic {
  explicit slow_topic(const kafka_case& kafka) : folder(kafka.directory.file("recordings")) {
    const auto config = [&](const std::string& name, const std::string& more) {
      return kafka.directory.write(name, "{\"bootstrap.servers\": \"" + kafka.broker.servers() + "\", " + more + "}");
    };
    const auto crumbs = config("crumbs.json", "\"batch.num.messages\": 10, \"compression.codec\": \"none\"");
    const auto made = run_tocsin({"generate", "--events", "40000", "--quiet", "--to-kafka", topic, "--create",
                                  "--partitions", "2", "--kafka-config", crumbs});
    REQUIRE_MESSAGE(made.code == 0, made.err);
    slow = config("slow.json", R"("fetch.message.max.bytes": 1000, "queued.max.messages.kbytes": 1)");
    std::filesystem::create_directory(folder);
  }
  /// A recording that has begun to read.
  std::unique_ptr<process> recording(const std::string& timeout) const {
    auto running = std::make_unique<process>(
        tocsin_command({"record", topic, "--kafka-config", slow, "--timeout", timeout, "--out", folder + "/taken"}));
    const auto deadline = std::chrono::steady_clock::now() + 20s;
    while (std::filesystem::is_empty(folder) && std::chrono::steady_clock::now() < deadline)
      std::this_thread::sleep_for(1ms);
    CHECK_FALSE(std::filesystem::is_empty(folder));
    std::this_thread::sleep_for(50ms); // some messages; the rest takes seconds
    return running;
  }

  std::string topic = kafka_case::new_topic();
  std::string slow;
  std::string folder;
};

} // namespace

TEST_CASE("a broker that goes away is told with its reason; nothing is left of a recording") {
  const auto kafka = with_kafka();
  if (!kafka)
    return;
  const slow_topic source(*kafka);
  process generating(tocsin_command({"generate", "--duration", "3000d", "--to-kafka", source.topic, "--bootstrap",
                                     kafka->broker.servers(), "--timeout", "2s"}));
  const auto recording = source.recording("2s");
  kafka->broker.kill();
  const auto recorded = recording->wait(15s);
  const auto generated = generating.wait(15s);
  kafka->broker.start();
  CHECK(recorded == 4);
  const auto told = recording->err();
  CHECK(told.find("tocsin: topic " + source.topic + ": no answer from " + kafka->broker.servers() + " for 2 s (") !=
        std::string::npos);
  CHECK(told.find("Connection refused") != std::string::npos);
  CHECK(std::filesystem::is_empty(source.folder));
  CHECK(generated == 5);
  CHECK(generating.err().find("a message was not delivered: Local: Message timed out") != std::string::npos);
}

TEST_CASE("an interrupted recording leaves nothing") {
  const auto kafka = with_kafka();
  if (!kafka)
    return;
  const slow_topic source(*kafka);
  const auto recording = source.recording("30s");
  recording->signal(SIGINT);
  CHECK(recording->wait(10s) == 4);
  CHECK(recording->err() == "tocsin: interrupted; nothing is kept\n");
  CHECK(std::filesystem::is_empty(source.folder));
}
