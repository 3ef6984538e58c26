#include "tests/tools/tocsin.hpp"

#include <doctest/doctest.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <chrono>
#include <csignal>
#include <filesystem>
#include <sstream>
#include <thread>

using namespace tocsin::test;
using nlohmann::json;

namespace {

json record(const std::string& id, int revision, const std::string& kind, const std::string& severity,
            const std::string& tick, const json& key) {
  const bool closed = kind == "resolve";
  return {{"schema", 1},
          {"id", id},
          {"revision", revision},
          {"kind", kind},
          {"status", kind == "expire" ? "expired"
                     : closed         ? "closed"
                                      : "open"},
          {"severity", severity},
          {"monitor", "playback-failures"},
          {"detector", id == "b7ff" ? "count_bucket" : "threshold"},
          {"tick", "2016-05-04T" + tick + ".000Z"},
          {"key", key},
          {"measured_value", 0.084},
          {"baseline_value", 0.0112},
          {"excess_failures", 15.62},
          {"onset", "2016-05-04T12:00:00.000Z"}};
}

const json fastly = {{"property", "p7"}, {"cdn", "fastly"}};
const json no_cdn = {{"property", "p7"}, {"cdn", nullptr}};

/// Three incidents: one resolved, one open after an update, one expired.
std::vector<json> records() {
  return {record("b7e1", 0, "open", "major", "12:00:10", fastly),
          record("a001", 0, "open", "warning", "12:05:00", no_cdn),
          record("a001", 1, "update", "critical", "13:05:00", no_cdn),
          record("b7e1", 1, "resolve", "major", "14:20:00", fastly),
          record("b7ff", 0, "open", "warning", "14:30:00", {{"property", "p8"}}),
          record("b7ff", 1, "expire", "warning", "23:00:00", {{"property", "p8"}})};
}

std::string log_text(const std::vector<json>& lines) {
  std::string text;
  for (const auto& line : lines)
    text += line.dump() + "\n";
  return text;
}

/// "id:revision" of each line of --json output.
std::string shown(const std::string& output) {
  std::string text;
  std::istringstream lines(output);
  for (std::string line; std::getline(lines, line);) {
    const auto parsed = json::parse(line);
    text += parsed.at("id").get<std::string>() + ":" + std::to_string(parsed.at("revision").get<int>()) + " ";
  }
  return text;
}

finished_process alerts(const std::string& file, std::vector<std::string> arguments) {
  arguments.insert(arguments.begin(), {"alerts", "--file", file});
  return run_tocsin(arguments);
}

} // namespace

TEST_CASE("filters choose records") {
  const scratch_directory directory;
  const auto file = written(directory, "alerts.ndjson", log_text(records()));
  const std::vector<std::pair<std::vector<std::string>, std::string>> cases = {
      {{}, "b7e1:0 a001:0 a001:1 b7e1:1 b7ff:0 b7ff:1 "},
      {{"--kind", "open"}, "b7e1:0 a001:0 b7ff:0 "},
      {{"--kind", "resolve,expire"}, "b7e1:1 b7ff:1 "},
      {{"--severity", "major,critical"}, "b7e1:0 a001:1 b7e1:1 "},
      {{"--detector", "count_bucket"}, "b7ff:0 b7ff:1 "},
      {{"--monitor", "playback-failures", "--kind", "update"}, "a001:1 "},
      {{"--monitor", "another"}, ""},
      {{"--key", "cdn=fastly"}, "b7e1:0 b7e1:1 "},
      {{"--key", "cdn=(none)", "--key", "property=p7"}, "a001:0 a001:1 "},
      {{"--key", "cdn=fast"}, ""},
      {{"--since", "2016-05-04T14:20:00Z"}, "b7e1:1 b7ff:0 b7ff:1 "},
      {{"--since", "2016-05-04T16:20:00.001+02:00"}, "b7ff:0 b7ff:1 "},
      {{"--open"}, "a001:1 "},
      {{"--open", "--severity", "warning"}, ""},
      {{"b7e"}, "b7e1:0 b7e1:1 "},
      {{"b7e1", "--kind", "open"}, "b7e1:0 "},
  };
  for (const auto& [arguments, expected] : cases) {
    std::string line;
    for (const auto& argument : arguments)
      line += argument + " ";
    CAPTURE(line);
    auto with_json = arguments;
    with_json.emplace_back("--json");
    const auto finished = alerts(file, with_json);
    CHECK(finished.code == 0);
    CHECK(finished.err.empty());
    CHECK(shown(finished.out) == expected);
  }
}

