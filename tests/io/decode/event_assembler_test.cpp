#include "tests/io/decode/decode_support.hpp"

#include <xxhash.h>

#include <array>
#include <string>
#include <vector>

using namespace tocsin;
using namespace tocsin::io;
using namespace tocsin::io::test;

TEST_CASE("a batch says which block it is") {
  const auto plan = std::make_shared<const decode_plan>(plan_of(input_format::ndjson));
  const auto decoder = make_decoder(plan);
  event_batch out;
  const std::string text = "{\"ts\":1}\n{\"ts\":2}\n";
  decoder->decode(block_of(text, 1000), out);
  CHECK(out.partition == 3);
  CHECK(out.sequence == 4);
  CHECK(out.incarnation == 5);
  CHECK(out.begin == 1000);
  CHECK(out.next_offset == 1018);
  CHECK(out.raw_bytes == 18);
  REQUIRE(out.events.size() == 2);
  CHECK(out.events[0].time == 1);
  CHECK(out.events[0].offset == 1000);
  CHECK(out.events[1].offset == 1009);
  // The next block replaces everything.
  decoder->decode(block_of("{\"ts\":3}"), out);
  REQUIRE(out.events.size() == 1);
  CHECK(out.observations[0].size() == 1);
  CHECK(out.events[0].time == 3);
}

TEST_CASE("a record over the limit is one reject") {
  auto plan = plan_of(input_format::ndjson);
  plan.max_record_bytes = 300;
  auto block = block_of(std::string(200, 'x'), 50);
  block.oversized = true;
  block.next_offset = 1050;
  event_batch out;
  make_decoder(std::make_shared<const decode_plan>(plan))->decode(block, out);
  CHECK(out.events.empty());
  CHECK(out.raw_bytes == 1000);
  CHECK(reasons(out) == std::vector<std::string>{"too_long: found a record of 1000 bytes, expected at most 300"});
  CHECK(out.rejects[0].offset == 50);
  CHECK(out.rejects[0].excerpt == std::string(200, 'x'));

  const auto inside = decode(plan, "{\"ts\":1,\"x\":\"" + std::string(300, 'y') + "\"}\n{\"ts\":2}\n");
  CHECK(inside.events.size() == 1);
  REQUIRE(inside.rejects.size() == 1);
  CHECK(inside.rejects[0].reason == reject_reason::too_long);
}

TEST_CASE("dimensions become the leaf key in the monitor's order") {
  auto plan = plan_of(input_format::ndjson, {"property", "cdn", "asn", "live", "gone"});
  plan.monitors[0].scope_size = 1;
  const auto out = decode(plan, R"({"ts":1,"cdn":null,"asn":12.50,"live":true,"property":"acme"})"
                                "\n");
  REQUIRE(out.events.size() == 1);
  CHECK(shown_key(out) == "acme|(none)|12.50|true|(none)");
  const auto& seen = out.observations[0][0];
  std::string scope;
  append_text(scope, "acme");
  CHECK(std::string_view(out.key_bytes).substr(seen.key_begin, seen.scope_size) == scope);
  CHECK(seen.leaf == hash_key(std::string_view(out.key_bytes).substr(seen.key_begin, seen.key_size)));
}

TEST_CASE("the scope may be nothing or everything") {
  auto plan = plan_of(input_format::ndjson, {"a", "b"});
  const std::string line = R"({"ts":1,"a":"x","b":"y"})";
  CHECK(decode(plan, line).observations[0][0].scope_size == 0);
  plan.monitors[0].scope_size = 2;
  const auto whole = decode(plan, line).observations[0][0];
  CHECK(whole.scope_size == whole.key_size);
  CHECK(whole.key_size == 8);
  CHECK(decode(plan_of(input_format::ndjson), line).observations[0][0].key_size == 0);
}

TEST_CASE("long dimension values are hashed and counted") {
  const auto plan = plan_of(input_format::ndjson, {"a"});
  const auto out = decode(plan, "{\"ts\":1,\"a\":\"" + std::string(257, 'x') + "\"}\n{\"ts\":2,\"a\":\"" +
                                    std::string(256, 'x') + "\"}\n");
  CHECK(out.hashed_values == 1);
  CHECK(shown_key(out, 0).substr(0, 1) == "#");
  CHECK(shown_key(out, 1) == std::string(256, 'x'));
}

