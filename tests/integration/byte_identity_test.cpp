#include "tests/integration/support.hpp"
#include "tests/support/compress.hpp"

#include <doctest/doctest.h>

#include <array>
#include <cstdlib>
#include <filesystem>

using namespace tocsin::test;

namespace {

const std::vector<std::string> late_and_disordered = {"--rate",          "100",  "--disorder", "3s",
                                                      "--late-fraction", "0.02", "--late-by",  "2m"};

std::vector<std::string> with(std::vector<std::string> arguments, const std::vector<std::string>& more) {
  arguments.insert(arguments.end(), more.begin(), more.end());
  return arguments;
}

std::string events(std::uint64_t reduced = 300'000) {
  return std::to_string(size_of_test("TOCSIN_EVENTS", reduced, 5'000'000));
}

/// Compresses piece by piece: members and frames, as log shippers write them.
std::string packed(const std::string& path, const std::string& ending, std::string (*pack)(std::string_view)) {
  std::ifstream in(path, std::ios::binary);
  std::ofstream out(path + ending, std::ios::binary | std::ios::trunc);
  std::vector<char> piece(std::size_t{4} << 20);
  while (in.read(piece.data(), static_cast<std::streamsize>(piece.size())) || in.gcount() > 0)
    out << pack({piece.data(), static_cast<std::size_t>(in.gcount())});
  REQUIRE(out.flush());
  return path + ending;
}

std::vector<std::string> all_packed(const std::vector<std::string>& paths, const std::string& ending,
                                    std::string (*pack)(std::string_view)) {
  std::vector<std::string> out;
  for (const auto& path : paths)
    out.push_back(packed(path, ending, pack));
  return out;
}

/// Replays in every way that must not matter; gives the log.
std::string same_in_every_way(const std::string& config, const std::vector<std::string>& inputs) {
  const auto expected = engine_log(config, inputs);
  check_records(expected);
  const auto check = [&](const std::vector<std::string>& from, const char* workers, const char* block) {
    CAPTURE(from.front());
    CAPTURE(workers);
    CAPTURE(block);
    CHECK(difference(replayed(config, from, {"--workers", workers, "--block-bytes", block}), expected) == "");
  };
  check(inputs, "1", "1048576");
  check(inputs, "2", "65536");
  check(inputs, "8", "4096");
  check(inputs, "8", "4194304");
  {
    const auto gz = all_packed(inputs, ".gz", gzip);
    check(gz, "1", "4096");
    check(gz, "8", "262144");
  }
  const auto zst = all_packed(inputs, ".zst", zstd);
  check(zst, "2", "4194304");
  check(zst, "8", "4096");
  return expected;
}

std::map<std::string, std::string> summary_of_replay(const std::string& config, const std::vector<std::string>& in) {
  return summary_of(succeed(with({"replay", "--config", config, "--alerts", "/dev/null"}, in)).err);
}

#ifdef __SANITIZE_ADDRESS__
constexpr bool is_sanitized = true;
#else
constexpr bool is_sanitized = false;
#endif

} // namespace

TEST_CASE("identity: late and out-of-order events give the same log whatever works it off") {
  const temp_dir directory;
  const auto config = written_config(directory, "config.json", views_config(directory));
  const auto views = generated(directory, "views.ndjson", with(late_and_disordered, {"--events", events()}));
  const auto log = same_in_every_way(config, {views});
  CHECK(std::count(log.begin(), log.end(), '\n') > 100);
  const auto summary = summary_of_replay(config, {views});
  CHECK(number_in(summary, "late events") > number_in(summary, "events") / 100);
}

