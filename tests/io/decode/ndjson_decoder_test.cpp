#include "tests/io/decode/decode_support.hpp"

#include <algorithm>
#include <random>
#include <string>
#include <vector>

using namespace tocsin;
using namespace tocsin::io;
using namespace tocsin::io::test;

namespace {

std::string key_of(std::vector<std::string> dimensions, const std::string& line) {
  const auto out = decode(plan_of(input_format::ndjson, std::move(dimensions)), line);
  return out.events.size() == 1 ? shown_key(out) : out.rejects.empty() ? "nothing" : name_of(out.rejects[0].reason);
}

} // namespace

TEST_CASE("values keep the spelling of the record, texts lose their escapes") {
  CHECK(key_of({"a", "b", "c"}, R"({"ts":1,"a":"x\"y\\\u00e9\n","b":1.50,"c":-0})") == "x\"y\\\u00e9\n|1.50|-0");
  CHECK(key_of({"a", "b"}, "{ \"ts\" : 1 , \"a\" : \"x\" , \"b\" : 17 \t}") == "x|17");
  CHECK(key_of({"a", "b"}, R"({"ts":1,"a":"","b":"größe 😀"})") == "|größe 😀");
  CHECK(key_of({"a", "b"}, R"({"ts":1,"a":"\ud83d\ude00","b":"tail\\"})") == "😀|tail\\");
}

TEST_CASE("paths lead into objects, and names with dots are found too") {
  CHECK(key_of({"a.b", "a.c.d"}, R"({"a":{"x":[1,{"b":2}],"b":"1","c":{"d":"2"}},"ts":1})") == "1|2");
  CHECK(key_of({"a.b"}, R"({"ts":1,"a.b":"flat"})") == "flat");
  CHECK(key_of({"a.b"}, R"({"ts":1,"a":"no object"})") == "(none)");
  CHECK(key_of({"a.b"}, R"({"ts":1,"a":[{"b":1}]})") == "(none)");
  CHECK(key_of({"a.b"}, R"({"ts":1,"a":{"b":{}}})") == "bad_type");
  CHECK(key_of({"a.b", "b"}, R"({"ts":1,"a":{"b":"inner"},"b":"outer"})") == "inner|outer");
}

TEST_CASE("of a repeated name the last one counts") {
  CHECK(key_of({"a"}, R"({"ts":1,"a":"first","a":"last"})") == "last");
  CHECK(key_of({"a"}, R"({"ts":1,"a":"first","a":null})") == "(none)");
  CHECK(key_of({"a"}, R"({"ts":1,"a":{},"a":"last"})") == "last");
  CHECK(key_of({"a.b", "a.c"}, R"({"ts":1,"a":{"b":"1"},"a":{"c":"2"}})") == "(none)|2");
  CHECK(key_of({"a.b"}, R"({"ts":1,"a":{"b":"1"},"a":5})") == "(none)");
  CHECK(key_of({"ts"}, R"({"ts":"nonsense","ts":7})") == "7");
}

TEST_CASE("names with escapes are the same names") {
  CHECK(key_of({"a\"b", "c"}, R"({"ts":1,"a\"b":"1","\u0063":"2"})") == "1|2");
}

TEST_CASE("lines that are no JSON object are malformed") {
  for (const std::string line : {"x",
                                 "{",
                                 "}",
                                 "{}}",
                                 "{\"ts\":1",
                                 "{\"ts\":1,",
                                 "{\"ts\":1,}",
                                 "{\"ts\":1}x",
                                 "{\"ts\":1} {\"ts\":2}",
                                 "[1]",
                                 "\"ts\"",
                                 "5",
                                 "null",
                                 "{\"ts\"1}",
                                 "{ts:1}",
                                 "{\"ts\":}",
                                 "{\"ts\":01}",
                                 "{\"ts\":1.}",
                                 "{\"ts\":+1}",
                                 "{\"ts\":nul}",
                                 "{\"ts\":truex}",
                                 "{\"ts\":1 2}",
                                 "{\"ts\":\"abc",
                                 "{\"ts\":\"a\\qb\"}",
                                 "{\"ts\":\"\\ud800\"}",
                                 "{\"ts\":1,\"x\":\"\xE9\"}",
                                 "{\"ts\":1,\"x\":\"\xED\xA0\x80\"}",
                                 "{\"ts\":1,\"x\":[}",
                                 "{\"ts\":1 \"x\":2}",
                                 "{\"ts\":\"a\" \"b\"}",
                                 "{\"ts\":\"a\"b}",
                                 " ",
                                 "{\"ts\":1}}",
                                 "{\"x\":{\"y\":1,\"ts\":1}",
                                 "\xEF\xBB\xBF"}) {
    CAPTURE(line);
    const auto out = decode(plan_of(input_format::ndjson), line + "\n{\"ts\":2}\n");
    REQUIRE(out.rejects.size() == 1);
    CHECK(out.rejects[0].reason == reject_reason::malformed);
    CHECK(out.rejects[0].detail.find("expected one JSON object a line") != std::string::npos);
    REQUIRE(out.events.size() == 1);
    CHECK(out.events[0].offset == static_cast<stream_offset>(line.size()) + 1);
  }
  const auto nul = decode(plan_of(input_format::ndjson), std::string_view("{\"ts\":1,\"x\":\"a\0b\"}", 18));
  CHECK(nul.rejects.size() == 1);
}

