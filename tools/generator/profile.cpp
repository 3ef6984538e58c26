#include "tools/generator/profile.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <utility>

namespace tocsin::generator {

namespace {

io::error unusable(const std::string& message) {
  return {io::error_code::configuration, message, false, true};
}

io::result<void> validate(std::size_t index, const dimension_profile& values) {
  const auto* name = dimension_names[index];
  if (values.size() == 0 || values.size() > 100'000'000)
    return unusable(fmt::format("{}: found {} values, expected 1 to 100 million", name, values.size()));
  if (!(values.skew >= 0 && values.skew <= 10))
    return unusable(fmt::format("{}: found skew {}, expected 0 to 10", name, values.skew));
  if (!(values.rate_spread >= 0 && values.rate_spread <= 3))
    return unusable(fmt::format("{}: found rate_spread {}, expected 0 to 3", name, values.rate_spread));
  return {};
}

io::result<void> validate(std::size_t index, const planted_incident& incident, const stream_profile& profile) {
  const auto where = fmt::format("incident {}: ", index + 1);
  if (incident.length <= 0)
    return unusable(where + "its length must be more than 0, for example for=30m");
  if (incident.rate.has_value() == incident.times.has_value())
    return unusable(where + "expected either rate or times");
  if (incident.rate && !(*incident.rate >= 0 && *incident.rate <= 1))
    return unusable(fmt::format("{}found rate {}, expected 0 to 1", where, *incident.rate));
  if (incident.times && !(*incident.times >= 0 && *incident.times <= 1e6))
    return unusable(fmt::format("{}found times {}, expected 0 to 1000000", where, *incident.times));
  std::array<bool, dimensions> seen{};
  for (const auto& [dimension, value] : incident.where) {
    if (std::exchange(seen[dimension], true))
      return unusable(fmt::format("{}{} is given twice; no view has two", where, dimension_names[dimension]));
    if (!profile.values[dimension].find(value))
      return unusable(fmt::format("{}{} has no value \"{}\"; its first is \"{}\"", where, dimension_names[dimension],
                                  value, profile.values[dimension].name(0)));
  }
  return {};
}

/// A setting and the range in which the generator is meaningful.
struct bounded {
  const char* name;
  double value;
  double least;
  double most;
};

} // namespace

std::string dimension_profile::name(std::uint32_t index) const {
  return names.empty() ? prefix + std::to_string(index + 1) : names[index];
}

std::optional<std::uint32_t> dimension_profile::find(std::string_view value) const {
  if (!names.empty()) {
    const auto found = std::find(names.begin(), names.end(), value);
    return found == names.end() ? std::nullopt : std::optional(static_cast<std::uint32_t>(found - names.begin()));
  }
  if (value.substr(0, prefix.size()) != prefix)
    return std::nullopt;
  std::uint32_t number = 0;
  const auto* end = value.data() + value.size();
  const auto parsed = std::from_chars(value.data() + prefix.size(), end, number);
  if (parsed.ec != std::errc() || parsed.ptr != end || number == 0 || number > count || value != name(number - 1))
    return std::nullopt;
  return number - 1;
}

io::result<void> validate(const stream_profile& profile) {
  for (const auto& setting : {
           bounded{"rate", profile.rate, 1e-6, 1e8},
           bounded{"length", static_cast<double>(profile.length), 1, 100.0 * 366 * day_ms},
           bounded{"volume_daily", profile.volume_daily, 0, 1},
           bounded{"volume_weekend", profile.volume_weekend, -1, 10},
           bounded{"volume_noise", profile.volume_noise, 0, 2},
           bounded{"failure_rate", profile.failure_rate, 0, 1},
           bounded{"failure_daily", profile.failure_daily, 0, 3},
           bounded{"failure_weekend", profile.failure_weekend, -3, 3},
           bounded{"failure_noise", profile.failure_noise, 0, 2},
           bounded{"noise_memory", static_cast<double>(profile.noise_memory), 1, 366.0 * day_ms},
           bounded{"dispersion", profile.dispersion, 0, 100},
           bounded{"warning_rate", profile.warning_rate, 0, 1},
           bounded{"retry", profile.retry, 0, 1},
           // A viewer who always fails and always tries again would never end.
           bounded{"retry * retry_failure", profile.retry * profile.retry_failure, 0, 0.95},
           bounded{"retry_failure", profile.retry_failure, 0, 1},
           bounded{"viewers", static_cast<double>(profile.viewers), 1, 4e9},
           bounded{"disorder", static_cast<double>(profile.disorder), 0, static_cast<double>(day_ms)},
           bounded{"late_fraction", profile.late_fraction, 0, 1},
           bounded{"late_by", static_cast<double>(profile.late_by), 0, 366.0 * day_ms},
       })
    if (!(setting.value >= setting.least && setting.value <= setting.most))
      return unusable(
          fmt::format("{}: found {}, expected {} to {}", setting.name, setting.value, setting.least, setting.most));
  if (profile.error_codes.empty() || profile.error_codes.size() > 200)
    return unusable(fmt::format("error_codes: found {}, expected 1 to 200", profile.error_codes.size()));
  for (const auto& code : profile.error_codes)
    if (!(code.weight > 0 && code.weight <= 1e9))
      return unusable(fmt::format("error_codes: found weight {} of {}, expected more than 0", code.weight, code.code));
  for (std::size_t i = 0; i < dimensions; ++i)
    if (auto valid = validate(i, profile.values[i]); !valid)
      return valid;
  if (profile.incidents.size() > 10'000)
    return unusable(fmt::format("incidents: found {}, expected at most 10000", profile.incidents.size()));
  for (std::size_t i = 0; i < profile.incidents.size(); ++i)
    if (auto valid = validate(i, profile.incidents[i], profile); !valid)
      return valid;
  return {};
}

} // namespace tocsin::generator
