#include "io/config/memory_estimate.hpp"
#include "tests/support/config_documents.hpp"

#include <doctest/doctest.h>

using namespace tocsin;
using namespace tocsin::io;
using namespace tocsin::io::test;
using nlohmann::json;

namespace {

std::uint64_t total(const json& document) {
  const auto outcome = parse(with(document, "/memory_limit", "64TiB"));
  REQUIRE_MESSAGE(outcome.value, all_issues(outcome));
  return total_of(memory_estimate(*outcome.value));
}

} // namespace

TEST_CASE("default capacities fit in the default memory, with a scope, levels and each detector") {
  auto document = small_document();
  CHECK(parse(document).value);
  document["monitors"][0]["scope"] = {"property"};
  document["monitors"][0]["levels"] = json::parse(R"([["cdn"], ["country"], ["title"], ["cdn", "country"]])");
  for (const auto* detectors : {R"([{"type": "threshold", "rate": 0.2}, {"type": "count_bucket"}])",
                                R"([{"type": "sr_mixture"}, {"type": "z_score"}])", R"([{"type": "burn_rate"}])"}) {
    document["monitors"][0]["detectors"] = json::parse(detectors);
    const auto outcome = parse(document);
    CHECK_MESSAGE(outcome.value, all_issues(outcome));
  }
}

TEST_CASE("the estimate grows with each thing that is kept") {
  const auto base = total(full_document());
  const std::vector<std::pair<std::string, json>> greedier{
      {"/monitors/0/capacity/max_keys", 40000},
      {"/monitors/0/capacity/max_leaf_cells", 40000},
      {"/monitors/0/capacity/max_scopes", 2000},
      {"/monitors/0/capacity/max_leaves", 40000},
      {"/monitors/0/attribute_by", {"player", "title"}},
      {"/monitors/0/detectors/0/window", "10m"},
      {"/monitors/0/detectors/1/baseline", "300d"},
      {"/monitors/0/scope", {"property", "region"}},
      {"/input/allowed_lateness", "1m"},
      {"/input/block_bytes", "64MiB"},
      {"/input/file/sequence", false}, // two partitions
  };
  for (const auto& entry : greedier)
    CHECK_MESSAGE(total(with(full_document(), entry.first, entry.second)) > base, entry.first);
  for (const std::string detector : {"0", "1", "2", "3", "4"})
    CHECK(total(without(full_document(), "/monitors/0/detectors/" + detector)) < base);
}

TEST_CASE("keys cost their state and the entries of their windows") {
  auto document = with(small_document(), "/monitors/0/capacity", {{"max_keys", 1'000'000}, {"max_leaf_cells", 64}});
  document["monitors"][0]["detectors"] = json::parse(R"([{"type": "threshold", "rate": 0.2, "window": "10s"}])");
  const auto one_entry = total(document);
  document["monitors"][0]["detectors"][0]["window"] = "110s";
  const auto per_entry = (total(document) - one_entry) / 10 / 1'000'000;
  CHECK(per_entry >= 24);
  CHECK(per_entry <= 40);
  CHECK(one_entry > 512'000'000);
}

TEST_CASE("each kind of detector costs what it keeps of a key") {
  const auto document =
      with(small_document(), "/monitors/0/capacity", {{"max_keys", 1'000'000}, {"max_leaf_cells", 64}});
  const auto with_detector = [&](const char* detector) {
    return total(with(document, "/monitors/0/detectors", json::array({json::parse(detector)})));
  };
  const auto none = with_detector(R"({"type": "count_bucket"})");
  const auto per_key = [&](const char* detector) { return static_cast<double>(with_detector(detector) - none) / 1e6; };
  CHECK(per_key(R"({"type": "burn_rate"})") == doctest::Approx(63 * 40).epsilon(0.01));
  CHECK(per_key(R"({"type": "z_score"})") == doctest::Approx(176).epsilon(0.01));
  CHECK(per_key(R"({"type": "sr_mixture"})") == doctest::Approx(192 + 576).epsilon(0.01));
  CHECK(per_key(R"({"type": "volume_drop"})") == doctest::Approx(640).epsilon(0.01));
}

TEST_CASE("the ticks that wait for settle are counted") {
  auto document = with(small_document(), "/monitors/0/tick", "1m");
  document["monitors"][0]["capacity"] = {{"max_keys", 64}, {"max_leaf_cells", 100'000}};
  const auto none = total(document);
  document["input"]["settle"] = "10m";
  const auto ten = total(document);
  document["input"]["settle"] = "20m";
  CHECK(static_cast<double>(total(document) - ten) == doctest::Approx(static_cast<double>(ten - none)).epsilon(0.01));
  CHECK((ten - none) / 100'000 / 10 >= 128);
}

TEST_CASE("too small a limit is an error that shows the division") {
  const auto outcome = parse(with(full_document(), "/memory_limit", "64MiB"));
  REQUIRE(outcome.issues.size() == 1);
  CHECK(outcome.issues[0].pointer == "/memory_limit");
  CHECK(outcome.issues[0].found == "\"64MiB\"");
  for (const std::string part :
       {"at least", "process", "input buffers", "playback: keys", "playback: scopes", "playback: leaf cells"})
    CHECK_MESSAGE(outcome.issues[0].expected.find(part) != std::string::npos, outcome.issues[0].expected);
}

TEST_CASE("absurd capacities do not overflow") {
  auto document = full_document();
  document["monitors"][0]["capacity"] = {
      {"max_keys", 1'000'000'000}, {"max_leaf_cells", 1'000'000'000}, {"max_scopes", 1'000'000'000}};
  document["monitors"][0]["tick"] = "1s";
  document["monitors"][0]["detectors"][0]["window"] = "30d";
  document["monitors"][0]["detectors"][1]["baseline"] = "366d";
  document["input"]["allowed_lateness"] = "30d";
  document["input"]["file"]["sequence"] = false;
  const auto one = document["monitors"][0];
  for (int i = 0; i < 3000; ++i) {
    document["monitors"].push_back(one);
    document["monitors"].back()["name"] = "m" + std::to_string(i);
  }
  const auto outcome = parse(with(document, "/memory_limit", "64TiB"));
  REQUIRE(outcome.issues.size() == 1);
  CHECK(outcome.issues[0].pointer == "/memory_limit");
}