TEST_CASE("JSON output is the log's own bytes") {
  const scratch_directory directory;
  const auto text = log_text(records());
  CHECK(alerts(written(directory, "alerts.ndjson", text), {"--json"}).out == text);
}

TEST_CASE("records in shadow are left out and counted, unless they are asked for") {
  const scratch_directory directory;
  auto lines = records();
  for (auto& line : lines)
    line["shadow"] = line["id"] == "b7e1";
  const auto file = written(directory, "alerts.ndjson", log_text(lines));
  const auto quiet = alerts(file, {"--json"});
  CHECK(shown(quiet.out) == "a001:0 a001:1 b7ff:0 b7ff:1 ");
  CHECK(is_one_error_line(quiet.err));
  CHECK(quiet.err.find("2 records of detectors in shadow left out") != std::string::npos);
  CHECK(alerts(file, {"--json", "--kind", "open"}).err.find("1 record of detectors") != std::string::npos);
  CHECK(alerts(file, {"--json", "--detector", "count_bucket"}).err.empty());
  CHECK(alerts(file, {"--kind", "open"}).out.find("(shadow)") == std::string::npos);

  const auto all = alerts(file, {"--json", "--shadow"});
  CHECK(all.out == log_text(lines));
  CHECK(all.err.empty());
  CHECK(alerts(file, {"--shadow"}).out.find("playback-failures/threshold (shadow)") != std::string::npos);
  // Who names an incident wants to see it.
  CHECK(shown(alerts(file, {"--json", "b7e1"}).out) == "b7e1:0 b7e1:1 ");
}

TEST_CASE("an id must be known and its beginning must be unique") {
  const scratch_directory directory;
  const auto file = written(directory, "alerts.ndjson", log_text(records()));
  const auto unknown = alerts(file, {"ffff"});
  CHECK(unknown.code == 2);
  CHECK(is_one_error_line(unknown.err));
  const auto several = alerts(file, {"b7"});
  CHECK(several.code == 2);
  CHECK(several.out.empty());
  CHECK(several.err.find("b7e1 and b7ff") != std::string::npos);
}

TEST_CASE("the table shows what a person needs, without colours in a pipe") {
  const scratch_directory directory;
  const auto text = alerts(written(directory, "alerts.ndjson", log_text(records())), {}).out;
  std::istringstream lines(text);
  std::string line;
  REQUIRE(std::getline(lines, line));
  CHECK(line.rfind("TIME (UTC)", 0) == 0);
  REQUIRE(std::getline(lines, line));
  CHECK(line.rfind("2016-05-04 12:00:10  open     major       8.4 %    1.12 %     15.6     10s  ", 0) == 0);
  CHECK(line.find("playback-failures/threshold") != std::string::npos);
  CHECK(line.find("cdn=fastly property=p7") != std::string::npos);
  REQUIRE(std::getline(lines, line));
  CHECK(line.find("cdn=(none)") != std::string::npos);
  REQUIRE(std::getline(lines, line));
  CHECK(line.find("1h05m") != std::string::npos);
  CHECK(text.find('\x1b') == std::string::npos);
}

