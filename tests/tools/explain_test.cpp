#include "tests/tools/tocsin.hpp"

#include <doctest/doctest.h>
#include <nlohmann/json.hpp>

#include <fstream>
#include <random>
#include <sstream>

using namespace tocsin::test;
using nlohmann::json;

namespace {

constexpr std::int64_t noon = 1462363200000; // 2016-05-04T12:00:00Z

json config_of(const scratch_directory& directory) {
  return {{"input",
           {{"format", "ndjson"},
            {"time", {{"field", "ts"}, {"unit", "ms"}}},
            {"file", {{"paths", {directory / "events.ndjson"}}}}}},
          {"monitors",
           {{{"name", "plays"},
             {"error_when", "failed"},
             {"scope", {"customer"}},
             {"levels", {json::array(), {"cdn"}, {"cdn", "country"}}},
             {"detectors", {{{"type", "sr_mixture"}}, {{"type", "threshold"}, {"rate", 0.5}, {"min_events", 20}}}}}}},
          {"alerts", {{"file", directory / "alerts.ndjson"}}},
          {"state", {{"sqlite", directory / "state.db"}}},
          {"memory_limit", "4GiB"}};
}

/// Two hours of two events a second and 1 % failures; from 13:30 on, 40 % of those of cdn `fast`.
std::string events() {
  std::mt19937 random(9);
  std::ostringstream text;
  for (int i = 0; i < 14400; ++i) {
    const bool fast = i % 2 == 0;
    const auto chance = fast && i >= 10800 ? 0.4 : 0.01;
    const bool failed = static_cast<double>(random()) / 4294967296.0 < chance;
    text << R"({"ts":)" << noon + i * 500 << R"(,"customer":"c1","cdn":")" << (fast ? "fast" : "slow")
         << R"(","country":")" << (random() % 2 == 0 ? "DE" : "FR") << R"(","failed":)" << (failed ? "true" : "false")
         << "}\n";
  }
  return text.str();
}

struct recorded {
  scratch_directory directory;
  std::string input = written(directory, "events.ndjson", events());
  std::string config = written(directory, "config.json", config_of(directory).dump());

  finished_process explain(std::vector<std::string> arguments) const {
    arguments.insert(arguments.begin(), {"explain", "--config", config});
    return run_tocsin(arguments);
  }
  finished_process past(const std::string& at, const std::string& key, std::vector<std::string> more = {}) const {
    more.insert(more.begin(), {"--at", at, "--key", key, input});
    return explain(more);
  }
  json past_json(const std::string& at, const std::string& key, std::vector<std::string> more = {}) const {
    more.emplace_back("--json");
    const auto finished = past(at, key, std::move(more));
    CAPTURE(finished.err);
    REQUIRE(finished.code == 0);
    return json::parse(finished.out);
  }
};

const json& mixture_of(const json& answer) {
  return answer.at("detectors").at(0);
}

bool contains(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

} // namespace

TEST_CASE("explain --at: at the tick of the alarm it says what the record says, and nothing is written") {
  const recorded it;
  const auto replay = run_tocsin({"replay", "--quiet", "--config", it.config, it.input});
  REQUIRE(replay.code == 0);
  json record;
  std::istringstream lines(replay.out);
  for (std::string line; record.is_null() && std::getline(lines, line);) {
    const auto one = json::parse(line);
    if (one["detector"] == "sr_mixture" && one["kind"] == "open" && one["level"] == json{"cdn"})
      record = one;
  }
  REQUIRE(!record.is_null());
  CHECK(record["key"]["cdn"] == "fast");

  // The alarm was raised in the tick that ends at detected_at, and told when its group had waited.
  json found, told;
  const auto later = it.past_json("2016-05-04T13:59:00Z", "customer=c1,cdn=fast", {"--path", "400"});
  for (const auto& step : mixture_of(later).at("path"))
    if (step["tick"] == record["detected_at"])
      found = step;
    else if (step["tick"] == record["tick"])
      told = step;
  REQUIRE_MESSAGE(!found.is_null(), record.dump());
  REQUIRE(!told.is_null());
  CHECK(told["happened"] == json{"opened"});
  CHECK(found["evidence"].get<double>() == doctest::Approx(record["evidence"].get<double>()).epsilon(1e-5));
  CHECK(found["expected_rate"].get<double>() == doctest::Approx(record["baseline_value"].get<double>()).epsilon(1e-5));
  CHECK(!std::ifstream(it.directory / "alerts.ndjson"));
  CHECK(!std::ifstream(it.directory / "state.db"));
}

