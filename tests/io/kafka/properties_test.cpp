#include "io/kafka/connection.hpp"
#include "io/kafka/properties.hpp"
#include "tests/support/temp_dir.hpp"

#include <doctest/doctest.h>
#include <nlohmann/json.hpp>

#include <cstdlib>

using namespace tocsin;
using namespace tocsin::io;
using kafka::properties;
using nlohmann::json;

namespace {

const std::string place = "kafka.json: ";

properties parsed(const json& object) {
  auto given = properties::parse(object, place);
  REQUIRE_MESSAGE(given, given.failure().message);
  return *given;
}

result<std::unique_ptr<kafka::connection>> connect(const json& object,
                                                   std::vector<kafka::connection_options::setting> fixed = {}) {
  kafka::connection_options options;
  options.client = parsed(object);
  options.fixed = std::move(fixed);
  return kafka::connection::open(std::move(options));
}

std::string refusal(const json& object, std::vector<kafka::connection_options::setting> fixed = {}) {
  const auto opened = connect(object, std::move(fixed));
  REQUIRE_FALSE(opened.ok());
  CHECK(opened.failure().code == error_code::configuration);
  CHECK(opened.failure().fatal);
  return opened.failure().message;
}

} // namespace

TEST_CASE("kafka properties: texts, numbers, booleans, files and the environment") {
  const test::temp_dir directory;
  ::setenv("TOCSIN_TEST_SECRET", "from the environment", 1);
  const auto given = parsed({{"bootstrap.servers", "h:1"},
                             {"socket.timeout.ms", 5000},
                             {"enable.ssl.certificate.verification", false},
                             {"sasl.password", {{"file", directory.write("p", "from a file\r\n")}}},
                             {"ssl.key.password", {{"env", "TOCSIN_TEST_SECRET"}}}});
  const auto resolved = given.resolve();
  REQUIRE_MESSAGE(resolved, resolved.failure().message);
  const std::map<std::string, std::string> values(resolved->values.begin(), resolved->values.end());
  CHECK(values.at("bootstrap.servers") == "h:1");
  CHECK(values.at("socket.timeout.ms") == "5000");
  CHECK(values.at("enable.ssl.certificate.verification") == "false");
  CHECK(values.at("sasl.password") == "from a file");
  CHECK(values.at("ssl.key.password") == "from the environment");
  CHECK(given.shown("bootstrap.servers") == "h:1");
  CHECK(given.shown("sasl.password") == "");
  CHECK(resolved->redact("x from a file, from the environment, h:1") == "x ***, ***, h:1");
}

TEST_CASE("kafka properties: a secret that stands in the configuration is not shown either") {
  const auto given = parsed({{"sasl.password", "abc"}, {"ssl.key.password", "abcdef"}, {"sasl.username", "ann"}});
  CHECK(given.shown("sasl.password") == "");
  CHECK(given.shown("sasl.username") == "ann");
  // The longer one first: its rest would tell it.
  CHECK(given.resolve()->redact("abcdef abc ann") == "*** *** ann");
}

TEST_CASE("kafka properties: mistakes name the property, and never show what was found") {
  const auto mistake = [](const json& object) {
    const auto given = properties::parse(object, place);
    REQUIRE_FALSE(given.ok());
    return given.failure().message;
  };
  CHECK(mistake(json::array({"hunter2"})).find("found array, expected an object") != std::string::npos);
  const auto wrong = mistake({{"sasl.password", {"hunter2"}}});
  CHECK(wrong.rfind("kafka.json: /sasl.password: found array, expected a string", 0) == 0);
  CHECK(wrong.find("hunter2") == std::string::npos);
  CHECK(mistake({{"a/b", {{"path", "x"}}}}).rfind("kafka.json: /a~1b: ", 0) == 0);
  CHECK(mistake({{"a", {{"file", ""}}}}).rfind("kafka.json: /a: ", 0) == 0);
  CHECK(mistake({{"a", nullptr}}).rfind("kafka.json: /a: found null", 0) == 0);
  const auto missing_file = parsed({{"sasl.password", {{"file", "/nonexistent/p"}}}}).resolve();
  REQUIRE_FALSE(missing_file.ok());
  CHECK(missing_file.failure().message == "kafka.json: /sasl.password: the file /nonexistent/p cannot be read");
  ::unsetenv("TOCSIN_TEST_ABSENT");
  const auto missing_variable = parsed({{"sasl.password", {{"env", "TOCSIN_TEST_ABSENT"}}}}).resolve();
  REQUIRE_FALSE(missing_variable.ok());
  CHECK(missing_variable.failure().message ==
        "kafka.json: /sasl.password: the environment has no variable TOCSIN_TEST_ABSENT");
}

