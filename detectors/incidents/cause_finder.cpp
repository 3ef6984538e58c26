#include "detectors/incidents/cause_finder.hpp"

namespace tocsin {

cause_finder::~cause_finder() = default;
type_finder::~type_finder() = default;

} // namespace tocsin
