#include "detectors/values/journal.hpp"

namespace tocsin {

const char* name_of(journal_kind kind) {
  return kind == journal_kind::idle ? "idle" : "end";
}

} // namespace tocsin
