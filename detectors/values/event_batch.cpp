#include "detectors/values/event_batch.hpp"

namespace tocsin {

const char* name_of(reject_reason reason) {
  switch (reason) {
  case reject_reason::malformed: return "malformed";
  case reject_reason::too_long: return "too_long";
  case reject_reason::missing_time: return "missing_time";
  case reject_reason::bad_time: return "bad_time";
  case reject_reason::missing_outcome: return "missing_outcome";
  case reject_reason::bad_count: return "bad_count";
  case reject_reason::bad_type: return "bad_type";
  case reject_reason::too_far_ahead: return "too_far_ahead";
  case reject_reason::too_late: return "too_late";
  }
  return "unknown";
}

void event_batch::clear() {
  events.clear();
  for (auto& column : observations)
    column.clear();
  key_bytes.clear();
  rejects.clear();
  untold.fill(0);
  filtered = 0;
  hashed_values = 0;
}

} // namespace tocsin
