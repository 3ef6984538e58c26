#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace tocsin::io {

/// The beginning of a record as one line that people and JSON can read: at most `most` bytes, valid UTF-8, a blank for
/// each tab and U+FFFD for every other byte that is not printable.
std::string excerpt_of(std::string_view record, std::size_t most = 200);

} // namespace tocsin::io