TEST_CASE("an object or array is no dimension") {
  const auto plan = plan_of(input_format::ndjson, {"long", "a"});
  const auto out = decode(plan, "{\"ts\":1,\"long\":\"" + std::string(300, 'x') + R"(","a":{"b":1}}
{"ts":2,"a":[1]}
{"ts":3,"a":"fine"}
)");
  CHECK(reasons(out) == std::vector<std::string>{
                            "bad_type: field 'a': found an object or array, expected a text, a number or a boolean",
                            "bad_type: field 'a': found an object or array, expected a text, a number or a boolean"});
  // Nothing of a refused record stays behind.
  REQUIRE(out.events.size() == 1);
  CHECK(out.observations[0].size() == 1);
  CHECK(out.hashed_values == 0);
  CHECK(shown_key(out) == "(none)|fine");
  CHECK(out.observations[0][0].key_begin == 0);
}

TEST_CASE("keys that do not fit 16 bits are refused") {
  std::vector<std::string> dimensions;
  std::string line = "{\"ts\":1";
  for (int i = 0; i < 260; ++i) {
    dimensions.push_back("d" + std::to_string(i));
    line += ",\"d" + std::to_string(i) + "\":\"" + std::string(256, 'x') + '"';
  }
  const auto out = decode(plan_of(input_format::ndjson, dimensions), line + "}\n");
  CHECK(reasons(out) ==
        std::vector<std::string>{"too_long: found dimension values of 67340 bytes together, expected at "
                                 "most 65535"});
}

TEST_CASE("monitors with the same key share it, others do not") {
  auto plan = plan_of(input_format::ndjson, {"a", "b"});
  plan.monitors.push_back(plan.monitors[0]);
  plan.monitors.push_back(plan.monitors[0]);
  plan.monitors[2].scope_size = 1;
  plan.monitors.push_back(plan.monitors[0]);
  plan.monitors[3].dimensions = {"b"};
  const auto out = decode(plan, R"({"ts":1,"a":"x","b":"y"})");
  CHECK(out.observations[0][0].key_begin == out.observations[1][0].key_begin);
  CHECK(out.observations[2][0].key_begin != out.observations[0][0].key_begin);
  CHECK(out.observations[2][0].leaf == out.observations[0][0].leaf);
  CHECK(out.observations[2][0].scope_size == 4);
  CHECK(shown_key(out, 0, 1) == "x|y");
  CHECK(shown_key(out, 0, 3) == "y");
}

TEST_CASE("the input's filter leaves records out before anything else is read") {
  auto plan = plan_of(input_format::ndjson);
  plan.where = condition("kind = 'view'");
  const auto out = decode(plan, R"({"ts":"no time","kind":"ad"}
{"ts":1,"kind":"view"}
{"ts":2}
{"kind":"view"}
)");
  CHECK(out.filtered == 2);
  CHECK(out.events.size() == 1);
  CHECK(reasons(out) == std::vector<std::string>{"missing_time: field 'ts': found nothing, expected milliseconds since "
                                                 "1970 (years 1970 to 2261)"});
}

TEST_CASE("a monitor's filter makes it see nothing of the record") {
  auto plan = plan_of(input_format::ndjson, {"a"});
  plan.monitors.push_back(plan.monitors[0]);
  plan.monitors[1].where = condition("a = 'x'");
  const auto out = decode(plan, R"({"ts":1,"a":"x","bad":true}
{"ts":2,"a":"y","bad":true}
)");
  REQUIRE(out.events.size() == 2);
  CHECK(out.observations[0][1].total == 1);
  CHECK(out.observations[1][0].total == 1);
  CHECK(out.observations[1][0].failed == 1);
  CHECK(out.observations[1][1].total == 0);
  CHECK(out.observations[1][1].failed == 0);
}

