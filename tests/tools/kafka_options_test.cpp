// What the commands that speak to Kafka say before they have one, and recordings as inputs of a replay.
#include "tests/support/mock_kafka.hpp"
#include "tests/tools/tocsin.hpp"
#include "tools/replaying/recording_folder.hpp"

#include <doctest/doctest.h>

#include <filesystem>

using namespace tocsin;
using namespace tocsin::test;

namespace {

std::string refusal(const std::vector<std::string>& arguments, int code) {
  const auto ended = run_tocsin(arguments);
  CHECK(ended.code == code);
  CHECK_MESSAGE(is_one_error_line(ended.err), ended.err);
  CHECK(ended.out.empty());
  return ended.err;
}

bool holds(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

std::string config() {
  return std::string(TOCSIN_SOURCE_DIR) + "/configs/examples/video_views.json";
}

/// A recording of one partition whose journal, if any, is broken: to be read is to be told.
std::string recording(const scratch_directory& directory, bool journal) {
  const auto folder = directory / "taken";
  std::filesystem::create_directory(folder);
  tools::recording_manifest manifest;
  manifest.topic = "views";
  manifest.partitions.push_back({0, "partition-0000.ndjson.zst", 0, 0, 0, 0, 0, 0});
  manifest.journal = journal;
  write_bytes(folder + "/partition-0000.ndjson.zst", "");
  write_bytes(folder + "/manifest.json", tools::to_json(manifest));
  if (journal)
    write_bytes(folder + "/journal.ndjson", "broken\n");
  return folder;
}

} // namespace

TEST_CASE("where Kafka is has to be said, and is of use with a topic only") {
  const scratch_directory directory;
  const auto out = directory / "out";
  for (const auto& command : std::vector<std::vector<std::string>>{
           {"generate", "--to-kafka", "t"}, {"record", "t", "--out", out}, {"alerts", "--from-kafka", "t"}}) {
    CHECK(holds(refusal(command, 2), "Give --bootstrap HOST:PORT, or --kafka-config FILE"));
    auto hasty = command;
    hasty.insert(hasty.end(), {"--bootstrap", "127.0.0.1:1", "--timeout", "soon"});
    CHECK(holds(refusal(hasty, 2), "--timeout: found \"soon\", expected a duration"));
  }
  refusal({"generate", "--bootstrap", "127.0.0.1:1", "--events", "1"}, 2);
  refusal({"alerts", "--bootstrap", "127.0.0.1:1"}, 2);
  refusal({"generate", "--to-kafka", "t", "--out", out}, 2);
  refusal({"alerts", "--from-kafka", "t", "--file", out}, 2);
}

TEST_CASE("a file of properties: its mistakes with their places, its secrets nowhere") {
  const scratch_directory directory;
  const auto with = [&](const std::string& text, int code) {
    const auto file = written(directory, "kafka.json", text);
    const auto told =
        refusal({"record", "t", "--out", directory / "out", "--timeout", "200ms", "--kafka-config", file}, code);
    CHECK_FALSE(holds(told, "hunter2"));
    REQUIRE(told.rfind("tocsin: " + file + ": ", 0) == 0);
    return told.substr(std::string("tocsin: ").size() + file.size() + 2);
  };
  CHECK(with(R"({"bootstrap.servers": "h:1", "sasl.pasword": "hunter2"})", 3) ==
        "/sasl.pasword: No such configuration property: \"sasl.pasword\"\n");
  CHECK(holds(with(R"({"bootstrap.servers": "h:1", "sasl.password": hunter2})", 3), "line 1, column 4"));
  CHECK(with(R"({"sasl.password": {"file": ["hunter2"]}})", 3).rfind("/sasl.password: found object, expected", 0) == 0);
  CHECK(holds(with(R"({"sasl.password": {"file": "/nonexistent"}})", 3), "the file /nonexistent cannot be read"));
  CHECK(holds(with(R"({"a": 1, "a": 2})", 3), "a second time"));
  CHECK(holds(with(R"({"bootstrap.servers": "h:1", "isolation.level": "read_uncommitted"})", 3),
              "/isolation.level: found \"read_uncommitted\", expected \"read_committed\""));
  CHECK(holds(refusal({"record", "t", "--out", directory / "out", "--kafka-config", directory / "none"}, 3),
              "cannot be read"));
}

TEST_CASE("a broker that is not there is told with its address and reason, and nothing is made") {
  const scratch_directory directory;
  const auto ended =
      run_tocsin({"record", "t", "--out", directory / "out", "--bootstrap", "127.0.0.1:1", "--timeout", "300ms"});
  CHECK(ended.code == 4);
  CHECK(holds(ended.err, "tocsin: topic t: no answer from 127.0.0.1:1 for 0.3 s ("));
  CHECK(holds(ended.err, "Connection refused"));
  CHECK_FALSE(std::filesystem::exists(directory / "out"));
}

TEST_CASE("commands work on librdkafka's mock cluster, too") {
  const scratch_directory directory;
  mock_kafka cluster;
  cluster.create("t", 2);
  const auto made =
      run_tocsin({"generate", "--events", "500", "--quiet", "--to-kafka", "t", "--bootstrap", cluster.servers()});
  REQUIRE_MESSAGE(made.code == 0, made.err);
  const auto taken = run_tocsin({"record", "t", "--out", directory / "taken", "--bootstrap", cluster.servers()});
  REQUIRE_MESSAGE(taken.code == 0, taken.err);
  CHECK(holds(taken.err, "messages              500 ("));
  const auto manifest = tools::read_manifest(directory / "taken");
  REQUIRE(manifest);
  CHECK(manifest->topic == "t");
  REQUIRE(manifest->partitions.size() == 2);
  CHECK(manifest->partitions[0].messages + manifest->partitions[1].messages == 500);
  const auto replayed =
      run_tocsin({"replay", "--config", config(), directory / "taken", "--alerts", directory / "alerts"});
  CHECK_MESSAGE(replayed.code == 0, replayed.err);
  CHECK(holds(replayed.err, "events                500 ("));
}

TEST_CASE("a recording is replayed with its journal, unless that is not wanted") {
  const scratch_directory directory;
  const auto folder = recording(directory, true);
  const std::vector<std::string> replay = {"replay", "--quiet", "--config", config(), folder};
  CHECK(holds(refusal(replay, 4), folder + "/journal.ndjson:1: "));
  auto without = replay;
  without.push_back("--no-journal");
  CHECK(run_tocsin(without).code == 0);
  auto other = replay;
  other.insert(other.end(), {"--journal", written(directory, "mine", "broken, too\n")});
  CHECK(holds(refusal(other, 4), directory / "mine" + ":1: "));
}

TEST_CASE("what is no recording, or not alone, is refused") {
  const scratch_directory directory;
  const auto folder = recording(directory, false);
  const auto file = written(directory, "v", "");
  CHECK(run_tocsin({"replay", "--quiet", "--config", config(), folder}).code == 0);
  CHECK(holds(refusal({"replay", "--config", config(), folder, file}, 2), "is replayed alone"));
  CHECK(holds(refusal({"replay", "--config", config(), "--sequence", folder}, 2), "is replayed alone"));
  const auto told = [&](const std::string& manifest) {
    write_bytes(folder + "/manifest.json", manifest);
    return refusal({"replay", "--config", config(), folder}, 4);
  };
  CHECK(holds(told("{"), "manifest.json: this is damaged"));
  CHECK(holds(told(R"({"version": 1, "topic": "t", "journal": false})"), "manifest.json: this is damaged"));
  CHECK(holds(told(R"({"version": 2})"), "found version 2"));
  std::filesystem::remove(folder + "/manifest.json");
  CHECK(holds(refusal({"replay", "--config", config(), folder}, 4), "this folder has no manifest.json"));
}
