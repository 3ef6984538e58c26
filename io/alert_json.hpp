#pragma once

#include "detectors/values/alert.hpp"

#include <string>

namespace tocsin::io {

/// Renders an alert record as one line of JSON without line end (schema 1, docs/alerts.md). Floating-point numbers have
/// 6 significant digits; equal alerts give equal bytes.
std::string to_json(const alert& record);

/// One sentence for a person: what, where, how much more than expected, since when.
std::string describe(const alert& record);

} // namespace tocsin::io