TEST_CASE("identity: ten times more keys than there is room for give the same log whatever works it off") {
  const temp_dir directory;
  auto config = views_config(directory);
  config["monitors"][0]["capacity"] = {{"max_keys", 6400}, {"max_leaf_cells", 640}, {"max_scopes", 64}};
  const auto path = written_config(directory, "config.json", config);
  const auto views =
      generated(directory, "views.ndjson",
                {"--scenario", "flood", "--events", events(200'000), "--disorder", "3s", "--late-fraction", "0.02",
                 "--late-by", "1m", "--incident", "start=40s,for=30s,where=cdn:fastly,rate=0.5"});
  const auto log = same_in_every_way(path, {views});
  CHECK(!log.empty());
  const auto summary = summary_of_replay(path, {views});
  CHECK(number_in(summary, "pooled") > 0);
  const auto& keys = summary.at("keys");
  CAPTURE(keys);
  const auto created = number_in({{"created", keys.substr(keys.find('(') + 1)}}, "created");
  CHECK(created > 10 * number_in(summary, "keys"));
  CHECK(number_in(summary, "keys") <= 6400);
}

TEST_CASE("identity: the bundled recording gives the same log whatever works it off") {
  const temp_dir directory;
  const std::string examples = TOCSIN_SOURCE_DIR "/configs/examples/";
  auto config = nlohmann::json::parse(read_bytes(examples + "video_views.json"), nullptr, true, true);
  config["dead_letter"]["file"] = directory.file("rejected.ndjson");
  const auto path = written_config(directory, "config.json", config);
  const std::string recording = examples + "recordings/video_views.ndjson.zst";
  const auto expected = engine_log(path, {recording});
  CHECK(check_records(expected) > 0);
  for (const auto* workers : {"1", "2", "8"})
    for (const auto* block : {"4096", "4194304"})
      CHECK(difference(replayed(path, {recording}, {"--workers", workers, "--block-bytes", block}), expected) == "");
}

TEST_CASE("identity: partitions, also one ten minutes behind, give the same log whatever works it off") {
  const temp_dir directory;
  const auto config = written_config(directory, "config.json", views_config(directory));
  SUBCASE("four partitions") {
    generated(directory, "views", with(late_and_disordered, {"--events", events(), "--partitions", "4"}));
    std::vector<std::string> inputs;
    for (const auto* number : {"0", "1", "2", "3"})
      inputs.push_back(directory.file(std::string("views.") + number));
    CHECK(!same_in_every_way(config, inputs).empty());
  }
  SUBCASE("two partitions, one of them ten minutes behind") {
    const auto half = std::to_string(size_of_test("TOCSIN_EVENTS", 300'000, 5'000'000) / 2);
    const auto first = generated(directory, "first", with(late_and_disordered, {"--events", half}));
    const auto second =
        generated(directory, "second",
                  with(late_and_disordered, {"--events", half, "--seed", "2", "--start", "2024-01-01T00:10:00Z"}));
    CHECK(!same_in_every_way(config, {first, second}).empty());
  }
}

TEST_CASE("memory: a partition ten minutes ahead waits for the others, however long and however sparse they are") {
  if (is_sanitized) {
    skip_test("AddressSanitizer keeps freed memory, so the resident size says nothing");
    return;
  }
  const temp_dir directory;
  auto config = views_config(directory);
  // Nothing that may grow with time: no windows of a day, no records kept.
  config["monitors"][0]["detectors"] = {{{"type", "threshold"}, {"rate", 0.5}, {"min_events", 1000}}};
  config["monitors"][0]["levels"] = {{"cdn"}, {"country"}};
  const auto path = written_config(directory, "config.json", config);
  const auto most_memory = [&](std::uint64_t minutes) {
    const auto make = [&](const std::string& name, const std::string& rate, const std::string& start) {
      return generated(
          directory, name,
          {"--scenario", "quiet", "--rate", rate, "--duration", std::to_string(minutes) + "m", "--start", start});
    };
    const auto sparse = make("sparse", "100", "2024-01-01T00:10:00Z");
    const auto dense = make("dense", "400", "2024-01-01T00:00:00Z");
    return succeed({"replay", "--quiet", "--workers", "2", "--config", path, "--alerts", "/dev/null", sparse, dense})
        .max_rss_kib;
  };
  const auto minutes = size_of_test("TOCSIN_MINUTES", 180, 600);
  const auto of_short = most_memory(minutes / 3);
  const auto of_long = most_memory(minutes);
  MESSAGE("most memory: " << of_short << " KiB, three times the input " << of_long << " KiB");
  CHECK(of_long < of_short + 6 * 1024);
}

TEST_CASE("identity: real data give the same log whatever works it off") {
  const char* given = std::getenv("TOCSIN_DATA");
  const std::string data = given != nullptr ? given : TOCSIN_SOURCE_DIR "/../shared/data";
  if (!std::filesystem::exists(data))
    return skip_test("there is no real data at " + data + "; TOCSIN_DATA names another place");
  const std::vector<std::array<std::string, 2>> sets = {{"flights", "/ev_flights_2001/flights_2001Q1.csv.zst"},
                                                        {"bank", "/svc_aiops2021_bank/counts.csv.zst"},
                                                        {"esb", "/svc_aiops2020_esb/counts.csv"},
                                                        {"secutix", "/pay_secutix_ogone_2023/counts.csv"},
                                                        {"cloudwalk", "/pay_cloudwalk/counts_1.csv"},
                                                        {"apache", "/ev_weblogs_elastic/apache_logs.zst"}};
  const temp_dir directory;
  for (const auto& [name, file] : sets) {
    const auto input = data + file;
    if (!std::filesystem::exists(input)) {
      skip_test("there is no " + input);
      continue;
    }
    CAPTURE(name);
    auto config =
        nlohmann::json::parse(read_bytes(TOCSIN_SOURCE_DIR "/configs/examples/" + name + ".json"), nullptr, true, true);
    config["dead_letter"]["file"] = directory.file("rejected.ndjson");
    const auto path = written_config(directory, name + ".json", config);
    const auto expected = engine_log(path, {input});
    CHECK(check_records(expected) > 0);
    CHECK(difference(replayed(path, {input}, {"--workers", "1"}), expected) == "");
    CHECK(difference(replayed(path, {input}, {"--workers", "2", "--block-bytes", "4096"}), expected) == "");
    CHECK(difference(replayed(path, {input}, {"--workers", "8", "--block-bytes", "4194304"}), expected) == "");
  }
}
