#include "io/config/language.hpp"
#include "tests/support/config_documents.hpp"

#include <doctest/doctest.h>

#include <cstdlib>
#include <set>

using namespace tocsin;
using namespace tocsin::io;
using namespace tocsin::io::test;
using nlohmann::json;

// configs/schema.json is written by:  TOCSIN_WRITE_SCHEMA=1 test_io -tc="the schema file is that of the parser"

namespace {

const std::string schema_file = TOCSIN_SOURCE_DIR "/configs/schema.json";

json load_schema() {
  return json::parse(read_text(schema_file));
}

const json& resolved(const json& schema, const json& node) {
  if (!node.contains("$ref"))
    return node;
  return schema.at(json::json_pointer(node["$ref"].get<std::string>().substr(1)));
}

/// Every property path of the schema, read from the schema alone.
void collect(const json& schema, const json& node, const std::string& prefix, std::set<std::string>& out) {
  for (const auto& [name, reference] : resolved(schema, node)["properties"].items()) {
    const auto path = prefix + "/" + name;
    out.insert(path);
    const auto& member = resolved(schema, reference);
    if (member.contains("properties"))
      collect(schema, member, path, out);
    if (!member.contains("items"))
      continue;
    const auto& items = member["items"];
    if (resolved(schema, items).contains("properties"))
      collect(schema, items, path + "/*", out);
    if (items.contains("oneOf"))
      for (const auto& alternative : items["oneOf"]) {
        const auto& type = resolved(schema, alternative)["properties"]["type"]["enum"][0];
        collect(schema, alternative, path + "/*(" + type.get<std::string>() + ")", out);
      }
  }
}

/// An object with every property of the schema, from its defaults and examples.
json example_of(const json& schema, const json& node) {
  auto out = json::object();
  for (const auto& [name, reference] : resolved(schema, node)["properties"].items()) {
    const auto& member = resolved(schema, reference);
    if (member.contains("properties"))
      out[name] = example_of(schema, member);
    else if (reference.contains("items") && reference["items"].contains("$ref"))
      out[name] = json::array({example_of(schema, reference["items"])});
    else if (reference.contains("items") && reference["items"].contains("oneOf"))
      for (const auto& alternative : reference["items"]["oneOf"])
        out[name].push_back(example_of(schema, alternative));
    else
      out[name] = reference.contains("examples") ? reference["examples"][0] : reference["default"];
  }
  return out;
}

} // namespace

TEST_CASE("the schema file is that of the parser") {
  if (std::getenv("TOCSIN_WRITE_SCHEMA") != nullptr)
    std::ofstream(schema_file) << schema_text();
  CHECK(read_text(schema_file) == schema_text());
}

TEST_CASE("schema and parser know the same keys") {
  const auto schema = load_schema();
  std::set<std::string> in_schema;
  collect(schema, schema, "", in_schema);
  const auto paths = known_paths();
  CHECK(in_schema == std::set<std::string>(paths.begin(), paths.end()));
  CHECK(in_schema.count("/monitors/*/detectors/*(threshold)/resolve_for") == 1);
}

TEST_CASE("the parser accepts every property of the schema") {
  const auto schema = load_schema();
  // All detectors on one monitor of the default capacity need more than the default memory.
  const auto outcome = parse(with(example_of(schema, schema), "/memory_limit", "4GiB"));
  CHECK_MESSAGE(outcome.value, all_issues(outcome));
}

TEST_CASE("the full document of the tests has every key") {
  const auto document = full_document();
  for (const auto& known : known_paths()) {
    const auto path = place_in_full_document(known);
    CHECK_MESSAGE(document.contains(json::json_pointer(path)), path);
  }
}

TEST_CASE("each key of the schema is described") {
  for (const auto& section : language())
    for (const auto& key : section.keys)
      if (key.kind != value_kind::later) {
        CHECK_MESSAGE(!key.description.empty(), section.name, " ", key.key);
        CHECK_MESSAGE((key.section.empty() || find_section(key.section) != nullptr), key.section);
      }
}
