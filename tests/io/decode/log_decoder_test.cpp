#include "tests/io/decode/decode_support.hpp"

#include <string>
#include <vector>

using namespace tocsin;
using namespace tocsin::io;
using namespace tocsin::io::test;

namespace {

decode_plan log_plan(std::vector<std::string> dimensions) {
  auto plan = plan_of(input_format::combined_log, std::move(dimensions), "status >= 500");
  plan.time_field = "ignored";
  plan.time = time_unit::us;
  return plan;
}

const std::vector<std::string> all = {"remote_host", "ident",   "user",   "time",  "method",  "path",
                                      "protocol",    "request", "status", "bytes", "referer", "user_agent"};

std::string fields_of(const std::string& line) {
  const auto out = decode(log_plan(all), line);
  return out.events.empty() ? reasons(out).at(0) : shown_key(out);
}

const std::string head = "10.0.0.1 - frank [10/Oct/2000:13:55:36 -0700] ";

} // namespace

TEST_CASE("an access log line has twelve fields") {
  const std::string line = head + R"("GET /a?b=c HTTP/1.0" 503 2326 "http://example.com/" "Mozilla/4.08 [en]")";
  CHECK(fields_of(line) == "10.0.0.1|(none)|frank|10/Oct/2000:13:55:36 -0700|GET|/a?b=c|HTTP/1.0|GET /a?b=c HTTP/1.0|"
                           "503|2326|http://example.com/|Mozilla/4.08 [en]");
  const auto out = decode(log_plan({}), line);
  CHECK(format_rfc3339(out.events[0].time) == "2000-10-10T20:55:36.000Z");
  CHECK(out.observations[0][0].failed == 1);
}

TEST_CASE("the Common Log Format and fields behind the user agent are accepted") {
  const std::string common = "10.0.0.1|(none)|frank|10/Oct/2000:13:55:36 -0700|GET|/|HTTP/1.0|GET / HTTP/1.0|200|";
  CHECK(fields_of(head + R"("GET / HTTP/1.0" 200 -)") == common + "(none)|(none)|(none)");
  CHECK(fields_of(head + R"("GET / HTTP/1.0" 200 0 "-" "-")") == common + "0|(none)|(none)");
  CHECK(fields_of(head + R"("GET / HTTP/1.0" 200 5 "-" "curl" "1.2.3.4" 0.003)") == common + "5|(none)|curl");
}

TEST_CASE("escapes inside quoted log fields") {
  const auto out = decode(log_plan({"path", "referer", "user_agent"}),
                          head + R"("GET /a\"b\\ HTTP/1.1" 200 1 "x\x22y" "\"quoted\" \\")");
  REQUIRE(out.events.size() == 1);
  CHECK(shown_key(out) == R"(/a"b\|x\x22y|"quoted" \)");
}

TEST_CASE("requests that are none have only their text") {
  const auto request = [](const std::string& text) {
    const auto out = decode(log_plan({"method", "path", "protocol", "request"}), head + "\"" + text + "\" 400 0");
    return out.events.empty() ? reasons(out).at(0) : shown_key(out);
  };
  CHECK(request(R"(\x16\x03\x01)") == R"((none)|(none)|(none)|\x16\x03\x01)");
  CHECK(request("-") == "(none)|(none)|(none)|(none)");
  CHECK(request("") == "(none)|(none)|(none)|(none)");
  CHECK(request("GET /old") == "GET|/old|(none)|GET /old");
  CHECK(request("GET /a b HTTP/1.1") == "GET|/a b|HTTP/1.1|GET /a b HTTP/1.1");
}

TEST_CASE("a user name may hold blanks") {
  const auto out = decode(log_plan({"user"}), "h - Ann Lee [10/Oct/2000:13:55:36 -0700] \"GET / HTTP/1.0\" 200 1");
  REQUIRE(out.events.size() == 1);
  CHECK(shown_key(out) == "Ann Lee");
}

TEST_CASE("lines that are no access log are malformed") {
  for (const std::string& line :
       {std::string("x"), std::string("a b c"), head, head + "\"GET", head + "\"GET\"", head + "\"GET\" x 5",
        head + "\"GET\" 200", head + "\"GET\" 200 x", head + "\"GET\" 200 5 x", head + "\"GET\" 200 5 \"a\"",
        head + "\"GET\" 200 5 \"a\" \"b", head + "\"GET\" 200 5 \"a\"\"b\"", head + "\"GET\" 200 5 \"a\" \"b\"c",
        head + "\"GET\\\" 200 5", head + "\"GET\" 2000000000000000000 5"}) {
    CAPTURE(line);
    const auto out = decode(log_plan({}), line);
    REQUIRE(out.rejects.size() == 1);
    CHECK(out.rejects[0].reason == reject_reason::malformed);
    CHECK(out.rejects[0].detail.find("found no Combined Log Format line, expected ") == 0);
  }
  const auto time = decode(log_plan({}), "h - - [yesterday] \"GET / HTTP/1.0\" 200 1");
  CHECK(reasons(time) ==
        std::vector<std::string>{"bad_time: field 'time': found \"yesterday\", expected a time such as "
                                 "10/Oct/2000:13:55:36 -0700"});
}

TEST_CASE("a field that access logs do not have is named with those they have") {
  const auto out = decode(log_plan({"host"}), head + "\"GET\" 200 5");
  CHECK(reasons(out) ==
        std::vector<std::string>{"malformed: found no column 'host', expected one of: remote_host, ident, user, time, "
                                 "method, path, protocol, request, status, bytes, referer, user_agent"});
}
