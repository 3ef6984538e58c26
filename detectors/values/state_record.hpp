#pragma once

#include <cstdint>
#include <string>

namespace tocsin {

/// One change of a world's state, opaque to every store. An empty `bytes` erases the key.
/// The key names the owner, so that a store needs no schema; the bytes are sealed by the codec.
struct state_record {
  std::string key;
  std::string bytes;
};

} // namespace tocsin