TEST_CASE("explain --at: before, during and for the whole stream") {
  const recorded it;
  const auto before = it.past_json("2016-05-04T13:29:55Z", "customer=c1,cdn=fast", {"--path", "5"});
  CHECK(before["monitor"] == "plays");
  CHECK(before["key"] == json{{"customer", "c1"}, {"cdn", "fast"}});
  CHECK(before["known"] == true);
  CHECK(before["last_seen"] == "2016-05-04T13:30:00.000Z");
  const auto& quiet = mixture_of(before);
  CHECK(quiet["path"].size() == 5);
  CHECK(quiet["path"][4]["tick"] == "2016-05-04T13:30:00.000Z");
  CHECK(quiet["path"][4]["events"] == 10);
  CHECK(quiet["incident"].is_null());
  CHECK(quiet["model"]["state"] == "watching");
  CHECK(quiet["model"]["expected_rate"].get<double>() == doctest::Approx(0.01).epsilon(0.5));
  CHECK(quiet["model"]["guarded_rate"] > quiet["model"]["expected_rate"]);
  CHECK(quiet["model"]["events_an_hour"].get<double>() == doctest::Approx(3600).epsilon(0.02));
  CHECK(quiet["model"]["time_to_detect"][0]["outage"] == "100 %");
  CHECK(quiet["model"]["time_to_detect"][0]["events"] < quiet["model"]["time_to_detect"][1]["events"]);
  CHECK(contains(quiet["why"], "No incident"));
  CHECK(before["detectors"][1]["model"].is_null());
  CHECK(before["detectors"][1]["why"] == "No incident is open.");

  const auto during = it.past_json("2016-05-04T13:40:00Z", "customer=c1,cdn=fast");
  CHECK(mixture_of(during)["path"].size() == 30);
  CHECK(mixture_of(during)["model"]["state"] == "incident open");
  CHECK(mixture_of(during)["incident"]["evidence"] >= 1);
  CHECK(contains(mixture_of(during)["why"], "An incident is open"));

  const auto text = it.past("2016-05-04T13:40:00Z", "customer=c1,cdn=fast").out;
  for (const auto* part : {"key        customer=c1, cdn=fast\n", "state      incident open", "expected   ",
                           "guard      x", "budget     ", "to detect  an outage of 100 %: ",
                           "why        An incident is open: ", "path       end of tick", "detector   threshold"})
    CHECK_MESSAGE(contains(text, part), part);
  const auto root = it.past_json("2016-05-04T13:40:00Z", "customer=c1");
  CHECK(root["level"].empty());
  CHECK(mixture_of(root)["model"]["parent_rate"].is_null());
}

TEST_CASE("explain --at: a key that was not seen until then has its parent's rate") {
  const recorded it;
  const auto answer = it.past_json("2016-05-04T13:00:00Z", "customer=c1,cdn=slow,country=US");
  CHECK(answer["known"] == false);
  CHECK(answer["last_seen"].is_null());
  CHECK(answer["above"]["key"] == json{{"customer", "c1"}, {"cdn", "slow"}});
  CHECK(mixture_of(answer["above"])["model"]["expected_rate"] > 0);
  const auto text = it.past("2016-05-04T13:00:00Z", "customer=c1,cdn=slow,country=US").out;
  CHECK(contains(text, "never until then"));
  CHECK(contains(text, "which a new key inherits"));
}

