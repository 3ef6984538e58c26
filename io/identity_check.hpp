#pragma once

#include "io/result.hpp"
#include "io/state_store.hpp"

#include <string>

namespace tocsin::io {

/// Compares the identity that `store` (its name for the message) holds with the one it is opened with. What differs
/// becomes a fatal error that shows both and what to do.
result<void> check_identity(const std::string& store, const state_identity& found, const state_identity& expected);

} // namespace tocsin::io
