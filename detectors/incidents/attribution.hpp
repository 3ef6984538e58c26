#pragma once

#include "detectors/incidents/cause_finder.hpp"
#include "detectors/values/alert.hpp"
#include "detectors/values/codec.hpp"
#include "detectors/values/monitor_spec.hpp"
#include "detectors/values/time.hpp"

#include <array>
#include <string_view>
#include <vector>

namespace tocsin {

/// The values of a key (level byte first) behind those of the scope.
value_set values_of(const monitor_spec& monitor, std::string_view key);

/// Causes as records tell them.
std::vector<contributor> contributors_of(const monitor_spec& monitor, const std::vector<cause>& causes);
/// Whether both name the same sets, in the same order.
bool same_sets(const std::vector<contributor>& a, const std::vector<contributor>& b);

/// The types that make the excess of an incident with so many failures, and so many expected: most excess first, at
/// most five. Of what is expected, each has the share that it had in the scope before. Failures whose type is not known
/// any more are of the type `(other)`.
std::vector<error_type_count> error_types_of(const std::vector<type_sums>& types, std::int64_t failed, double expected);
/// Whether both name the same types, in the same order.
bool same_types(const std::vector<error_type_count>& a, const std::vector<error_type_count>& b);

/// When the causes of an incident are looked for: in the tick it opens, and again 1 and 5 minutes later, when more has
/// been seen.
std::array<tick_index, 2> later_looks(const monitor_spec& monitor, tick_index opened);

/// Part of an incident's state.
void save_contributors(const std::vector<contributor>& what, state_writer& out);
std::vector<contributor> load_contributors(state_reader& in);
void save_error_types(const std::vector<error_type_count>& what, state_writer& out);
std::vector<error_type_count> load_error_types(state_reader& in);

} // namespace tocsin
