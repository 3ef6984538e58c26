#include "io/expression/like_pattern.hpp"

#include <doctest/doctest.h>

#include <chrono>
#include <random>
#include <string>
#include <vector>

using namespace tocsin::io;

namespace {

bool matches(std::string_view text, std::string_view pattern) {
  return like_pattern(pattern).matches(text);
}

/// The definition itself, exponential in the number of %.
bool naive(std::string_view text, std::string_view pattern) {
  if (pattern.empty())
    return text.empty();
  if (pattern[0] == '%') {
    for (std::size_t i = 0; i <= text.size(); ++i)
      if (naive(text.substr(i), pattern.substr(1)))
        return true;
    return false;
  }
  return !text.empty() && (pattern[0] == '_' || pattern[0] == text[0]) && naive(text.substr(1), pattern.substr(1));
}

} // namespace

TEST_CASE("LIKE knows % and _") {
  CHECK(matches("", ""));
  CHECK(matches("", "%"));
  CHECK_FALSE(matches("", "_"));
  CHECK(matches("/health/live", "/health%"));
  CHECK_FALSE(matches("/api/health", "/health%"));
  CHECK(matches("abc", "a_c"));
  CHECK_FALSE(matches("abc", "A_c"));
  CHECK(matches("abcabc", "%abc"));
  CHECK(matches("aXbXc", "a%b%c"));
  CHECK_FALSE(matches("ab", "ab%b"));
  CHECK(matches("x%y", "x%y"));
}

TEST_CASE("the underscore of LIKE is one character, not one byte") {
  CHECK(matches("größe", "gr_ße"));
  CHECK(matches("größe", "gr__e"));
  CHECK(matches("日本", "__"));
  CHECK_FALSE(matches("日本", "___"));
  CHECK(matches("日本語", "%_語"));
  CHECK(matches("a日b", "%a_b"));
}

TEST_CASE("LIKE agrees with its definition on random patterns") {
  std::mt19937 random(7);
  const auto word = [&](const char* letters, unsigned kinds, unsigned most) {
    std::string out;
    for (auto n = random() % (most + 1); n > 0; --n)
      out.push_back(letters[random() % kinds]);
    return out;
  };
  int matched = 0;
  for (int i = 0; i < 50'000; ++i) {
    const auto text = word("ab", 2, 8);
    const auto pattern = word("ab_%", 4, 6);
    CAPTURE(text);
    CAPTURE(pattern);
    const bool expected = naive(text, pattern);
    REQUIRE(matches(text, pattern) == expected);
    matched += expected ? 1 : 0;
  }
  CHECK(matched > 5'000);
}

TEST_CASE("LIKE does not blow up on patterns made for that") {
  const std::string text(100'000, 'a');
  std::string pattern;
  for (int i = 0; i < 1'000; ++i)
    pattern += "%a_";
  const auto begin = std::chrono::steady_clock::now();
  CHECK(matches(text, pattern + "%"));
  CHECK_FALSE(matches(text, pattern + "b%"));
  CHECK_FALSE(matches(text, "%b" + pattern));
  CHECK(std::chrono::steady_clock::now() - begin < std::chrono::seconds(5));
}