TEST_CASE("on a terminal rows fit its width, and severities are coloured unless NO_COLOR is set") {
  const scratch_directory directory;
  auto lines = records();
  lines[0]["key"]["title"] = std::string(200, 'x') + "\x1b[2J";
  const auto file = written(directory, "alerts.ndjson", log_text({lines[0]}));
  // script(1) gives the program a terminal.
  const auto on_terminal = [&](const std::string& environment) {
    const auto command = "stty cols 120; " + environment + " '" TOCSIN_EXECUTABLE "' alerts --file '" + file + "'";
    return run_process({"/usr/bin/script", "-qec", command, "/dev/null"}).out;
  };
  const auto coloured = on_terminal("NO_COLOR=");
  CHECK(coloured.find("\x1b[33mmajor   \x1b[0m") != std::string::npos);
  const auto plain = on_terminal("NO_COLOR=1");
  CHECK(plain.find('\x1b') == std::string::npos);
  std::istringstream rows(plain);
  std::string row;
  REQUIRE(std::getline(rows, row));
  REQUIRE(std::getline(rows, row));
  CHECK(row.rfind("12:00:10  open     major", 0) == 0); // the date has gone for the key
  CHECK(row.find("…") != std::string::npos);
  CHECK(row.find("  -\r") != std::string::npos); // no cause
}

TEST_CASE("on a terminal of any width a line fits, and what matters most stays") {
  const scratch_directory directory;
  auto line = records()[0];
  line["key"]["title"] = std::string(200, 'x');
  line["contributors"] = {{{"set", {{"cdn", "fastly"}, {"country", std::string(100, 'y')}}}, {"share", 0.9}}};
  const auto file = written(directory, "alerts.ndjson", log_text({line}));
  const auto table = [&](int columns) {
    const auto command =
        "stty cols " + std::to_string(columns) + "; NO_COLOR=1 '" TOCSIN_EXECUTABLE "' alerts --file '" + file + "'";
    return run_process({"/usr/bin/script", "-qec", command, "/dev/null"}).out;
  };
  for (const int columns : {70, 80, 100, 120, 160, 200}) {
    CAPTURE(columns);
    const auto text = table(columns);
    std::istringstream rows(text);
    for (std::string row; std::getline(rows, row);) {
      const auto width = std::count_if(row.begin(), row.end(), [](char c) { return (c & 0xc0) != 0x80 && c != '\r'; });
      CHECK(width <= columns);
    }
    for (const auto* name : {"SEVERITY", "RATE", "EXPECTED", "SINCE", "KEY"})
      CHECK(text.find(name) != std::string::npos);
    CHECK((text.find("CAUSE") != std::string::npos) == (columns >= 100));
    CHECK((text.find("MONITOR/DETECTOR") != std::string::npos) == (columns >= 160));
  }
}

namespace {

/// An incident with a cause, error types and a child; the child was told once before it had a parent.
std::vector<json> family() {
  auto parent = record("b7e1", 0, "open", "major", "12:00:10", fastly);
  auto told = parent;
  told["revision"] = 1;
  told["kind"] = "update";
  told["children"] = {"c1", "c2"};
  told["children_count"] = 2;
  told["contributors"] = {
      {{"set", {{"cdn", "fastly"}}}, {"excess", 14.1}, {"share", 0.9}, {"rate_without", 0.0117}, {"score", 21.4}}};
  told["error_types"] = {{{"type", "HLS_404"}, {"failures", 13}, {"expected", 0.4}}};
  told["closes_when"] = "rate below 4.8 %";
  auto before = record("c1", 0, "open", "warning", "12:00:10", {{"property", "p7"}, {"country", "DE"}});
  auto child = record("c1", 1, "update", "warning", "12:00:20", {{"property", "p7"}, {"country", "DE"}});
  child["parent_id"] = "b7e1";
  return {parent, before, told, child};
}

} // namespace

