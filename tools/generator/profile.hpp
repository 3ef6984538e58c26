#pragma once

#include "detectors/values/time.hpp"
#include "io/result.hpp"

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace tocsin::generator {

/// The dimensions of a generated event, in the order of its fields.
enum dimension : std::size_t { property, cdn, country, player, title };
inline constexpr std::size_t dimensions = 5;
inline constexpr std::array<const char*, dimensions> dimension_names = {"property", "cdn", "country", "player",
                                                                        "title"};

/// The values of a dimension: listed names, or a prefix and a number from 1 (`t1` ... `t500`).
struct dimension_profile {
  std::vector<std::string> names; ///< empty: prefix and count
  std::string prefix;
  std::uint32_t count = 1;
  double skew = 1;        ///< value number i has weight 1 / i^skew
  double rate_spread = 0; ///< standard deviation of the logarithm of a value's own factor of the failure rate

  std::uint32_t size() const { return names.empty() ? count : static_cast<std::uint32_t>(names.size()); }
  std::string name(std::uint32_t index) const;
  std::optional<std::uint32_t> find(std::string_view value) const;
};

struct error_code_profile {
  std::string code;
  double weight = 1;
};

/// A planted incident: from `start` (after the stream's start) for `length`, views with all of these dimension values
/// fail at `rate`, or `times` as often as otherwise.
struct planted_incident {
  time_ms start = 0;
  time_ms length = 0;
  std::vector<std::pair<dimension, std::string>> where; ///< empty: every view
  std::optional<double> rate;
  std::optional<double> times;
  std::string error_code; ///< of the failures it causes; empty: as always
};

/// Everything that shapes a generated stream, besides the seed. `validate` tells what cannot be generated.
struct stream_profile {
  std::string name;
  time_ms start = 1704067200000; ///< 2024-01-01, a Monday
  time_ms length = 1 * day_ms;
  double rate = 10; ///< views a second, mean over a week

  double volume_daily = 0.6;    ///< amplitude of the daily sine, relative
  double volume_weekend = -0.1; ///< relative change on Saturday and Sunday
  double volume_noise = 0.1;    ///< standard deviation of the slow log noise

  double failure_rate = 0.01;
  double failure_daily = 0.4;   ///< amplitude of the daily waves, of the logarithm
  double failure_weekend = 0.1; ///< change on Saturday and Sunday, of the logarithm
  double failure_noise = 0.08;  ///< standard deviation of the slow log noise, per property
  time_ms noise_memory = 1 * hour_ms;
  double dispersion = 0.05; ///< variance of the gamma noise per property and 10 s

  double warning_rate = 0.01; ///< working views with an error code of severity `warning`
  double retry = 0.3;         ///< a failed view is tried again by its viewer with this probability ...
  double retry_failure = 0.5; ///< ... and fails again with this one
  std::uint32_t viewers = 100'000;
  bool view_ids = true; ///< each view has an id; without, a recording compresses better

  std::array<dimension_profile, dimensions> values;
  std::vector<error_code_profile> error_codes;
  std::vector<planted_incident> incidents;

  time_ms disorder = 0; ///< each view arrives up to this long after its time
  double late_fraction = 0;
  time_ms late_by = 0; ///< so many arrive late: by half of this, up to this
};

inline constexpr std::array<const char*, 5> scenario_names = {"video", "quiet", "sparse", "flood", "fleet"};

/// A built-in profile; `length` and `rate` replace its own (its incidents are placed within the length).
/// Precondition: one of scenario_names.
stream_profile scenario(std::string_view name, std::optional<time_ms> length = {}, std::optional<double> rate = {});

/// Changes `profile` as the JSON text says; errors give the JSON pointer. Names as in stream_profile, durations as
/// text.
io::result<void> apply_json(std::string_view text, const std::string& file_name, stream_profile& profile);

/// `start=2h,for=30m,where=cdn:fastly;country:DE,rate=0.3` (or times=4; optional error=HLS_404).
io::result<planted_incident> parse_incident(std::string_view text);

/// The first thing that cannot be generated.
io::result<void> validate(const stream_profile& profile);

} // namespace tocsin::generator
