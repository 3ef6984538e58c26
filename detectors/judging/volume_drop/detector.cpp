#include "detectors/judging/volume_drop/detector.hpp"

#include "detectors/judging/words.hpp"
#include "models/guard.hpp"
#include "models/volume_ratio.hpp"
#include "models/zeta.hpp"

#include <algorithm>
#include <cmath>
#include <utility>

namespace tocsin::volume_drop {

namespace {

constexpr double slow_pace = 0.93; ///< (1 - theta) / ln(1 / theta) for theta = 0.87
constexpr double fast_pace = 0.7;  ///< ... and for 0.45
constexpr int first_fast = 2;      ///< from this alternative on (theta = 0.6) the fast excursion tells
constexpr double weight_unit = 16; ///< weights are whole numbers of 1/16
constexpr double most_weight = 1 << 24;
constexpr tick_index least_accept_ms = 2 * hour_ms;
constexpr std::int32_t most_silent_hours = 28 * 24; ///< to learn when a key that nobody watched comes back

} // namespace

detector::detector(const monitor_spec& monitor, const volume_drop_spec& settings, const keyed_state& keys)
    : monitor_(&monitor), settings_(settings), keys_(&keys),
      ticks_a_day_(static_cast<double>(day_ms) / static_cast<double>(monitor.tick)),
      tick_hours_(static_cast<double>(monitor.tick) / static_cast<double>(hour_ms)),
      hour_hours_(std::max(1.0, tick_hours_)), ticks_an_hour_(std::max<tick_index>(1, hour_ms / monitor.tick)),
      budget_a_tick_(affordable_alarms_a_tick(settings.false_alarms_per_day, monitor.tick)) {}

void detector::resize(std::size_t slots) {
  if (slots > keys_of_.size())
    keys_of_.resize(slots);
}

// ---- Keys come and go.

void detector::welcome(key_slot slot, tick_index when) {
  auto& key = keys_of_[slot];
  key = {};
  key.hour = hour_;
  if ((*keys_)[slot].level != 0)
    return;
  key.scope = budgets_.take();
  budgets_[key.scope] = alarm_budget(budget_a_tick_, monitor_->levels.size() > 1);
  budgets_[key.scope].begin(when);
}

full_state* detector::full_of(key_slot slot) {
  const auto place = keys_of_[slot].place;
  return place == no_place ? nullptr : &fulls_[place];
}

void detector::forget(const std::vector<bool>& slots) {
  const auto count = std::min(slots.size(), keys_of_.size());
  // Children leave the budget of their scope before a root may take it away.
  for (key_slot slot = 0; slot < count; ++slot) {
    if (!slots[slot])
      continue;
    const auto& who = (*keys_)[slot];
    const auto* full = full_of(slot);
    if (full == nullptr)
      continue;
    if (full->watched && who.level != 0 && !slots[who.root])
      budget_of(slot).leave_established(full->weight, now_ + 1);
    fulls_.give_back(keys_of_[slot].place);
  }
  for (key_slot slot = 0; slot < count; ++slot) {
    if (!slots[slot])
      continue;
    if (keys_of_[slot].scope != no_place)
      budgets_.give_back(keys_of_[slot].scope);
    keys_of_[slot] = {};
    open_.erase(slot);
  }
}

// ---- The week and the budget.

season_position detector::place_in_week(tick_index tick) const {
  return season_at(local_time(*monitor_, tick_start(tick, monitor_->tick)), monitor_->tick);
}

volume_forecast detector::forecast_of(const full_state& full, tick_index tick) const {
  return full.baseline.expected(place_in_week(tick), tick_hours_);
}

bool detector::is_judged(const volume_forecast& forecast) const {
  return forecast.known && forecast.an_hour >= settings_.min_events_per_hour;
}

double detector::alarms_a_tick(key_slot slot, const full_state& full) const {
  return budget_of(slot).established_rate(full.weight);
}

// ---- What has passed.

void detector::advance(const closed_tick& tick) {
  now_ = tick.tick;
  const auto hour_length = static_cast<double>(hour_ms) * hour_hours_;
  hour_ = static_cast<std::int32_t>(std::floor(static_cast<double>(tick_start(now_, monitor_->tick)) / hour_length));
  for (const auto slot : tick.created)
    welcome(slot, now_);
  for (const auto& level : tick.levels)
    for (const auto& counts : level)
      catch_up(counts.slot);
}

/// Budgets are read as they are at the beginning of this tick, which no change in this tick moves: the order of keys
/// does not show.
void detector::catch_up(key_slot slot) {
  if (keys_of_[slot].hour == no_hour)
    welcome(slot, now_); // a tail that eviction made
  if (auto* full = full_of(slot); full != nullptr && full->watched && full->scored_through < now_ - 1) {
    const auto open = open_.find(slot);
    const auto share = budget_of(slot).established_until(full->weight, now_);
    const auto silent = now_ - 1 - full->scored_through;
    const auto mass = std::max(0.0, share - full->share_seen) / static_cast<double>(silent);
    full->share_seen = share;
    for (auto t = full->scored_through + 1; t < now_; ++t) {
      if (open != open_.end())
        follow_open(*full, open.value(), t, 0);
      else
        score(slot, *full, t, 0, mass);
    }
    full->scored_through = now_ - 1;
  }
  turn_hour(slot);
}

void detector::turn_hour(key_slot slot) {
  auto& key = keys_of_[slot];
  if (key.hour == hour_)
    return;
  const auto closed = std::exchange(key.events, 0.0F);
  const bool partial = std::exchange(key.partial, false);
  const auto before = std::exchange(key.hour, hour_);
  if (key.place == no_place) {
    if (static_cast<double>(closed) < settings_.min_events_per_hour / 2 * hour_hours_ ||
        is_pooled((*keys_)[slot].bytes))
      return;
    key.place = fulls_.take();
  }
  auto& full = fulls_[key.place];
  const auto release = [&](std::int32_t hour) {
    if (full.has_held && !full.held_spoiled)
      learn(slot, full, hour, static_cast<double>(full.held));
  };
  const bool is_open = open_.find(slot) != open_.end();
  release(before - 1);
  full.held = closed;
  full.has_held = !partial;
  full.held_spoiled = full.spoiled;
  if (hour_ - before > 1) {
    release(before);
    for (auto silent = std::max(before + 1, hour_ - most_silent_hours); silent < hour_ - 1 && !is_open; ++silent)
      learn(slot, full, silent, 0);
    full.held = 0;
    full.has_held = true;
    full.held_spoiled = is_open;
  }
  full.spoiled = is_open;
  begin_watch(slot, full);
}

void detector::learn(key_slot slot, full_state& full, std::int32_t hour, double events) {
  const auto length = static_cast<time_ms>(hour_hours_ * static_cast<double>(hour_ms));
  if (is_left_out(slot, hour * length, (hour + 1) * length))
    return;
  const auto middle = (static_cast<double>(hour) + 0.5) * hour_hours_ * static_cast<double>(hour_ms);
  full.baseline.learn(local_time(*monitor_, static_cast<time_ms>(middle)), events, hour_hours_, tick_hours_);
}

/// A key is watched from the moment that something may be claimed of it.
void detector::begin_watch(key_slot slot, full_state& full) {
  if (!full.watched &&
      (!full.baseline.has_shape() || full.baseline.peak(place_in_week(now_)) < settings_.min_events_per_hour))
    return;
  const auto size = std::round(weight_unit * std::sqrt(full.baseline.level()));
  const auto weight = static_cast<std::uint32_t>(std::clamp(size, 1.0, most_weight));
  auto& budget = budget_of(slot);
  if (full.watched || (*keys_)[slot].level == 0) {
    // Its share up to now was that of the old weight.
    const auto unspent = full.watched ? budget.established_until(full.weight, now_) - full.share_seen : 0;
    budget.reweigh(full.weight, weight, now_);
    full.share_seen = budget.established_until(weight, now_) - unspent;
  } else {
    budget.join(now_);
    budget.establish(weight, now_);
    full.share_seen = budget.established_until(weight, now_);
  }
  full.weight = weight;
  if (!std::exchange(full.watched, true))
    full.scored_through = now_ - 1;
}

// ---- The tick.

void detector::step(const closed_tick& tick, const std::vector<key_slot>& reminded, judge& out) {
  const auto is_due = [&](key_slot slot) {
    const auto* full = full_of(slot);
    return full != nullptr && full->watched && full->look_at == now_ && full->scored_through < now_;
  };
  // First all budgets change, then all are read.
  for (const auto slot : reminded)
    if (is_due(slot)) {
      catch_up(slot);
      out.changed((*keys_)[slot].root);
    }
  for (const auto& level : tick.levels)
    for (const auto& counts : level) {
      keys_of_[counts.slot].events += static_cast<float>(counts.total);
      look(counts.slot, counts.total, out);
    }
  for (const auto slot : reminded)
    if (is_due(slot))
      look(slot, 0, out);
}

void detector::look(key_slot slot, std::int64_t count, judge& out) {
  auto* full = full_of(slot);
  if (full == nullptr || !full->watched)
    return;
  const auto share = budget_of(slot).established_until(full->weight, now_ + 1);
  const auto mass = std::max(0.0, share - std::exchange(full->share_seen, share));
  full->scored_through = now_;
  if (const auto open = open_.find(slot); open != open_.end()) {
    follow_open(*full, open.value(), now_, count);
    judge_open(slot, *full, open.value(), out);
  } else {
    score(slot, *full, now_, count, mass);
    if (full->evidence.sum() >= 1)
      raise(slot, *full, out);
  }
  remind(slot, *full, out);
}

void detector::score(key_slot slot, full_state& full, tick_index tick, std::int64_t count, double mass) {
  const auto forecast = forecast_of(full, tick);
  if (!is_judged(forecast)) {
    full.slow = full.fast = {};
    return;
  }
  const auto expected = forecast.an_hour * tick_hours_;
  guard_input about;
  about.variance = forecast.variance;
  about.failures_an_hour = forecast.an_hour / (1 + forecast.dispersion * expected);
  about.hours_between_alarms = tick_hours_ / alarms_a_tick(slot, full);
  const auto tested = expected * std::exp(-guard_exponent(about));
  full.evidence.start(mass, strict_weights());
  full.evidence.observe(log_volume_ratios(count, tested, forecast.dispersion).exp());
  full.slow.follow(slow_pace, count, expected);
  full.fast.follow(fast_pace, count, expected);
  if (!is_left_out(slot, tick_start(tick, monitor_->tick), tick_end(tick, monitor_->tick)))
    full.baseline.observe_tick(count, forecast, tick_hours_);
}

void detector::raise(key_slot slot, full_state& full, judge& out) {
  const auto forecast = forecast_of(full, now_);
  const auto& components = full.evidence.components();
  const auto best = std::max_element(components.begin(), components.end()) - components.begin();
  const auto& preferred = best >= first_fast ? full.fast : full.slow;
  const auto& other = best >= first_fast ? full.slow : full.fast;
  const auto& run = preferred.ticks > 0 ? preferred : other;
  if (run.ticks == 0)
    return; // at this moment nothing is missing

  const auto evidence = full.evidence.sum();
  const auto alarms_a_day = alarms_a_tick(slot, full) * ticks_a_day_;
  const auto created = (*keys_)[slot].created;
  verdict what;
  what.type = verdict::kind::excess;
  what.slot = slot;
  what.onset = std::max(created, now_ - static_cast<tick_index>(run.ticks) + 1);
  what.total = run.events;
  what.expected = run.expected;
  what.baseline = forecast.an_hour;
  what.evidence = evidence;
  what.once_in_days = evidence / alarms_a_day;
  what.model = {{"expected_an_hour", forecast.an_hour},        {"dispersion", forecast.dispersion},
                {"uncertainty", std::sqrt(forecast.variance)}, {"season", forecast.season},
                {"alternative", volume_shares()[best]},        {"budget_per_day", alarms_a_day}};
  open_drop opened;
  const auto patience =
      std::min(std::max((now_ - created) * monitor_->tick, least_accept_ms), monitor_->life.accept_after);
  opened.accept_at = now_ + std::max<tick_index>(1, patience / monitor_->tick);
  opened.onset = what.onset;
  opened.events = run.events;
  opened.expected = run.expected;
  opened.back_since = now_ + 1;
  // closes_when() is asked for while the incident opens.
  open_[slot] = opened;
  if (!out.say(std::move(what))) {
    // A gate holds it back: the evidence stays.
    open_.erase(slot);
    return;
  }
  full.evidence.reset();
  full.slow = full.fast = {};
  full.spoiled = full.held_spoiled = true;
}

void detector::follow_open(full_state& full, open_drop& open, tick_index tick, std::int64_t count) {
  const auto forecast = forecast_of(full, tick);
  const auto expected = forecast.an_hour * tick_hours_;
  open.events += count;
  open.expected += expected;
  const auto half_way = open.half_way();
  open.back.observe(log_volume_ratio(count, expected * half_way, 1 / half_way, forecast.dispersion));
  if (open.back.evidence() <= 1) {
    open.back_since = tick + 1;
    open.back_events = 0;
  } else {
    open.back_events += count;
  }
}

void detector::judge_open(key_slot slot, full_state& full, const open_drop& open, judge& out) {
  const bool is_back = open.back.evidence() >= resolve_test::threshold;
  if (is_back || now_ >= open.accept_at)
    close(slot, full, open, is_back, out);
}

bool detector::accept(key_slot slot, double, judge& out) {
  const auto open = open_.find(slot);
  if (open == open_.end())
    return false;
  // Silence up to this tick belongs to the share that is accepted.
  auto& full = fulls_[keys_of_[slot].place];
  for (auto t = full.scored_through + 1; t <= now_; ++t)
    follow_open(full, open.value(), t, 0);
  full.scored_through = std::max(full.scored_through, now_);
  full.share_seen = budget_of(slot).established_until(full.weight, now_ + 1);
  close(slot, full, open->second, false, out);
  remind(slot, full, out);
  return true;
}

bool detector::accept_calm(key_slot slot, const incident_counts& seen) {
  const auto place = keys_of_[slot].place;
  if (place == no_place || seen.expected <= 0)
    return false;
  fulls_[place].baseline.accept(seen.total / seen.expected);
  return true;
}

void detector::close(key_slot slot, full_state& full, const open_drop& open, bool is_back, judge& out) {
  verdict what;
  what.type = is_back ? verdict::kind::normal : verdict::kind::accepted;
  what.slot = slot;
  what.onset = is_back ? open.back_since : open.onset;
  what.total = is_back ? open.back_events : open.events;
  what.baseline = forecast_of(full, now_).an_hour;
  const auto share = open.share();
  out.say(std::move(what));
  open_.erase(slot);
  if (!is_back)
    full.baseline.accept(share);
}

// ---- Silence.

void detector::remind(key_slot slot, full_state& full, judge& out) {
  const auto wanted = next_look(slot, full);
  if (full.look_at > now_ && full.look_at <= wanted)
    return;
  full.look_at = wanted;
  out.remind(wanted, slot);
}

/// A tick that is not behind the one at which silence alone would bring the evidence to 1: until then evidence is at
/// most (S + w T) L^T, L the largest ratio that a silent tick can have.
tick_index detector::next_look(key_slot slot, const full_state& full) const {
  const auto latest = now_ + ticks_an_hour_;
  if (const auto open = open_.find(slot); open != open_.end())
    return std::clamp(open->second.accept_at, now_ + 1, latest);
  const auto most = full.baseline.peak(place_in_week(now_)) * tick_hours_;
  // Silence is likelier the less dispersion there is, and kappa may fall.
  const auto growth = most * (1 - volume_shares()[alternatives - 1]);
  const auto mass = alarms_a_tick(slot, full);
  const auto now = full.evidence.sum();
  const auto ticks_from = [&](double evidence) {
    return std::clamp(-std::log(evidence) / std::max(growth, 1e-12), 1.0, static_cast<double>(ticks_an_hour_));
  };
  const auto at_most = ticks_from(now + mass); // one tick's mass: longer than it can take
  return now_ + static_cast<tick_index>(std::floor(ticks_from(now + mass * std::ceil(at_most))));
}

// ---- For people.

double detector::expected_rate(key_slot slot) const {
  const auto place = keys_of_[slot].place;
  return place == no_place ? 0 : forecast_of(fulls_[place], now_).an_hour;
}

double detector::expected_events(key_slot slot) const {
  const auto open = open_.find(slot);
  if (open == open_.end())
    return 0;
  const auto& full = fulls_[keys_of_[slot].place];
  auto sum = open->second.expected;
  for (auto t = full.scored_through + 1; t <= now_; ++t)
    sum += forecast_of(full, t).an_hour * tick_hours_;
  return sum;
}

std::string detector::closes_when(key_slot slot) const {
  const auto open = open_.find(slot);
  if (open == open_.end())
    return {};
  return "more than " + in_percent(open->second.half_way()) + " of the expected events with evidence " +
         in_words(resolve_test::threshold);
}

std::vector<std::pair<std::string, std::string>> detector::explain(key_slot slot) const {
  const auto place = keys_of_[slot].place;
  if (place == no_place)
    return {{"state", "too few events to learn from"}};
  const auto& full = fulls_[place];
  const auto forecast = forecast_of(full, now_);
  std::string state = "watching";
  if (open_.find(slot) != open_.end())
    state = "incident open";
  else if (!full.baseline.has_shape())
    state = "learning: " + in_words(full.baseline.hours_learned()) + " of " +
            in_words(volume_baseline::learning_hours) + " hours";
  else if (!forecast.known)
    state = "this hour of the week is not known yet";
  else if (!is_judged(forecast))
    state = "fewer events expected than are judged";
  return {
      {"expected_per_hour", in_words(forecast.an_hour)}, {"evidence", in_words(full.evidence.sum())}, {"state", state}};
}

// ---- State.

void detector::save(key_slot slot, state_writer& out) const {
  const auto& key = keys_of_[slot];
  out.u32(static_cast<std::uint32_t>(key.hour));
  out.f32(key.events);
  const auto open = open_.find(slot);
  const bool is_full = key.place != no_place;
  const bool has_budget = key.scope != no_place;
  const bool is_open = open != open_.end();
  out.u8(static_cast<std::uint8_t>(key.partial | is_full << 1 | has_budget << 2 | is_open << 3));
  if (has_budget)
    budgets_[key.scope].save(out);
  if (is_full)
    fulls_[key.place].save(out);
  if (is_open)
    open->second.save(out);
}

bool detector::load(key_slot slot, state_reader& in) {
  auto& key = keys_of_[slot];
  key = {};
  key.hour = static_cast<std::int32_t>(in.u32());
  key.events = in.f32();
  const auto flags = in.u8();
  key.partial = (flags & 1) != 0;
  const bool is_full = (flags & 2) != 0;
  const bool has_budget = (flags & 4) != 0;
  const bool is_open = (flags & 8) != 0;
  if (!in.ok() || flags >= 16 || !(key.events >= 0 && key.events < 1e18F) ||
      has_budget != ((*keys_)[slot].level == 0) || (is_open && !is_full))
    return false;
  if (has_budget) {
    key.scope = budgets_.take();
    budgets_[key.scope] = alarm_budget(budget_a_tick_, monitor_->levels.size() > 1);
    if (!budgets_[key.scope].load(in))
      return false;
  }
  if (is_full) {
    key.place = fulls_.take();
    if (!fulls_[key.place].load(in))
      return false;
  }
  return (!is_open || open_[slot].load(in)) && in.ok();
}

bool detector::loaded(tick_index last_tick, judge& out) {
  now_ = last_tick;
  struct census {
    std::uint64_t watched = 0, weights = 0;
  };
  std::vector<census> seen(budgets_.size());
  for (key_slot slot = 0; slot < keys_of_.size(); ++slot) {
    const auto& who = (*keys_)[slot];
    if (!who.alive)
      continue;
    auto& own = seen[keys_of_[who.root].scope];
    const auto* full = full_of(slot);
    const bool is_watched = full != nullptr && full->watched;
    if (is_watched || who.level == 0) {
      ++own.watched; // a root has its share from the beginning
      own.weights += full != nullptr ? full->weight : 1;
    }
    if (open_.find(slot) != open_.end() && !is_watched)
      return false;
    if (!is_watched)
      continue;
    if (full->scored_through > last_tick || full->scored_through < last_tick - ticks_an_hour_ ||
        full->look_at <= last_tick || full->look_at > last_tick + ticks_an_hour_)
      return false;
    out.remind(full->look_at, slot);
  }
  for (std::uint32_t i = 0; i < budgets_.size(); ++i)
    if (seen[i].watched != budgets_[i].established() || seen[i].weights != budgets_[i].weights() ||
        budgets_[i].newcomers() != 0)
      return false;
  return true;
}

std::size_t detector::memory_bytes() const {
  return keys_of_.capacity() * sizeof(key_state) + fulls_.capacity() * sizeof(full_state) +
         budgets_.capacity() * sizeof(alarm_budget) + open_.bucket_count() * sizeof(std::pair<key_slot, open_drop>);
}

} // namespace tocsin::volume_drop
