#pragma once

#include "io/expression/expression.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace tocsin::io {

enum class input_format : std::uint8_t { ndjson, csv, combined_log };
enum class time_unit : std::uint8_t { s, ms, us, rfc3339 };

/// What one monitor takes from a record.
struct monitor_plan {
  std::vector<std::string> dimensions; ///< field paths, as monitor_spec::dimensions
  std::uint32_t scope_size = 0;
  std::optional<expression> where;      ///< the monitor's own filter; absent: every record
  std::optional<expression> error_when; ///< absent: the input's `failed` count decides
};

/// How records of one input become events: compiled from the configuration, immutable, shared by all decoders.
struct decode_plan {
  input_format format = input_format::ndjson;
  std::string time_field;
  time_unit time = time_unit::ms;
  std::string time_zone; ///< IANA name for naive times; empty: naive times are UTC
  std::optional<expression> where;
  std::optional<std::string> total_field;  ///< absent: each record counts 1
  std::optional<std::string> failed_field; ///< absent: error_when makes the whole weight fail
  /// Field with a failure rate, for monitors without error_when; with total_field the rate of that many events.
  std::optional<std::string> rate_field;
  double rate_one = 1; ///< value of the field where everything failed
  std::optional<std::string> viewer_field;
  std::optional<std::string> error_type_field; ///< names the error type of what failed
  std::vector<monitor_plan> monitors;
  std::size_t max_record_bytes = 1 << 20;
};

} // namespace tocsin::io
