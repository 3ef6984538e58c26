#include "io/source.hpp"

namespace tocsin::io {

void raw_block::clear() {
  begin = next_offset = 0;
  size = 0;
  oversized = false;
  header.reset();
}

} // namespace tocsin::io
