#pragma once

#include "detectors/counting/partition_counter.hpp"
#include "detectors/engine/shard.hpp"
#include "io/config/config.hpp"
#include "tools/report/incident_book.hpp"
#include "tools/report/second_pass.hpp"

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

namespace tocsin::tools {

/// What a replay was, and how it ended.
struct replay_facts {
  std::vector<std::string> inputs;
  time_ms judged_through = beginning_of_time;
  counting_stats counting;
  shard_stats state;
};

/// More incidents than these are not listed on a page, only counted.
inline constexpr std::size_t max_listed_incidents = 10000;

/// Everything that the page shows, as one JSON object (page/page.js reads it). `chosen`: incidents, worst first, that
/// get a panel. `counts`: absent where the input could not be read twice; `no_charts` says why, to a person.
std::string report_data(const replay_facts& facts, const io::config& config, const incident_book& book,
                        const std::vector<std::size_t>& chosen, const std::optional<recorded_counts>& counts,
                        const std::string& no_charts);

} // namespace tocsin::tools
