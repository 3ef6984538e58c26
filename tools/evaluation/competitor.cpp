#include "tools/evaluation/competitor.hpp"

#include "tools/evaluation/engine_feed.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace tocsin::evaluation {

namespace {

/// A window is a whole number of ticks, at least one.
time_ms in_ticks(time_ms window, time_ms tick) {
  return std::max<time_ms>(1, (window + tick / 2) / tick) * tick;
}

competitor make(std::string family, std::string setting, std::string type, detector_settings settings) {
  competitor made;
  made.family = std::move(family);
  made.setting = std::move(setting);
  made.spec.type = std::move(type);
  made.spec.settings = std::move(settings);
  return made;
}

competitor sr_mixture(double budget, const char* variant = "") {
  sr_mixture_spec settings;
  settings.false_alarms_per_day = budget;
  const std::string name = variant;
  settings.strict = name == "strict";
  settings.sliding_baseline = name == "sliding 7d" ? 7 * day_ms : 0;
  auto made = make(name.empty() ? "sr_mixture" : "sr_mixture, " + name,
                   fmt::format("false_alarms_per_day {:.3g}", budget), "sr_mixture", settings);
  made.budget = budget;
  return made;
}

competitor count_bucket(const window_choice& windows, double outlier) {
  count_bucket_spec settings;
  settings.scope_bucket = windows.bucket;
  settings.baseline = windows.bucket_baseline;
  settings.min_baseline = windows.bucket_min_baseline;
  settings.outlier = outlier;
  return make("count_bucket", fmt::format("outlier {:.2g}", outlier), "count_bucket", settings);
}

competitor threshold(const window_choice& windows, time_ms tick, double base_rate, double times) {
  threshold_spec settings;
  settings.rate = std::min(0.95, base_rate * times);
  settings.resolve_rate = settings.rate;
  settings.window = in_ticks(windows.window, tick);
  settings.min_events = windows.min_events;
  return make("threshold", fmt::format("rate {:g} x base", times), "threshold", settings);
}

competitor burn_rate(const window_choice& windows, time_ms tick, double base_rate, double scale, bool all_rules) {
  burn_rate_spec settings;
  settings.objective = 1 - base_rate;
  if (!all_rules)
    settings.rules.resize(1);
  for (auto& rule : settings.rules) {
    rule.long_window = in_ticks(rule.long_window, tick);
    rule.short_window = in_ticks(rule.short_window, tick);
    rule.factor *= scale;
  }
  settings.min_events = windows.min_events;
  return make(all_rules ? "burn_rate, 3 rules" : "burn_rate, 1h and 5m", fmt::format("factors x {:g}", scale),
              "burn_rate", settings);
}

competitor z_score(const window_choice& windows, time_ms tick, double outlier) {
  z_score_spec settings;
  settings.window = in_ticks(windows.window, tick);
  settings.history = windows.z_history;
  settings.outlier = outlier;
  settings.normal = std::min(settings.normal, outlier / 2);
  return make("z_score", fmt::format("outlier {:g}", outlier), "z_score", settings);
}

} // namespace

std::vector<competitor> untuned_competitors(const window_choice& windows, time_ms tick, double base_rate,
                                            double target) {
  auto by_default = sr_mixture(sr_mixture_spec{}.false_alarms_per_day);
  by_default.setting = "every default";
  std::vector<competitor> all{sr_mixture(target),
                              sr_mixture(target, "strict"),
                              sr_mixture(target, "sliding 7d"),
                              by_default,
                              count_bucket(windows, count_bucket_spec{}.outlier),
                              threshold(windows, tick, base_rate, 3),
                              burn_rate(windows, tick, base_rate, 1, true),
                              burn_rate(windows, tick, base_rate, 1, false),
                              z_score(windows, tick, z_score_spec{}.outlier)};
  for (auto& one : all)
    one.untuned = true;
  return all;
}

std::vector<competitor> competitor_grid(const window_choice& windows, time_ms tick, double base_rate, double target) {
  std::vector<competitor> all;
  for (const double times : {100.0, 30.0, 10.0, 5.6, 3.2, 2.4, 1.8, 1.35, 1.0, 0.75, 0.56, 0.32, 0.1, 0.01}) {
    all.push_back(sr_mixture(target * times));
    all.push_back(sr_mixture(target * times, "sliding 7d"));
  }
  for (const double digits :
       {0.5, 1.0, 1.5, 2.0, 2.5, 3.0, 3.5, 4.0, 4.5, 5.0, 5.5, 6.0, 6.5, 7.0, 8.0, 10.0, 13.0, 20.0, 40.0})
    all.push_back(count_bucket(windows, std::pow(10, -digits)));
  for (const double times :
       {1.5, 1.75, 2.0, 2.25, 2.5, 2.75, 3.0, 3.5, 4.0, 5.0, 6.0, 7.0, 8.0, 10.0, 14.0, 20.0, 30.0, 50.0})
    all.push_back(threshold(windows, tick, base_rate, times));
  for (const double scale : {0.5, 0.7, 0.8, 0.9, 1.0, 1.05, 1.1, 1.15, 1.2, 1.3, 1.5, 2.0, 3.0, 5.0})
    all.push_back(burn_rate(windows, tick, base_rate, scale, true));
  for (const double scale :
       {0.07, 0.08, 0.09, 0.1, 0.11, 0.12, 0.13, 0.14, 0.15, 0.17, 0.2, 0.25, 0.35, 0.5, 0.7, 1.0, 2.0})
    all.push_back(burn_rate(windows, tick, base_rate, scale, false));
  for (const double outlier :
       {1.0, 1.5, 2.0, 2.5, 3.0, 3.5, 4.0, 4.25, 4.5, 4.75, 5.0, 5.5, 6.0, 8.0, 11.0, 15.0, 22.0, 50.0})
    all.push_back(z_score(windows, tick, outlier));
  return all;
}

std::vector<std::string> compared_methods() {
  std::vector<std::string> types;
  for (const auto& one : untuned_competitors({}, second_ms, 0.01, 1))
    if (std::find(types.begin(), types.end(), one.spec.type) == types.end())
      types.push_back(one.spec.type);
  return types;
}

std::vector<detector_spec> specs_of(const std::vector<competitor>& competitors) {
  std::vector<detector_spec> specs;
  for (const auto& one : competitors) {
    specs.push_back(one.spec);
    specs.back().name = fmt::format("{}_{}", one.spec.type, specs.size());
  }
  return specs;
}

void drop_unavailable(std::vector<competitor>& competitors, std::vector<std::string>& skipped) {
  std::vector<std::string> missing;
  const auto is_missing = [&](const competitor& one) {
    if (std::find(missing.begin(), missing.end(), one.spec.type) != missing.end())
      return true;
    if (is_available(one.spec))
      return false;
    missing.push_back(one.spec.type);
    return true;
  };
  competitors.erase(std::remove_if(competitors.begin(), competitors.end(), is_missing), competitors.end());
  for (const auto& type : missing) {
    auto line = "detector " + type + " is not in this build";
    if (std::find(skipped.begin(), skipped.end(), line) == skipped.end())
      skipped.push_back(std::move(line));
  }
}

} // namespace tocsin::evaluation
