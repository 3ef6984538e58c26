// `tocsin generate --to-kafka` and back.
#include "tests/kafka/kafka_case.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <map>
#include <sstream>

using namespace tocsin::test;
using nlohmann::json;

namespace {

const std::vector<std::string> stream = {
    "generate", "--duration", "4h", "--rate", "20", "--incident", "start=2h,for=30m,where=cdn:fastly,rate=0.3",
    "--quiet"};

std::vector<std::string> with(std::vector<std::string> arguments, const std::vector<std::string>& more) {
  arguments.insert(arguments.end(), more.begin(), more.end());
  return arguments;
}

std::vector<std::string> lines_of(const std::string& text) {
  std::vector<std::string> lines;
  std::istringstream in(text);
  for (std::string line; std::getline(in, line);)
    lines.push_back(line);
  return lines;
}

} // namespace

TEST_CASE("a generated topic, recorded and replayed, gives the alert log of the generated files") {
  const auto kafka = with_kafka();
  if (!kafka)
    return;
  const auto& folder = kafka->directory;
  const auto topic = kafka_case::new_topic();
  kafka->succeed(with(stream, {"--to-kafka", topic, "--create", "--partitions", "3"}));
  kafka->succeed({"record", topic, "--out", folder.file("taken"), "--quiet"});
  REQUIRE(run_tocsin(with(stream, {"--partitions", "3", "--out", folder.file("v")})).code == 0);
  for (int p = 0; p < 3; ++p) {
    const auto expected = folder.read("v." + std::to_string(p));
    CHECK(expected.size() > 1'000'000);
    CHECK((kafka->recorded("taken", p) == expected)); // not printed
  }
  const auto replay = [&](const std::string& log, const std::vector<std::string>& inputs) {
    const auto config = std::string(TOCSIN_SOURCE_DIR) + "/configs/examples/video_views.json";
    const auto ended =
        run_tocsin(with({"replay", "--quiet", "--config", config, "--alerts", folder.file(log)}, inputs));
    REQUIRE_MESSAGE(ended.code == 0, ended.err);
    return folder.read(log);
  };
  const auto expected = replay("files.ndjson", {folder.file("v.0"), folder.file("v.1"), folder.file("v.2")});
  CHECK(std::count(expected.begin(), expected.end(), '\n') > 10);
  CHECK((replay("taken.ndjson", {folder.file("taken")}) == expected));
}

TEST_CASE("keyed, every value of a property is in one partition, and nothing is lost") {
  const auto kafka = with_kafka();
  if (!kafka)
    return;
  const auto topic = kafka_case::new_topic();
  const std::vector<std::string> few = {"generate", "--events", "5000", "--quiet"};
  kafka->succeed(with(few, {"--to-kafka", topic, "--create", "--partitions", "3", "--key-by", "property,cdn"}));
  kafka->succeed({"record", topic, "--out", kafka->directory.file("taken"), "--quiet"});
  std::map<std::pair<std::string, std::string>, int> home;
  std::vector<std::string> all;
  int used = 0;
  for (int p = 0; p < 3; ++p) {
    const auto lines = lines_of(kafka->recorded("taken", p));
    used += lines.empty() ? 0 : 1;
    for (const auto& line : lines) {
      const auto view = json::parse(line);
      const auto key = std::pair(view.at("property").get<std::string>(), view.at("cdn").get<std::string>());
      CHECK(home.emplace(key, p).first->second == p);
      all.push_back(line);
    }
  }
  CHECK(used > 1);
  auto expected = lines_of(run_tocsin(few).out);
  std::sort(expected.begin(), expected.end());
  std::sort(all.begin(), all.end());
  CHECK((all == expected));
}

TEST_CASE("generating into a topic says what is wrong before it writes anything") {
  const auto kafka = with_kafka();
  if (!kafka)
    return;
  const auto topic = kafka_case::new_topic();
  const auto refusal = [&](const std::vector<std::string>& more, int code) {
    const auto ended = kafka->tocsin(with({"generate", "--events", "10", "--to-kafka", topic}, more));
    CHECK(ended.code == code);
    CHECK(is_one_error_line(ended.err));
    return ended.err;
  };
  CHECK(refusal({}, 5) == "tocsin: topic " + topic + ": does not exist at " + kafka->broker.servers() +
                              "; --create --partitions N makes it\n");
  kafka->succeed({"generate", "--events", "10", "--quiet", "--to-kafka", topic, "--create", "--partitions", "2"});
  CHECK(refusal({"--create"}, 5) ==
        "tocsin: topic " + topic + ": cannot be created: Topic '" + topic + "' already exists.\n");
  CHECK(refusal({"--partitions", "3"}, 2).find("has 2 already") != std::string::npos);
  CHECK(refusal({"--key-by", "cnd"}, 2).find("--key-by: found \"cnd\", expected property, cdn") != std::string::npos);
  CHECK(refusal({"--format", "csv"}, 2).find("--format: ") != std::string::npos);
}
