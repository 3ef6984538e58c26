#include "detectors/values/operator_action.hpp"

namespace tocsin {

const char* name_of(action_kind kind) {
  return kind == action_kind::exclude ? "exclude" : "accept";
}

} // namespace tocsin
