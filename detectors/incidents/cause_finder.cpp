#include "detectors/incidents/cause_finder.hpp"

namespace tocsin {

cause_finder::~cause_finder() = default;

} // namespace tocsin