TEST_CASE("counts are whole numbers, however written, and failures are part of the total") {
  auto plan = plan_of(input_format::ndjson, {}, nullptr);
  plan.total_field = "n";
  plan.failed_field = "bad";
  struct row {
    const char* n;
    const char* bad;
    const char* expected; ///< "total/failed" or the reject
  };
  for (const auto& [n, bad, expected] : std::vector<row>{
           {"12", "3", "12/3"},
           {"1e3", "0", "1000/0"},
           {"\"12\"", "\"3.0\"", "12/3"},
           {"12.0", "12", "12/12"},
           {"0", "0", "0/0"},
           {"0", "null", "0/0"},
           {"1000000000000", "1", "1000000000000/1"},
           {"1000000000001", "1",
            "bad_count: field 'n': found 1000000000001, expected a whole number from 0 to "
            "1000000000000"},
           {"1.5", "0", "bad_count: field 'n': found 1.5, expected a whole number from 0 to 1000000000000"},
           {"-1", "0", "bad_count: field 'n': found -1, expected a whole number from 0 to 1000000000000"},
           {"\"x\"", "0", "bad_count: field 'n': found \"x\", expected a whole number from 0 to 1000000000000"},
           {"true", "0", "bad_count: field 'n': found true, expected a whole number from 0 to 1000000000000"},
           {"[1]", "0",
            "bad_count: field 'n': found an object or array, expected a whole number from 0 to "
            "1000000000000"},
           {"1e300", "0", "bad_count: field 'n': found 1e300, expected a whole number from 0 to 1000000000000"},
           {"2", "3", "bad_count: field 'bad': found 3, expected a whole number from 0 to the total 2"},
           {"0", "1", "bad_count: field 'bad': found 1, expected a whole number from 0 to the total 0"},
           {"2", "-1", "bad_count: field 'bad': found -1, expected a whole number from 0 to the total 2"},
           {"null", "0", "missing_outcome: field 'n': found nothing, expected the number of events"},
           {"2", "null", "missing_outcome: field 'bad': found nothing, expected the number of failures"},
       }) {
    CAPTURE(n);
    CAPTURE(bad);
    const auto out = decode(plan, std::string("{\"ts\":1,\"n\":") + n + ",\"bad\":" + bad + "}");
    if (out.events.empty()) {
      CHECK(reasons(out) == std::vector<std::string>{expected});
    } else {
      const auto& seen = out.observations[0][0];
      CHECK(std::to_string(seen.total) + "/" + std::to_string(seen.failed) == expected);
    }
  }
}

TEST_CASE("a rate without denominator fills a billion units, one with a denominator a part of it") {
  struct row {
    double one;
    const char* rate;
    const char* expected; ///< "total/failed" or the reject
  };
  for (const auto& [one, rate, expected] : std::vector<row>{
           {1, "0.25", "1000000000/250000000"},
           {1, "\"2.5e-1\"", "1000000000/250000000"},
           {1, "0", "1000000000/0"},
           {1, "1", "1000000000/1000000000"},
           {100, "2.5", "1000000000/25000000"},
           {1e6, "7", "1000000000/7000"},
           {1, "1.01", "bad_count: field 'r': found 1.01, expected a rate from 0 to 1"},
           {100, "101", "bad_count: field 'r': found 101, expected a rate from 0 to 100"},
           {1, "-0.1", "bad_count: field 'r': found -0.1, expected a rate from 0 to 1"},
           {1, "\"nan\"", "bad_count: field 'r': found \"nan\", expected a rate from 0 to 1"},
           {1, "[1]", "bad_count: field 'r': found an object or array, expected a rate from 0 to 1"},
           {1, "null", "missing_outcome: field 'r': found nothing, expected a failure rate"},
       }) {
    CAPTURE(rate);
    auto plan = plan_of(input_format::ndjson, {}, nullptr);
    plan.rate_field = "r";
    plan.rate_one = one;
    const auto out = decode(plan, std::string("{\"ts\":1,\"r\":") + rate + "}");
    if (out.events.empty()) {
      CHECK(reasons(out) == std::vector<std::string>{expected});
    } else {
      const auto& seen = out.observations[0][0];
      CHECK(std::to_string(seen.total) + "/" + std::to_string(seen.failed) == expected);
    }
  }
  auto plan = plan_of(input_format::ndjson, {}, nullptr);
  plan.rate_field = "r";
  plan.total_field = "n";
  const auto out = decode(plan, R"({"ts":1,"n":300,"r":0.01})");
  REQUIRE(out.events.size() == 1);
  CHECK(out.observations[0][0].total == 300);
  CHECK(out.observations[0][0].failed == 3);
}

TEST_CASE("a condition for failure takes the whole weight and spares the count of failures") {
  auto plan = plan_of(input_format::ndjson, {}, "state = 'down'");
  plan.total_field = "n";
  plan.failed_field = "bad";
  auto out = decode(plan, R"({"ts":1,"n":5,"state":"down","bad":"nonsense"}
{"ts":1,"n":5,"state":"up"}
)");
  REQUIRE(out.events.size() == 2);
  CHECK(out.observations[0][0].failed == 5);
  CHECK(out.observations[0][1].failed == 0);
  // A monitor whose filter leaves the record out does not need the count either.
  plan.monitors[0].error_when.reset();
  plan.monitors[0].where = condition("state = 'up'");
  out = decode(plan, R"({"ts":1,"n":5,"state":"down","bad":"nonsense"})");
  REQUIRE(out.events.size() == 1);
  CHECK(out.observations[0][0].total == 0);
}

