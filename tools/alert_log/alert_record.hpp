#pragma once

#include "detectors/values/time.hpp"
#include "io/result.hpp"

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace tocsin::tools {

/// What the `alerts` command needs of one record of the log; docs/alerts.md describes all. Value.
struct alert_record {
  std::string line; ///< as it is in the log
  std::string id;
  std::string kind;
  std::string status;
  std::string severity;
  std::string monitor;
  std::string detector;
  bool shadow = false;
  std::vector<std::pair<std::string, std::string>> key; ///< a missing value is `(none)`
  time_ms tick = 0;
  std::optional<time_ms> onset;
  std::optional<double> rate;
  std::optional<double> baseline;
  std::optional<double> excess; ///< failures; of a volume, events: negative where they are missing
  bool is_volume = false;       ///< rate and baseline are events an hour
  std::string parent_id;        ///< empty: not explained by another incident
  std::vector<std::string> children;
  std::size_t children_count = 0;
  std::vector<std::pair<std::string, std::string>> cause; ///< the first contributor's set
  std::optional<double> cause_share;                      ///< of the excess
};

/// Reads a line of the log. The error tells what is wrong with it, not where it is.
io::result<alert_record> parse_alert(std::string line);

} // namespace tocsin::tools
