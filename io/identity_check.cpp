#include "io/identity_check.hpp"

#include <algorithm>
#include <vector>

namespace tocsin::io {
namespace {

/// `[a, b, c]`, at most five names.
std::string shown(const std::vector<std::string>& names) {
  constexpr std::size_t limit = 5;
  std::string text = "[";
  for (std::size_t i = 0; i < std::min(limit, names.size()); ++i)
    text += (i == 0 ? "" : ", ") + names[i];
  if (names.size() > limit)
    text += ", and " + std::to_string(names.size() - limit) + " more";
  return text + "]";
}

error refusal(const std::string& store, const std::string& what, const std::string& found,
              const std::string& expected) {
  return {error_code::state,
          store + ": " + what + " changed since this state was written: found " + found + ", expected " + expected +
              "; use another state file, or delete this one to start cold",
          false, true};
}

} // namespace

result<void> check_identity(const std::string& store, const state_identity& found, const state_identity& expected) {
  if (found.partitions != expected.partitions)
    return refusal(store, "the list of inputs", shown(found.partitions), shown(expected.partitions));
  if (found.monitors != expected.monitors)
    return refusal(store, "the list of monitors", shown(found.monitors), shown(expected.monitors));
  if (found.fingerprint != expected.fingerprint)
    return refusal(store, "the configuration", "fingerprint " + found.fingerprint,
                   "fingerprint " + expected.fingerprint);
  return {};
}

} // namespace tocsin::io
