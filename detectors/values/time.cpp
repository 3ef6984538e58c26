#include "detectors/values/time.hpp"

#include <cstdio>

namespace tocsin {

std::string format_rfc3339(time_ms t) {
  const auto day = tick_of(t, day_ms);
  const auto ms = t - tick_start(day, day_ms);
  // Days since the epoch to a civil date in the proleptic Gregorian calendar (Hinnant, "chrono-compatible low-level
  // date algorithms"): eras of 400 years that begin on 1 March.
  const auto z = day + 719468;
  const auto era = tick_of(z, 146097);
  const auto day_of_era = z - era * 146097;
  const auto year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146096) / 365;
  const auto day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
  const auto month_from_march = (5 * day_of_year + 2) / 153;
  const auto day_of_month = day_of_year - (153 * month_from_march + 2) / 5 + 1;
  const auto month = month_from_march < 10 ? month_from_march + 3 : month_from_march - 9;
  const auto year = year_of_era + era * 400 + (month <= 2 ? 1 : 0);
  char text[96];
  std::snprintf(text, sizeof text, "%04lld-%02lld-%02lldT%02lld:%02lld:%02lld.%03lldZ", static_cast<long long>(year),
                static_cast<long long>(month), static_cast<long long>(day_of_month),
                static_cast<long long>(ms / hour_ms), static_cast<long long>(ms / minute_ms % 60),
                static_cast<long long>(ms / second_ms % 60), static_cast<long long>(ms % second_ms));
  return text;
}

std::string format_duration(time_ms duration) {
  struct unit {
    time_ms length;
    const char* name;
  };
  for (const auto& u : {unit{day_ms, "d"}, unit{hour_ms, "h"}, unit{minute_ms, "m"}, unit{second_ms, "s"}})
    if (duration != 0 && duration % u.length == 0)
      return std::to_string(duration / u.length) + u.name;
  return std::to_string(duration) + "ms";
}

} // namespace tocsin
