#include "tests/io/decode/decode_support.hpp"

#include <string>
#include <vector>

using namespace tocsin;
using namespace tocsin::io;
using namespace tocsin::io::test;

namespace {

decode_plan csv_plan(std::vector<std::string> dimensions) {
  return plan_of(input_format::csv, std::move(dimensions), "delay > 15");
}

} // namespace

TEST_CASE("CSV values are found by the header's names") {
  const auto out = decode(csv_plan({"origin", "destination"}), "LAS,978307260,33,PHL\nATL,978307261,,\r\n",
                          "origin,ts,delay,destination");
  CHECK(out.rejects.empty());
  REQUIRE(out.events.size() == 2);
  CHECK(out.events[0].time == 978307260);
  CHECK(shown_key(out, 0) == "LAS|PHL");
  CHECK(shown_key(out, 1) == "ATL|(none)");
  CHECK(out.observations[0][0].failed == 1);
  CHECK(out.observations[0][1].failed == 0);
}

TEST_CASE("CSV quotes follow RFC 4180") {
  const auto plan = csv_plan({"a", "b"});
  const std::string header = "\"ts\",delay,\"a\",\"b\"";
  const auto key = [&](const std::string& rest) {
    const auto out = decode(plan, "1,0," + rest, header);
    return out.events.empty() ? reasons(out).at(0) : shown_key(out);
  };
  CHECK(key("\"x,y\",\"z\"") == "x,y|z");
  CHECK(key("\"say \"\"hi\"\"\",\"\"\"\"") == "say \"hi\"|\"");
  CHECK(key("\"\",\"\"") == "(none)|(none)");
  CHECK(key("5\" disk,b") == "5\" disk|b");
  CHECK(key(" \"x\",y") == " \"x\"|y");
  const std::string detail = "malformed: found a quoted field that does not end with a quote and a comma (column 4), "
                             "expected RFC 4180 with one record a line";
  CHECK(key("a,\"open") == detail);
  CHECK(key("a,\"x\"y") == detail);
  CHECK(key("a,\"x\"\"") == detail);
  CHECK(key("a,\"") == detail);
}

TEST_CASE("a CSV record has as many columns as the header") {
  const auto plan = csv_plan({"a"});
  const auto out = decode(plan, "1,0\n1,0,x,y\n1,0,x,\n\n1,0,x\n", "ts,delay,a");
  CHECK(reasons(out) == std::vector<std::string>{"malformed: found 2 columns, expected 3 as in the header",
                                                 "malformed: found 4 columns, expected 3 as in the header",
                                                 "malformed: found 4 columns, expected 3 as in the header"});
  CHECK(out.events.size() == 1);
}

TEST_CASE("a byte order mark and a line end do not belong to a CSV column's name") {
  CHECK(decode(csv_plan({}), "1,2\n", "\xEF\xBB\xBFts,delay\r").events.size() == 1);
  CHECK(decode(csv_plan({}), "1,2\n", "\xEF\xBB\xBF\"ts\",delay\r\n").events.size() == 1);
}

TEST_CASE("a column that is missing in the CSV header is named with those that are there") {
  const auto out = decode(csv_plan({"cdn", "a"}), "1,2\n3,4\n", "time,a");
  const std::string detail = "malformed: found no column 'ts', 'cdn', 'delay', expected one of: time, a";
  CHECK(reasons(out) == std::vector<std::string>{detail, detail});
}

TEST_CASE("CSV without a usable header refuses every record") {
  const auto plan = std::make_shared<const decode_plan>(csv_plan({}));
  const auto decoder = make_decoder(plan);
  auto block = block_of("1,2\n3,4\n");
  block.header.reset();
  event_batch out;
  decoder->decode(block, out);
  REQUIRE(out.rejects.size() == 2);
  CHECK(out.rejects[1].detail == "found no header line, expected one with the names of the columns");
  decoder->decode(block_of("1,2\n", 0, "ts,\"delay"), out);
  REQUIRE(out.rejects.size() == 1);
  CHECK(out.rejects[0].detail == "found a header whose quotes do not match, expected the names of the columns");
  // A good header heals it, and each block obeys its own.
  decoder->decode(block_of("1,2\n", 0, "ts,delay"), out);
  REQUIRE(out.events.size() == 1);
  CHECK(out.events[0].time == 1);
  decoder->decode(block_of("1,2\n", 0, "delay,ts"), out);
  REQUIRE(out.events.size() == 1);
  CHECK(out.events[0].time == 2);
}

TEST_CASE("CSV counts may be written as decimals") {
  auto plan = plan_of(input_format::csv, {}, nullptr);
  plan.time = time_unit::s;
  plan.total_field = "total";
  plan.failed_field = "failed";
  const auto out = decode(plan, "1606765920,453.0,3\n1606765980,0,\n1606765980,1,\n", "ts,total,failed");
  REQUIRE(out.events.size() == 2);
  CHECK(out.events[0].time == 1606765920000);
  CHECK(out.observations[0][0].total == 453);
  CHECK(out.observations[0][0].failed == 3);
  CHECK(out.observations[0][1].total == 0);
  REQUIRE(out.rejects.size() == 1);
  CHECK(out.rejects[0].reason == reject_reason::missing_outcome);
}
