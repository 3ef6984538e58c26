#pragma once

#include "detectors/judging/time_to_detect.hpp"
#include "detectors/values/time.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace tocsin {

/// How a key stands with its detector.
enum class standing : std::uint8_t {
  unseen,     ///< it had no event yet: what a new key would inherit
  newcomer,   ///< younger than an hour: its budget comes from the reserve
  watching,   ///< nothing to tell
  calibrated, ///< evidence beyond 1, but below the threshold that the past asks for
  held_back,  ///< evidence beyond the threshold, but a gate keeps it quiet
  open,       ///< an incident is open
};
/// In words: `watching`, `held back by a gate`.
const char* name_of(standing value);

/// Evidence for one alternative of a mixture.
struct alternative_evidence {
  double odds_ratio = 0; ///< theta
  double rate = 0;       ///< the failure rate that it stands for
  double evidence = 0;
};

/// The run of ticks in which failures kept ahead of what was expected: what a record would tell.
struct excess_counts {
  tick_index onset = 0;
  std::int64_t total = 0;
  std::int64_t failed = 0;
  std::int64_t capped = 0; ///< at most one failure a distinct viewer
  double expected = 0;     ///< failures
};

/// What an open incident waits for.
struct waiting_to_close {
  tick_index opened = 0;
  double observed_rate = 0; ///< since the onset
  double closing_rate = 0;  ///< the rate must be below this ...
  double evidence = 1;      ///< ... with this evidence,
  double threshold = 0;     ///< which must reach this
  tick_index accept_at = 0; ///< else the rate is accepted as the new normal
};

/// What a detector with a model of the rate knows of a key, in numbers; docs/detection.md explains them. Rates are
/// fractions. A value.
struct explanation {
  tick_index tick = 0; ///< it holds for this tick: the key's last one
  standing state = standing::watching;
  double expected_rate = 0; ///< p0 = level x season, within limits
  /// Failure rate without the season. While the scope has not learned the shape of its week yet (`shaped`), the level
  /// is relative to the root, whose rate is the season.
  double level = 0;
  double season = 0;
  bool shaped = false;
  bool seasonal = false;             ///< the season of this hour has been learned
  std::optional<double> parent_rate; ///< what the parent expects; nothing at the root
  double uncertainty = 0;            ///< v: standard deviation of ln p0
  double misfit = 0;                 ///< sigma: the part of v that more data does not remove
  double dispersion = 0;             ///< kappa
  double guard = 1;                  ///< exp(g)
  double guarded_rate = 0;           ///< the greatest rate taken for normal
  double evidence = 0;               ///< S
  double threshold = 1;              ///< S that opens an incident
  std::vector<alternative_evidence> alternatives;
  double budget_per_day = 0; ///< false alarms that this key may raise
  double scope_budget_per_day = 0;
  double events_an_hour = 0;           ///< 0: not known yet
  std::optional<excess_counts> excess; ///< nothing while failures are as expected
  std::optional<waiting_to_close> closing;
  std::vector<time_to_detect> to_detect;
};

/// The same as facts for a list: name, value.
std::vector<std::pair<std::string, std::string>> facts_of(const explanation& what);

/// `100 %: 4 events, 25s; x2: 310 events, 31m`
std::string in_words(const std::vector<time_to_detect>& times);

} // namespace tocsin
