#include "io/decode/excerpt.hpp"

#include <doctest/doctest.h>
#include <simdjson.h>

#include <random>
#include <string>

using namespace tocsin::io;

TEST_CASE("an excerpt is printable UTF-8") {
  CHECK(excerpt_of("plain text, größe 日本 😀") == "plain text, größe 日本 😀");
  CHECK(excerpt_of("a\tb") == "a b");
  CHECK(excerpt_of(std::string_view("a\0b\x1b\x7f", 5)) == "a\uFFFDb\uFFFD\uFFFD");
  CHECK(excerpt_of("caf\xE9!") == "caf\uFFFD!");
  CHECK(excerpt_of("\xC2\x85") == "\uFFFD\uFFFD");
  CHECK(excerpt_of("\xED\xA0\x80").find("\xED\xA0") == std::string::npos);
  CHECK(excerpt_of("\xC0\xAF").find('\xC0') == std::string::npos);
}

TEST_CASE("an excerpt is cut between characters") {
  CHECK(excerpt_of(std::string(300, 'x')).size() == 200);
  const auto cut = excerpt_of(std::string(199, 'x') + "日");
  CHECK(cut == std::string(199, 'x'));
}

TEST_CASE("random bytes give valid excerpts") {
  std::mt19937 random(3);
  for (int i = 0; i < 5'000; ++i) {
    std::string bytes;
    for (auto n = random() % 300; n > 0; --n)
      bytes.push_back(static_cast<char>(random() % 4 == 0 ? random() % 128 : 128 + random() % 128));
    const auto excerpt = excerpt_of(bytes);
    CHECK(excerpt.size() <= 200);
    CHECK(simdjson::validate_utf8(excerpt));
  }
}
