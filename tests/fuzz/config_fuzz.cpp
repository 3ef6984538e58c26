#include "io/config/config.hpp"

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

// Any text is either a configuration or has issues, never both nor neither, and every issue can be told.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto outcome = tocsin::io::parse_config(text, "fuzz.json");
  if (outcome.value.has_value() != outcome.issues.empty())
    std::abort();
  for (const auto& issue : outcome.issues)
    if (tocsin::io::to_string("fuzz.json", issue).empty())
      std::abort();
  return 0;
}
