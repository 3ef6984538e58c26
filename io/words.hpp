#pragma once

#include <string>

namespace tocsin::io {

/// Numbers as people read them, in records, reports and answers alike.

/// `8.41 %`.
std::string percent(double rate);
/// Three digits, all those of thousands: `15.6`, `12345`; very small and very large ones as `2.3e-09`.
std::string quantity(double value);
/// How often what happens once in so many days happens: `once in 114 days`, `once in 5 hours`, and at last
/// `less than once in 1,000 years`, because nobody knows chance any better.
std::string how_often(double days);

} // namespace tocsin::io