TEST_CASE("viewers become bits") {
  auto plan = plan_of(input_format::ndjson);
  plan.viewer_field = "who";
  const auto out = decode(plan, R"({"ts":1,"who":"anna"}
{"ts":1}
{"ts":1,"who":42}
{"ts":1,"who":{}}
)");
  REQUIRE(out.events.size() == 3);
  const auto& seen = out.observations[0];
  CHECK(seen[0].has_viewer);
  CHECK(seen[0].viewer_bit == XXH3_64bits("anna", 4) >> 58);
  CHECK_FALSE(seen[1].has_viewer);
  CHECK(seen[2].viewer_bit == XXH3_64bits("42", 2) >> 58);
  REQUIRE(out.rejects.size() == 1);
  CHECK(out.rejects[0].reason == reject_reason::bad_type);

  // All 64 bits are used.
  std::string text;
  for (int i = 0; i < 2'000; ++i)
    text += "{\"ts\":1,\"who\":" + std::to_string(i) + "}\n";
  std::array<int, 64> uses{};
  const auto many = decode(plan, text);
  for (const auto& o : many.observations[0])
    ++uses.at(o.viewer_bit);
  for (const auto n : uses)
    CHECK(n > 5);
}

TEST_CASE("a record that cannot be used says why") {
  const auto plan = plan_of(input_format::ndjson);
  const auto out = decode(plan, "{\"ts\":1}\n{\"ts\":\"yester\\tday\"}\n{\"x\":\"\xE9\t\"\n");
  REQUIRE(out.rejects.size() == 2);
  CHECK(out.rejects[0].partition == 3);
  CHECK(out.rejects[0].offset == 9);
  CHECK(out.rejects[0].detail ==
        "field 'ts': found \"yester day\", expected milliseconds since 1970 (years 1970 to 2261)");
  CHECK(out.rejects[0].excerpt == "{\"ts\":\"yester\\tday\"}");
  CHECK(out.rejects[1].reason == reject_reason::malformed);
  CHECK(out.rejects[1].excerpt == "{\"x\":\"\uFFFD \"");
}

TEST_CASE("what fails names its error type, once for all monitors; what does not fail costs nothing") {
  const std::string lines = R"({"ts":1,"cdn":"a","code":"HLS_404"}
{"ts":2,"cdn":"a"}
{"ts":3,"cdn":"a","code":500}
{"ts":4,"cdn":"a","bad":true}
{"ts":5,"cdn":"a","code":{}}
)";
  auto plan = plan_of(input_format::ndjson, {"cdn"}, "code IS NOT NULL OR bad = true");
  plan.monitors.push_back(plan.monitors[0]);
  plan.monitors[1].dimensions = {};
  plan.monitors[1].error_when = condition("code = 500");
  const auto plain = decode(plan, lines);
  plan.error_type_field = "code";
  const auto out = decode(plan, lines);
  REQUIRE(out.events.size() == 4);
  const auto type_of = [&](std::size_t monitor, std::size_t i) {
    const auto& seen = out.observations[monitor][i];
    key_reader reader(std::string_view(out.key_bytes).substr(seen.type_begin, seen.type_size));
    key_value value;
    return reader.next(value) ? std::string(shown(value)) : std::string();
  };
  CHECK(type_of(0, 0) == "HLS_404");
  CHECK(out.observations[0][1].type_size == 0);
  CHECK(type_of(0, 2) == "500");
  CHECK(type_of(0, 3) == "(none)");
  // The second monitor sees one failure, and shares its type's bytes.
  CHECK(out.observations[1][0].type_size == 0);
  CHECK(type_of(1, 2) == "500");
  CHECK(out.observations[1][2].type_begin == out.observations[0][2].type_begin);
  REQUIRE(out.rejects.size() == 1);
  CHECK(out.rejects[0].reason == reject_reason::bad_type);
  // Leaf keys are what they are without types.
  CHECK(plain.rejects.empty());
  for (std::size_t i = 0; i < 4; ++i)
    CHECK(shown_key(out, out.observations[0][i]) == shown_key(plain, plain.observations[0][i]));
}