TEST_CASE("a byte order mark does not belong to the first record of a file") {
  const auto out = decode(plan_of(input_format::ndjson), "\xEF\xBB\xBF{\"ts\":1}\n{\"ts\":2}\n\xEF\xBB\xBF{\"ts\":3}");
  CHECK(out.rejects.empty());
  CHECK(out.events.size() == 3);
}

TEST_CASE("empty lines are nothing, whatever ends them, and the last line needs no end") {
  const auto out = decode(plan_of(input_format::ndjson), "\n\r\n{\"ts\":1}\r\n\n{\"ts\":2}");
  CHECK(out.rejects.empty());
  REQUIRE(out.events.size() == 2);
  CHECK(out.events[0].offset == 3);
  CHECK(out.events[1].offset == 14);
  CHECK(decode(plan_of(input_format::ndjson), "").events.empty());
}

TEST_CASE("changing shapes of records never mislead") {
  // The reader learns the order of the keys; every line here has an order of its own.
  const auto plan = std::make_shared<const decode_plan>(plan_of(input_format::ndjson, {"a", "ab", "n.a", "k\"q"}));
  const auto decoder = make_decoder(plan);
  std::mt19937 random(5);
  event_batch out;
  for (int i = 0; i < 5'000; ++i) {
    std::vector<std::string> fields = {
        "\"ts\":1",         "\"a\":\"A\"", "\"ab\":\"AB\"", "\"n\":{\"x\":0,\"a\":\"NA\"}",      R"("k\"q":"KQ")",
        "\"unused\":[1,2]", "\"abc\":3",   "\"\":4",        "\"" + std::string(80, 'k') + "\":5"};
    std::shuffle(fields.begin(), fields.end(), random);
    std::string line;
    std::string expected[4] = {"(none)", "(none)", "(none)", "(none)"};
    bool has_time = false;
    for (const auto& field : fields) {
      if (random() % 4 == 0)
        continue;
      line += (line.empty() ? "{" : ",") + field;
      has_time = has_time || field == "\"ts\":1";
      if (field == "\"a\":\"A\"")
        expected[0] = "A";
      if (field == "\"ab\":\"AB\"")
        expected[1] = "AB";
      if (field.substr(0, 4) == "\"n\":")
        expected[2] = "NA";
      if (field.substr(0, 3) == "\"k\\")
        expected[3] = "KQ";
    }
    if (line.empty())
      continue;
    decoder->decode(block_of(line + "}"), out);
    REQUIRE(out.events.size() == (has_time ? 1 : 0));
    if (has_time)
      REQUIRE(shown_key(out) == expected[0] + "|" + expected[1] + "|" + expected[2] + "|" + expected[3]);
  }
}

TEST_CASE("long names that begin alike are told apart") {
  const auto plan = std::make_shared<const decode_plan>(plan_of(input_format::ndjson, {"viewer_region"}));
  const auto decoder = make_decoder(plan);
  event_batch out;
  decoder->decode(block_of("{\"viewer_region\":\"x\",\"ts\":1}\n{\"viewer_reason\":\"y\",\"ts\":2}\n"), out);
  REQUIRE(out.events.size() == 2);
  CHECK(shown_key(out, 0) == "x");
  CHECK(shown_key(out, 1) == "(none)");
}

TEST_CASE("the grouping into blocks changes nothing") {
  const auto plan = std::make_shared<const decode_plan>(plan_of(input_format::ndjson, {"a"}));
  const std::vector<std::string> lines = {"{\"ts\":1,\"a\":\"x\"}\n",
                                          "{\"ts\":2,\"a\":\n",
                                          "\"\n",
                                          "\n",
                                          "{\"ts\":3}\n",
                                          "{\"ts\":4,\"a\":\"\xFF\"}\n",
                                          "[\n",
                                          "{\"ts\":5,\"a\":\"y\"}\n"};
  std::string all;
  for (const auto& line : lines)
    all += line;
  const auto together = decode(*plan, all);
  CHECK(together.events.size() == 3);
  CHECK(together.rejects.size() == 4);
  const auto decoder = make_decoder(plan);
  std::size_t events = 0;
  std::size_t rejects = 0;
  stream_offset at = 0;
  event_batch out;
  for (const auto& line : lines) {
    decoder->decode(block_of(line, at), out);
    at += static_cast<stream_offset>(line.size());
    for (std::size_t i = 0; i < out.events.size(); ++i, ++events) {
      CHECK(out.events[i].time == together.events.at(events).time);
      CHECK(out.events[i].offset == together.events.at(events).offset);
      CHECK(out.observations[0][i].leaf == together.observations[0].at(events).leaf);
    }
    for (const auto& r : out.rejects) {
      CHECK(r.offset == together.rejects.at(rejects).offset);
      CHECK(r.detail == together.rejects.at(rejects++).detail);
    }
  }
  CHECK(events == 3);
  CHECK(rejects == 4);
}
