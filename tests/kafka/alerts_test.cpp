// `tocsin alerts --from-kafka` against the same records in a file.
#include "tests/kafka/kafka_case.hpp"
#include "tests/kafka/topic_data.hpp"

#include <nlohmann/json.hpp>

#include <csignal>

using namespace tocsin::test;
using namespace std::chrono_literals;
using nlohmann::json;

namespace {

std::string record(const std::string& id, int revision, const std::string& kind, const std::string& tick,
                   const std::string& cdn) {
  return json{{"schema", 1},
              {"id", id},
              {"revision", revision},
              {"kind", kind},
              {"status", kind == "resolve" ? "closed" : "open"},
              {"severity", "major"},
              {"monitor", "playback-failures"},
              {"detector", "threshold"},
              {"tick", "2016-05-04T" + tick + ".000Z"},
              {"key", {{"cdn", cdn}}},
              {"measured_value", 0.084},
              {"baseline_value", 0.0112},
              {"excess_failures", 15.62},
              {"onset", "2016-05-04T12:00:00.000Z"}}
      .dump();
}

const std::vector<std::string> records = {
    record("a1", 0, "open", "12:00:10", "fastly"), record("b2", 0, "open", "12:00:20", "akamai"),
    record("a1", 1, "update", "12:01:00", "fastly"), record("b2", 1, "resolve", "12:02:00", "akamai"),
    record("c3", 0, "open", "12:03:00", "cloudfront")};

/// The records in a file, and in the two partitions of a topic, each a second after the one before.
struct alert_case {
  explicit alert_case(const kafka_case& at) : kafka(at), topic(kafka_case::new_topic()) {
    create_topic(kafka.properties(), topic, 2);
    std::vector<test_message> messages;
    std::string log;
    for (std::size_t i = 0; i < records.size(); ++i) {
      messages.push_back({i % 2 == 0 ? 1 : 0, records[i], 1'462'363'200'000 + static_cast<std::int64_t>(i) * 1000});
      log += records[i] + "\n";
    }
    write_messages(kafka.properties(), topic, messages);
    file = kafka.directory.write("alerts.ndjson", log);
  }

  const kafka_case& kafka;
  std::string topic;
  std::string file;
};

} // namespace

TEST_CASE("an alert topic gives the tables of the alert log with the same records") {
  const auto kafka = with_kafka();
  if (!kafka)
    return;
  const alert_case alerts(*kafka);
  const std::vector<std::vector<std::string>> questions = {{},
                                                           {"--json"},
                                                           {"--open"},
                                                           {"--kind", "resolve"},
                                                           {"--key", "cdn=fastly"},
                                                           {"a1"},
                                                           {"--since", "2016-05-04T12:01:00Z"}};
  for (const auto& question : questions) {
    auto of_file = question;
    of_file.insert(of_file.begin(), {"alerts", "--file", alerts.file});
    const auto expected = run_tocsin(of_file);
    REQUIRE(expected.code == 0);
    REQUIRE_FALSE(expected.out.empty());
    auto of_topic = question;
    of_topic.insert(of_topic.begin(), {"alerts", "--from-kafka", alerts.topic});
    const auto found = kafka->tocsin(of_topic);
    CHECK(found.code == 0);
    CHECK(found.err == expected.err);
    CHECK(found.out == expected.out);
  }
}

TEST_CASE("silences hold what comes from an alert topic") {
  const auto kafka = with_kafka();
  if (!kafka)
    return;
  const alert_case alerts(*kafka);
  const auto silences = kafka->directory.file("silences.json");
  const auto added = run_tocsin({"alerts", "silence", "add", "--silences", silences, "--key", "cdn=fastly", "--start",
                                 "2016-05-04T00:00:00Z", "--end", "2016-05-05T00:00:00Z", "--comment", "known"});
  REQUIRE_MESSAGE(added.code == 0, added.err);
  const auto shown = kafka->tocsin({"alerts", "--from-kafka", alerts.topic, "--silences", silences, "--json"});
  CHECK(shown.code == 0);
  CHECK(shown.out == records[1] + "\n" + records[3] + "\n" + records[4] + "\n");
  CHECK(shown.err == "tocsin: 2 records held by silences left out; --silenced shows them\n");
}

TEST_CASE("following an alert topic shows what is committed, when it is, until interrupted") {
  const auto kafka = with_kafka();
  if (!kafka)
    return;
  const auto topic = kafka_case::new_topic();
  create_topic(kafka->properties(), topic, 2);
  test_transactions producer(kafka->broker.servers(), topic);
  producer.begin();
  producer.write(topic, records[0]);
  producer.commit();
  process following(
      tocsin_command({"alerts", "--from-kafka", topic, "--follow", "--json", "--bootstrap", kafka->broker.servers()}));
  CHECK(following.wait_for(records[0] + "\n"));
  producer.begin();
  producer.write(topic, records[1], 1);
  producer.abort();
  producer.begin();
  producer.write(topic, records[2], 1);
  CHECK(following.out() == records[0] + "\n");
  producer.commit();
  CHECK(following.wait_for(records[2] + "\n"));
  following.signal(SIGINT);
  CHECK(following.wait(10s) == 0);
  CHECK(following.out() == records[0] + "\n" + records[2] + "\n");
}

TEST_CASE("an alert topic that is not there, and a message that is no record") {
  const auto kafka = with_kafka();
  if (!kafka)
    return;
  const auto topic = kafka_case::new_topic();
  const auto missing = kafka->tocsin({"alerts", "--from-kafka", topic});
  CHECK(missing.code == 4);
  CHECK(missing.err == "tocsin: topic " + topic + ": does not exist at " + kafka->broker.servers() + "\n");
  create_topic(kafka->properties(), topic, 1);
  write_messages(kafka->properties(), topic, {{0, std::nullopt}, {0, "{broken"}, {0, records[0] + "\n"}});
  const auto shown = kafka->tocsin({"alerts", "--from-kafka", topic, "--json"});
  CHECK(shown.code == 0);
  CHECK(shown.out == records[0] + "\n");
  CHECK(shown.err.rfind("tocsin: topic " + topic + ", partition 0, offset 1: ", 0) == 0);
}