TEST_CASE("explain: from the live state") {
  const recorded it;
  REQUIRE(run_tocsin({"run", "--quiet", "--until-end", "--config", it.config}).code == 0);
  const auto finished = it.explain({"--key", "customer=c1", "--key", "cdn=fast", "--json"});
  CAPTURE(finished.err);
  REQUIRE(finished.code == 0);
  const auto answer = json::parse(finished.out);
  CHECK(answer["at"].is_null());
  CHECK(answer["known"] == true);
  CHECK(answer["told_after_s"] == 5);
  const auto& mixture = mixture_of(answer);
  CHECK(mixture["model"]["state"] == "incident open");
  CHECK(mixture["model"]["closing"]["observed_rate"].get<double>() == doctest::Approx(0.4).epsilon(0.15));
  CHECK(mixture["incident"]["failures"] > 100);
  CHECK(mixture.count("path") == 0);
  CHECK(contains(it.explain({"--key", "customer=c1,cdn=fast"}).out, "closes     when the rate"));

  const auto unseen = json::parse(it.explain({"--key", "customer=c1,cdn=new", "--json"}).out);
  CHECK(unseen["known"] == false);
  CHECK(mixture_of(unseen)["model"]["state"] == "never seen");
  CHECK(mixture_of(unseen)["model"]["expected_rate"] == mixture_of(unseen["above"])["model"]["expected_rate"]);
  CHECK(contains(mixture_of(unseen)["why"], "never seen"));

  // `state` tells the time to detect, too.
  const auto keys = run_tocsin({"state", "keys", "--config", it.config, "--key", "cdn=slow"}).out;
  CHECK(contains(keys, "sr_mixture.time_to_detect"));
  CHECK(contains(keys, "100 %: "));
  const auto shown = run_tocsin({"state", "show", "--config", it.config, "--key", "cdn=slow"}).out;
  CHECK(contains(shown, "fingerprint"));
  CHECK(contains(shown, "sr_mixture.time_to_detect"));
}

TEST_CASE("explain: mistakes are one line that says what there is") {
  const recorded it;
  const auto refused = [&](const finished_process& finished, int code, const std::string& part) {
    CAPTURE(finished.err);
    CHECK(finished.code == code);
    CHECK(finished.out.empty());
    CHECK(is_one_error_line(finished.err));
    CHECK(contains(finished.err, part));
  };
  const std::string at = "2016-05-04T13:00:00Z";
  refused(it.past(at, "customer=c1,cnd=fast"), 2, "did you mean \"cdn\"?");
  refused(it.past(at, "customer=c1,country=DE"), 2,
          "no level [customer, country]; its levels, with the scope, are "
          "[customer], [customer, cdn], [customer, cdn, country]");
  refused(it.past(at, "cdn=fast"), 2, "no level [cdn]");
  refused(it.past(at, "customer"), 2, "expected a dimension and its value");
  refused(it.past(at, "customer=c1,customer=c2"), 2, "named twice");
  refused(it.past(at, "customer=c9"), 2, "there was no event in customer=c9");
  refused(it.past(at, "customer=c1", {"--monitor", "play"}), 2, "did you mean \"plays\"?");
  refused(it.past("2016-05-04T11:59:00Z", "customer=c1"), 2, "the recording begins at 2016-05-04T12:00:00.000Z");
  refused(it.past("noon", "customer=c1"), 2, "found \"noon\"");
  refused(it.explain({"--at", at, "--key", "customer=c1"}), 2, "--at needs the recording");
  refused(it.explain({"--key", "customer=c1", it.input}), 2, "with --at only");
  refused(it.explain({"--at", at, "--key", "customer=c1", it.input + ".gone"}), 4, "events.ndjson.gone");
  refused(it.past(at, "customer=c1", {"--journal", written(it.directory, "journal.ndjson", "{}\n")}), 4,
          "journal.ndjson:1: expected whole numbers");
  refused(it.explain({"--key", "customer=c1"}), 6, "state.db");
  auto two = config_of(it.directory);
  two["monitors"].push_back(two["monitors"][0]);
  two["monitors"][1]["name"] = "others";
  written(it.directory, "config.json", two.dump());
  refused(it.past(at, "customer=c1"), 2, "--monitor is needed: there are plays, others");
}
