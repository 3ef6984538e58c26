#include "tests/support/config_documents.hpp"

#include <doctest/doctest.h>

#include <filesystem>
#include <map>

using namespace tocsin;
using namespace tocsin::io;
using namespace tocsin::io::test;

namespace {

const std::string folder = TOCSIN_SOURCE_DIR "/configs/examples";

std::map<std::string, config> load_examples() {
  std::map<std::string, config> out;
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    if (entry.path().extension() != ".json")
      continue;
    const auto outcome = load_config(entry.path().string());
    REQUIRE_MESSAGE(outcome.value, entry.path().string(), "\n", all_issues(outcome));
    CHECK_MESSAGE(outcome.warnings.empty(), entry.path().string());
    out.emplace(entry.path().filename().string(), *outcome.value);
  }
  return out;
}

} // namespace

TEST_CASE("all examples load without a warning") {
  const auto examples = load_examples();
  for (const std::string name : {"video_views.json", "flights.json", "bank.json", "esb.json", "secutix.json",
                                 "cloudwalk.json", "petshop.json", "live_video.json", "apache.json"})
    CHECK_MESSAGE(examples.count(name) == 1, name);
}

TEST_CASE("each example says how to replay it, and with which schema it is edited") {
  for (const auto& entry : load_examples()) {
    const auto text = read_text(folder + "/" + entry.first);
    CHECK_MESSAGE(text.find("tocsin replay --config configs/examples/" + entry.first) != std::string::npos,
                  entry.first);
    CHECK_MESSAGE(text.find("\"$schema\": \"../schema.json\"") != std::string::npos, entry.first);
    CHECK_MESSAGE(!entry.second.world.monitors[0].detectors.empty(), entry.first);
  }
}

TEST_CASE("each example has a different fingerprint") {
  std::map<std::string, std::string> seen;
  for (const auto& entry : load_examples())
    CHECK_MESSAGE(seen.emplace(entry.second.world.fingerprint, entry.first).second, entry.first);
}