TEST_CASE("kafka connection: librdkafka says what is wrong with a property, with its place and without secrets") {
  CHECK(refusal({{"bootstrap.servers", "127.0.0.1:1"}, {"bootstrap.sevrers", "x"}}) ==
        "kafka.json: /bootstrap.sevrers: No such configuration property: \"bootstrap.sevrers\"");
  const auto wrong = refusal({{"bootstrap.servers", "127.0.0.1:1"}, {"socket.timeout.ms", "soon"}});
  CHECK(wrong.rfind("kafka.json: /socket.timeout.ms: ", 0) == 0);
  CHECK(refusal(json::object()).rfind("kafka.json: /bootstrap.servers: is missing", 0) == 0);
  ::setenv("TOCSIN_TEST_SECRET", "hunter2", 1);
  const auto secret =
      refusal({{"bootstrap.servers", "127.0.0.1:1"}, {"compression.codec", {{"env", "TOCSIN_TEST_SECRET"}}}});
  CHECK(secret.find("hunter2") == std::string::npos);
  CHECK(secret.find("***") != std::string::npos);
}

TEST_CASE("kafka connection: what exactly once rests upon cannot be switched off") {
  const json given = {{"bootstrap.servers", "127.0.0.1:1"}, {"enable.idempotence", false}};
  CHECK(refusal(given, {{"enable.idempotence", "true"}}) ==
        "kafka.json: /enable.idempotence: found \"false\", expected \"true\" or nothing: exactly once rests upon it");
  CHECK(
      connect({{"bootstrap.servers", "127.0.0.1:1"}, {"enable.idempotence", true}}, {{"enable.idempotence", "true"}}));
}

TEST_CASE("kafka connection: log lines come from poll(), in this thread, without secrets") {
  ::setenv("TOCSIN_TEST_SECRET", "127.0.0.1", 1); // what librdkafka is sure to log
  kafka::connection_options options;
  options.client = parsed(
      {{"bootstrap.servers", "127.0.0.1:1"}, {"client.id", {{"env", "TOCSIN_TEST_SECRET"}}}, {"debug", "broker"}});
  std::vector<std::string> lines;
  options.log = [&](const std::string& line) { lines.push_back(line); };
  auto opened = kafka::connection::open(std::move(options));
  REQUIRE_MESSAGE(opened, opened.failure().message);
  CHECK(lines.empty());
  for (int i = 0; i < 100 && !(*opened)->trouble(); ++i)
    (*opened)->poll(50);
  REQUIRE((*opened)->trouble());
  CHECK((*opened)->trouble()->retriable);
  CHECK_FALSE((*opened)->trouble()->fatal);
  CHECK((*opened)->trouble()->message.find("Connection refused") != std::string::npos);
  REQUIRE_FALSE(lines.empty());
  bool masked = false;
  for (const auto& line : lines) {
    CHECK(line.find("127.0.0.1") == std::string::npos);
    masked = masked || line.find("***:1") != std::string::npos;
  }
  CHECK(masked);
  CHECK((*opened)->servers() == "***:1");
}

TEST_CASE("kafka failures: what a retry may mend, and what nothing mends") {
  using kafka::failure_of;
  const auto away = failure_of(error_code::sink, RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN, "topic t");
  CHECK(away.retriable);
  CHECK_FALSE(away.fatal);
  CHECK(away.code == error_code::sink);
  CHECK(away.message == "topic t: Local: All broker connections are down");
  for (const auto err : {RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED, RD_KAFKA_RESP_ERR__FENCED,
                         RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART, RD_KAFKA_RESP_ERR_INVALID_PRODUCER_EPOCH}) {
    const auto final = failure_of(error_code::source, err, "topic t", "why");
    CHECK(final.fatal);
    CHECK_FALSE(final.retriable);
    CHECK(final.message == "topic t: why");
  }
  const auto odd = failure_of(error_code::source, RD_KAFKA_RESP_ERR__BAD_MSG, "topic t");
  CHECK_FALSE(odd.retriable);
  CHECK_FALSE(odd.fatal);
}