TEST_CASE("children are left out and counted, unless they are asked for; parents tell their number and cause") {
  const scratch_directory directory;
  const auto file = written(directory, "alerts.ndjson", log_text(family()));
  const auto usual = alerts(file, {"--json"});
  CHECK(shown(usual.out) == "b7e1:0 c1:0 b7e1:1 ");
  CHECK(is_one_error_line(usual.err));
  CHECK(usual.err.find("1 record of incidents that another explains left out; --children") != std::string::npos);
  CHECK(shown(alerts(file, {"--json", "--open"}).out) == "b7e1:1 ");
  const auto all = alerts(file, {"--children"});
  CHECK(all.err.empty());
  CHECK(all.out.find("└ country=DE property=p7") != std::string::npos);
  CHECK(all.out.find("cdn=fastly property=p7 (+2)") != std::string::npos);
  CHECK(all.out.find("  cdn=fastly 90 %\n") != std::string::npos);
}

TEST_CASE("an incident in full: words, causes, error types, children and history") {
  const scratch_directory directory;
  const auto file = written(directory, "alerts.ndjson", log_text(family()));
  const auto text = alerts(file, {"b7"}).out;
  for (const auto* part :
       {"Incident b7e1\n", "open major, playback-failures/threshold", "cdn=fastly property=p7",
        "8.4 %, expected 1.12 %", "closes when  rate below 4.8 %", "\nCauses\n  cdn=fastly ", "14.1 too many", "90 %",
        "1.17 % without it", "\nError types\n  HLS_404", "13 failures, expected 0.4",
        "\nChildren (2)\n  c1        open      warning", "c2        (not in this log)", "\nHistory\nTIME (UTC)",
        "2016-05-04 12:00:10  update   major"}) {
    CAPTURE(part);
    CHECK(text.find(part) != std::string::npos);
  }
  const auto child = alerts(file, {"c1"}).out;
  CHECK(child.find("parent       b7e1") != std::string::npos);
  CHECK(child.find("Children") == std::string::npos);
}

TEST_CASE("silences are added, listed, obeyed and removed, and never touch the log") {
  const scratch_directory directory;
  const auto text = log_text(records());
  const auto file = written(directory, "alerts.ndjson", text);
  const auto silences = directory / "silences.json";
  const auto silence = [&](std::vector<std::string> arguments) {
    arguments.insert(arguments.begin(), {"alerts", "silence"});
    arguments.insert(arguments.end(), {"--silences", silences});
    return run_tocsin(arguments);
  };
  CHECK(silence({"list"}).out == "no silences\n");
  REQUIRE(silence({"add", "--key", "cdn=fastly", "--start", "2016-05-04T12:00:00Z", "--for", "1h", "--author", "ada",
                   "--comment", "they know"})
              .code == 0);
  REQUIRE(silence({"add", "--monitor", "playback-failures", "--key", "property=p8", "--start", "2016-05-04T14:00:00Z",
                   "--end", "2016-05-05T00:00:00Z"})
              .code == 0);
  const auto listed = silence({"list"}).out;
  CHECK(listed.find("1     2016-05-04 12:00:00 to 2016-05-04 13:00:00 UTC  cdn=fastly\n      ada: they know") == 0);
  CHECK(listed.find("playback-failures: property=p8") != std::string::npos);

  const auto held = alerts(file, {"--json", "--silences", silences});
  CHECK(shown(held.out) == "a001:0 a001:1 b7e1:1 "); // the end of b7e1 comes after its silence
  CHECK(is_one_error_line(held.err));
  CHECK(held.err.find("3 records held by silences left out; --silenced shows them") != std::string::npos);
  CHECK(alerts(file, {"--json", "--silences", silences, "--silenced"}).out == text);
  CHECK(shown(alerts(file, {"--json", "--silences", silences, "b7ff"}).out) == "b7ff:0 b7ff:1 ");

  REQUIRE(silence({"remove", "1"}).code == 0);
  CHECK(shown(alerts(file, {"--json", "--silences", silences}).out) == "b7e1:0 a001:0 a001:1 b7e1:1 ");
  // A number that has become free is given again.
  CHECK(silence({"add", "--for", "1h"}).out.rfind("1  ", 0) == 0);
  const auto unknown = silence({"remove", "7"});
  CHECK(unknown.code == 2);
  CHECK(unknown.err.find("has no silence \"7\"") != std::string::npos);
  CHECK(read_bytes(file) == text);
}

