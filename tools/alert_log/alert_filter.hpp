#pragma once

#include "tools/alert_log/alert_record.hpp"

#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace tocsin::tools {

/// Which records are asked for; what is empty does not matter. Value.
struct alert_filter {
  std::string monitor;
  std::string detector;
  std::vector<std::string> kinds;
  std::vector<std::string> severities;
  std::vector<std::pair<std::string, std::string>> key; ///< all of these are in the record's key
  std::optional<time_ms> since;                         ///< decided at or after
  std::string id_prefix;

  bool matches(const alert_record& record) const;
};

} // namespace tocsin::tools
