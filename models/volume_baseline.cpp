#include "models/volume_baseline.hpp"

#include "models/level.hpp"

#include <algorithm>
#include <cmath>

namespace tocsin {

namespace {

constexpr std::int64_t hour_in_ms = 3'600'000;
constexpr double prior_events = 0.5;
constexpr double prior_hours = 0.01;
constexpr double cell_strength = 1; ///< events: a cell that was never learned is not used
constexpr double known_from = 0.5;  ///< hours learned
constexpr double prior_volume_misfit = 0.2 * 0.2;
constexpr double prior_misfit_hours = 12;
constexpr double lowest_misfit = 0.02 * 0.02;
constexpr double learnable_variance = 0.25; ///< dispersion is learned only where the expectation is known this well
constexpr double most_events = 1e18;

} // namespace

double volume_baseline::level() const {
  return (static_cast<double>(events_) + prior_events) / (static_cast<double>(exposure_) + prior_hours);
}

double volume_baseline::factor(std::uint32_t cell) const {
  return season_.factor(cell, 1, cell_strength);
}

bool volume_baseline::is_known(std::uint32_t cell) const {
  return shaped_ && static_cast<double>(season_.expected[cell]) >= known_from * level();
}

double volume_baseline::sigma_squared() const {
  return std::max(lowest_misfit, (static_cast<double>(misfit_) + prior_misfit_hours * prior_volume_misfit) /
                                     (static_cast<double>(misfit_weight_) + prior_misfit_hours));
}

volume_forecast volume_baseline::expected(const season_position& at, double tick_hours) const {
  volume_forecast out;
  out.dispersion = dispersion_.value();
  if (!shaped_) {
    out.an_hour = level();
    return out;
  }
  // A cell that is not known yet borrows from the same hour of the other kind of day.
  const auto best_of = [&](std::uint32_t cell) { return is_known(cell) ? cell : other_day(cell); };
  const auto first = best_of(at.first);
  const auto second = best_of(at.second);
  out.known = first == at.first && second == at.second;
  out.season = at.between(factor(first), factor(second));
  out.an_hour = level() * out.season;
  const auto over_dispersion = 1 + out.dispersion * out.an_hour * tick_hours;
  const auto events =
      at.between(static_cast<double>(season_.failures[first]), static_cast<double>(season_.failures[second]));
  const auto visits =
      at.between(static_cast<double>(season_.expected[first]), static_cast<double>(season_.expected[second])) / level();
  out.variance = 1 / (static_cast<double>(events_) + prior_events) + over_dispersion / (events + cell_strength) +
                 sigma_squared() * (1 + 1 / std::max(visits, known_from));
  return out;
}

double volume_baseline::peak(const season_position& at) const {
  const auto hour_after = [](std::uint32_t cell) { return cell / 24 * 24 + (cell % 24 + 1) % 24; };
  auto highest = 0.0;
  // Both kinds of day, since the hour after a cell may be of the other kind.
  for (const std::uint32_t cell : {std::uint32_t{at.first}, std::uint32_t{at.second}})
    for (const auto near : {cell, hour_after(cell), hour_after(hour_after(cell))})
      highest = std::max({highest, factor(near), factor(other_day(near))});
  return level() * highest;
}

void volume_baseline::observe_tick(std::int64_t count, const volume_forecast& known, double tick_hours) {
  if (known.known && known.variance < learnable_variance)
    dispersion_.observe(static_cast<double>(count), known.an_hour * tick_hours, 0, known.dispersion,
                        level_kept(tick_hours));
}

void volume_baseline::learn(std::int64_t local_middle_ms, double counted, double hours, double tick_hours) {
  auto events = counted > 0 ? std::min(counted, most_events) : 0;
  const auto cell = season_cell(local_middle_ms);
  auto season = 1.0;
  if (shaped_) {
    const auto own = is_known(cell) ? cell : other_day(cell);
    season = is_known(own) ? factor(own) : 1;
    const auto before = season_cell(local_middle_ms - hour_in_ms);
    const auto after = season_cell(local_middle_ms + hour_in_ms);
    const bool interpolated = tick_hours < 1;
    if (is_known(cell) && (!interpolated || (is_known(before) && is_known(after)))) {
      const auto mean = interpolated ? 0.75 * season + 0.125 * (factor(before) + factor(after)) : season;
      const auto expected = level() * mean * hours;
      const auto ticks = std::max(1.0, hours / tick_hours);
      const auto deviation = std::sqrt(expected + dispersion_.value() * expected * expected / ticks +
                                       sigma_squared() * expected * expected);
      observe_hour(events, expected, tick_hours, hours);
      events = std::clamp(events, std::max(0.0, expected - 3 * deviation - 0.5), expected + 3 * deviation + 0.5);
    }
  }
  const auto kept = level_kept(hours);
  events_ = static_cast<float>(static_cast<double>(events_) * kept + events);
  exposure_ = static_cast<float>(static_cast<double>(exposure_) * kept + season * hours);
  season_.learn(cell, events, shaped_ ? level() * hours : hours);
  if (shaped_)
    return;
  learned_ = static_cast<float>(std::min(learning_hours, static_cast<double>(learned_) + hours));
  shaped_ = static_cast<double>(learned_) >= learning_hours;
  if (shaped_)
    for (auto& one : season_.expected)
      one = static_cast<float>(static_cast<double>(one) * level());
}

void volume_baseline::observe_hour(double events, double expected, double tick_hours, double hours) {
  if (!(expected > 0))
    return;
  const auto ticks = std::max(1.0, hours / tick_hours);
  const auto by_chance = 1 / expected + dispersion_.value() / ticks;
  const auto limit = 4 * std::sqrt(by_chance + sigma_squared());
  const auto away = std::clamp(events / expected - 1, -limit, limit);
  const auto kept = level_kept(hours);
  misfit_ = static_cast<float>(static_cast<double>(misfit_) * kept + away * away - by_chance);
  misfit_weight_ = static_cast<float>(static_cast<double>(misfit_weight_) * kept + 1);
}

void volume_baseline::accept(double share) {
  const auto times = static_cast<float>(std::clamp(share, 1e-3, 1e3));
  events_ *= times;
  for (std::size_t c = 0; c < season_cells; ++c) {
    season_.failures[c] *= times;
    season_.expected[c] *= times;
  }
}

bool volume_baseline::is_plausible() const {
  const auto is_sum = [](float x) { return x >= 0 && x < 1e31F; };
  return is_sum(events_) && is_sum(exposure_) && learned_ >= 0 && learned_ <= static_cast<float>(learning_hours) &&
         shaped_ == (learned_ >= static_cast<float>(learning_hours)) && std::isfinite(dispersion_.excess) &&
         is_sum(dispersion_.squares) && std::isfinite(misfit_) && is_sum(misfit_weight_) &&
         std::all_of(season_.failures.begin(), season_.failures.end(), is_sum) &&
         std::all_of(season_.expected.begin(), season_.expected.end(), is_sum);
}

} // namespace tocsin