TEST_CASE("mistakes in silences are told with their place") {
  const scratch_directory directory;
  const auto file = written(directory, "alerts.ndjson", log_text(records()));
  const std::vector<std::pair<std::string, std::string>> mistakes = {
      {"{", "/: expected a JSON object"},
      {R"({"silences": [1]})", "/silences/0: found no object"},
      {R"({"silences": [{"start": "2016-05-04", "end": "2016-05-05"}]})", "/silences/0/id: is missing"},
      {R"({"silences": [{"id": "1", "start": "noon", "end": "2016-05-05"}]})", "/silences/0/start: found \"noon\""},
      {R"({"silences": [{"id": "1", "start": "2016-05-05", "end": "2016-05-05"}]})",
       "/silences/0/end: expected a time behind"},
      {R"({"silences": [{"id": "1", "start": "2016-05-04", "end": "2016-05-05", "key": {"cdn": 1}}]})",
       "/silences/0/key/cdn: found 1"},
      {R"({"silences": [{"id": "1", "start": "2016-05-04", "end": "2016-05-05", "kye": {}}]})",
       "/silences/0/kye: unknown"},
      {R"({"silences": [{"id": "1", "start": "2016-05-04", "end": "2016-05-05"},
                        {"id": "1", "start": "2016-05-04", "end": "2016-05-05"}]})",
       "/silences/1/id: found \"1\" a second time"},
  };
  for (const auto& [text, expected] : mistakes) {
    CAPTURE(text);
    const auto finished = alerts(file, {"--silences", written(directory, "silences.json", text)});
    CHECK(finished.code == 3);
    CHECK(is_one_error_line(finished.err));
    CHECK_MESSAGE(finished.err.find("silences.json: " + expected) != std::string::npos, finished.err);
    CHECK(run_tocsin({"alerts", "silence", "add", "--for", "1h", "--silences", directory / "silences.json"}).code == 3);
    CHECK(read_bytes(directory / "silences.json") == text);
  }
  CHECK(alerts(file, {"--silences", directory / "none.json"}).code == 3);
  const auto add = [&](std::vector<std::string> arguments) {
    arguments.insert(arguments.begin(), {"alerts", "silence", "add", "--silences", directory / "new.json"});
    return run_tocsin(arguments).code;
  };
  CHECK(add({}) == 2);
  CHECK(add({"--for", "soon"}) == 2);
  CHECK(add({"--for", "1h", "--end", "2016-05-05"}) == 2);
  CHECK(add({"--start", "2016-05-05", "--end", "2016-05-04"}) == 2);
  CHECK(add({"--for", "1h", "--key", "cdn"}) == 2);
  CHECK(add({"--for", "1h", "--key", "cdn=a", "--key", "cdn=b"}) == 2);
  CHECK_FALSE(std::filesystem::exists(directory / "new.json"));
}

TEST_CASE("a torn last line is left out, a broken one is told with its place") {
  const scratch_directory directory;
  const auto file = written(directory, "alerts.ndjson",
                            records()[0].dump() + "\n{\"id\":\n[]\n{\"id\":\"x\",\"kind\":\"open\"}\n" +
                                records()[1].dump() + "\n" + records()[2].dump().substr(0, 60));
  const auto finished = alerts(file, {"--json"});
  CHECK(finished.code == 0);
  CHECK(shown(finished.out) == "b7e1:0 a001:0 ");
  CHECK(finished.err.find(file + ":2: found") != std::string::npos);
  CHECK(finished.err.find(file + ":3: found") != std::string::npos);
  CHECK(finished.err.find(file + ":4: expected an alert record, but its field \"tick\"") != std::string::npos);
  CHECK(finished.err.find(":6:") == std::string::npos);
}

TEST_CASE("a missing log is exit code 4") {
  const scratch_directory directory;
  const auto finished = alerts(directory / "none.ndjson", {});
  CHECK(finished.code == 4);
  CHECK(is_one_error_line(finished.err));
  CHECK(alerts(directory / ".", {}).code == 4);
}

TEST_CASE("an empty log is an empty table") {
  const scratch_directory directory;
  const auto finished = alerts(written(directory, "alerts.ndjson", ""), {});
  CHECK(finished.code == 0);
  CHECK(finished.out.empty());
}

TEST_CASE("following waits for the file, for the rest of a line, for more and for the next file") {
  const scratch_directory directory;
  const auto file = directory / "alerts.ndjson";
  const auto lines = records();
  process follower(tocsin_command({"alerts", "--file", file, "--follow", "--json"}));

  const auto first = lines[0].dump() + "\n";
  written(directory, "alerts.ndjson", first.substr(0, 50));
  append(directory, "alerts.ndjson", first.substr(50));
  CHECK(follower.wait_for("b7e1"));
  append(directory, "alerts.ndjson", lines[1].dump() + "\n");
  CHECK(follower.wait_for("a001"));

  // Rotated: what the old file still gets before its successor appears is read, then the successor from its start.
  std::filesystem::rename(file, file + ".1");
  append(directory, "alerts.ndjson.1", lines[2].dump() + "\n");
  CHECK(follower.wait_for("critical"));
  written(directory, "alerts.ndjson", lines[3].dump() + "\n");
  CHECK(follower.wait_for("resolve"));

  // Cut and written anew, shorter than before.
  auto short_line = lines[4];
  short_line.erase("onset");
  short_line.erase("measured_value");
  written(directory, "alerts.ndjson", short_line.dump() + "\n");
  CHECK(follower.wait_for("b7ff"));

  follower.signal(SIGTERM);
  CHECK(follower.wait() == 0);
  CHECK(follower.err().empty());
  CHECK(shown(follower.out()) == "b7e1:0 a001:0 a001:1 b7e1:1 b7ff:0 ");
}

TEST_CASE("following obeys a silence from the moment that it is written") {
  const scratch_directory directory;
  const auto lines = records();
  const auto file = written(directory, "alerts.ndjson", lines[0].dump() + "\n");
  const auto silences = directory / "silences.json";
  const std::string text =
      R"({"silences": [{"id": "1", "start": "2016-05-04T12:00:00Z", "end": "2016-05-04T14:00:00Z"}]})";
  process follower(tocsin_command({"alerts", "--file", file, "--follow", "--json", "--silences",
                                   written(directory, "silences.json", R"({"silences": []})")}));
  CHECK(follower.wait_for("b7e1"));
  // Longer than the follower's pause: it has seen the new file.
  std::filesystem::last_write_time(written(directory, "silences.json", text),
                                   std::filesystem::file_time_type::clock::now() + std::chrono::seconds(5));
  std::this_thread::sleep_for(std::chrono::milliseconds(500));
  append(directory, "alerts.ndjson", lines[1].dump() + "\n" + lines[3].dump() + "\n");
  CHECK(follower.wait_for("resolve"));
  follower.signal(SIGTERM);
  CHECK(follower.wait() == 0);
  CHECK(shown(follower.out()) == "b7e1:0 b7e1:1 ");
  CHECK(follower.err().find("1 record held by silences") != std::string::npos);
}

TEST_CASE("following filters, and ends on an interrupt") {
  const scratch_directory directory;
  const auto file = written(directory, "alerts.ndjson", log_text(records()));
  process follower(tocsin_command({"alerts", "--file", file, "--follow", "--json", "--severity", "critical"}));
  CHECK(follower.wait_for("a001"));
  follower.signal(SIGINT);
  CHECK(follower.wait() == 0);
  CHECK(shown(follower.out()) == "a001:1 ");
}
