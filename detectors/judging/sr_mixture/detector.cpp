#include "detectors/judging/sr_mixture/detector.hpp"

#include "detectors/judging/dimensions.hpp"
#include "detectors/judging/words.hpp"
#include "models/binomial.hpp"
#include "models/guard.hpp"
#include "models/linear_counting.hpp"
#include "models/zeta.hpp"

#include <algorithm>
#include <cmath>
#include <utility>

namespace tocsin::sr_mixture {

namespace {

constexpr double slow_pace = 1.14; ///< (theta - 1) / ln theta for theta = 1.3
constexpr double fast_pace = 1.8;  ///< ... and for about 3.3
constexpr int first_fast = 3;      ///< from this alternative on (theta = 4) the fast excursion tells the onset
constexpr std::uint8_t ticks_until_calibrated = 50;
constexpr double mean_weight = 0.02; ///< of a tick, in the moving mean of expected failures
constexpr double full_from = 200;    ///< expected failures
constexpr double most_weight = 1 << 26;
/// That so many viewers fail must be this unlikely. Evidence of 1 takes less, where nobody tries again.
constexpr double chance_of_viewers = 1e-5;
constexpr int many_viewers = 40;  ///< bits set of 64: about 63 viewers
constexpr double most_sum = 1e30; ///< of what an hour gathers: finite as a float, whatever is counted
constexpr std::uint8_t passing_incidents_learned = 3; ///< so many in a day or two are what the key does
constexpr double mild_excess = 0.05;     ///< of the rate: what is worse is an outage, however often it comes
constexpr double vouched_failures = 100; ///< what a rate is worth at least that an operator accepts
constexpr tick_index least_patience = 2; ///< hours after which a rate may be the new normal ...

/// Hides the memory's latency: the states of the keys to come.
[[gnu::always_inline]] inline void prefetch_state(const std::vector<key_state>& keys,
                                                  const std::vector<key_counts>& counts, std::size_t place) {
  constexpr std::size_t ahead = 6, cache_line = 64;
  if (place + ahead >= counts.size())
    return;
  const auto* state = reinterpret_cast<const char*>(&keys[counts[place + ahead].slot]);
  for (std::size_t byte = 0; byte < sizeof(key_state); byte += cache_line)
    __builtin_prefetch(state + byte);
}

std::int64_t whole(double count) {
  return static_cast<std::int64_t>(std::min(count, 9e18));
}

void add(float& sum, double more) {
  sum = static_cast<float>(std::min(static_cast<double>(sum) + more, most_sum));
}

/// Whoever fails in every tick is still one viewer: once in each stretch of so many that a bitmap can tell them apart.
std::int64_t distinct_failures(const excursion& run) {
  return whole(static_cast<double>(run.capped)) + distinct_from_bitmap(run.viewers);
}

/// A bitmap that tells as many viewers: those that are known, and bits for those of earlier stretches.
std::uint64_t viewers_of(const excursion& run) {
  auto bits = run.viewers;
  for (const auto many = distinct_failures(run); distinct_from_bitmap(bits) < many && ~bits != 0;)
    bits |= bits + 1;
  return bits;
}

/// Few try again and again: with each viewer counted once, chance may explain the failures. Evidence stays.
bool is_retrying(const verdict& what, double rate) {
  return what.capped < what.failed &&
         binomial_upper_tail(what.capped, what.total - what.failed + what.capped, rate) > chance_of_viewers;
}

void follow(excursion& run, double pace, const key_counts& counts, double expected, tick_index since_last) {
  if (run.ticks > 0)
    run.ticks += static_cast<std::uint32_t>(std::min<tick_index>(since_last, 1U << 30));
  else
    run.ticks = 1;
  run.total += static_cast<double>(counts.total);
  run.failed += static_cast<float>(counts.failed);
  run.expected += static_cast<float>(expected);
  run.viewers |= counts.viewers;
  if (counts.viewers == 0) {
    run.capped += static_cast<float>(counts.capped);
  } else if (__builtin_popcountll(run.viewers) >= many_viewers) {
    run.capped += static_cast<float>(distinct_from_bitmap(run.viewers));
    run.viewers = 0;
  }
  if (static_cast<double>(run.failed) <= pace * static_cast<double>(run.expected))
    run = {};
}

} // namespace

detector::detector(const monitor_spec& monitor, const sr_mixture_spec& settings, const keyed_state& keys)
    : monitor_(&monitor), settings_(settings), keys_(&keys),
      ticks_a_day_(static_cast<double>(day_ms) / static_cast<double>(monitor.tick)),
      ticks_an_hour_(std::max<tick_index>(1, hour_ms / monitor.tick)), order_(parents_first(monitor)) {
  hours_a_day_ = std::max<std::int32_t>(1, static_cast<std::int32_t>(day_ms / std::max(hour_ms, monitor.tick)));
  budget_a_tick_ = affordable_alarms_a_tick(settings.false_alarms_per_day, monitor.tick);
  if (monitor.error_type) {
    types_.emplace(monitor, settings_, keys, error_type_reserve * budget_a_tick_);
    budget_a_tick_ *= 1 - error_type_reserve;
  }
  clock_.tick = static_cast<double>(monitor.tick) / second_ms;
  clock_.hour = std::max(3600.0, clock_.tick);
  kept_a_tick_ = std::exp(-clock_.tick / clock_.hour);
  dispersion_kept_ = level_kept(clock_.tick / clock_.hour);
  for (std::uint32_t level = 0; level < monitor.levels.size(); ++level)
    parents_.push_back(parent_level(monitor, level));
  expected_.resize(monitor.levels.size());
  if (settings.sliding_baseline > 0)
    window_.emplace(choose_window(settings.sliding_baseline, monitor.tick));
}

void detector::resize(std::size_t slots) {
  if (slots <= keys_of_.size())
    return;
  keys_of_.resize(slots);
  if (window_)
    window_->resize(slots);
}

// ---- Keys come and go.

void detector::welcome(key_slot slot, tick_index when) {
  auto& key = keys_of_[slot];
  key = {};
  key.hour = hour_;
  const bool is_root = (*keys_)[slot].level == 0;
  if (is_root) {
    key.place = scopes_.take();
    auto& scope = scopes_[key.place];
    scope.baseline = root_baseline(clock_, seconds_);
    scope.budget = alarm_budget(budget_a_tick_, monitor_->levels.size() > 1);
    scope.budget.begin(when);
    scope.resize(monitor_->levels.size());
    key.share_seen = scope.budget.established_until(key.weight, when);
    return;
  }
  auto& budget = scope_of(slot).budget;
  budget.join(when);
  key.is_new = true;
  key.share_seen = budget.new_until(when);
}

void detector::withdraw(key_slot slot) {
  open_.erase(slot);
  if (types_)
    types_->withdraw(slot);
}

void detector::forget(const std::vector<bool>& slots) {
  if (types_)
    types_->forget(slots);
  if (window_)
    window_->forget(slots);
  // Children first: they leave the budget of a scope that may go itself.
  const auto count = std::min(slots.size(), keys_of_.size());
  for (key_slot slot = 0; slot < count; ++slot) {
    auto& key = keys_of_[slot];
    if (!slots[slot] || (*keys_)[slot].level == 0 || (*keys_)[slot].level == type_level_of(*monitor_))
      continue;
    if (!slots[(*keys_)[slot].root]) {
      auto& budget = scope_of(slot).budget;
      if (key.is_new)
        budget.leave_new(now_ + 1);
      else
        budget.leave_established(key.weight, now_ + 1);
    }
    if (key.place != no_place)
      fulls_.give_back(key.place);
  }
  for (key_slot slot = 0; slot < count; ++slot) {
    if (!slots[slot])
      continue;
    if ((*keys_)[slot].level == 0)
      scopes_.give_back(keys_of_[slot].place);
    keys_of_[slot] = {};
    open_.erase(slot);
    pooled_.erase(slot);
  }
}

void detector::absorb(key_slot from, key_slot into, judge& out) {
  if (!is_known(keys_of_[into])) {
    welcome(into, now_ + 1);
    // Its record may be as old as the last events of its scope.
    out.remind(std::max(now_ + 1, grown_up_at(into)), into);
  }
  const auto& key = keys_of_[from];
  auto& waiting = pooled_[into];
  if (waiting.counts.slot == no_slot)
    out.remind(now_ + 1, into);
  waiting.counts.slot = into;
  waiting.moved.add(key.evidence);
  // What the key saw lately is judged as part of the tail too, but not what an incident has told already.
  if (key.hour_events <= 0 || key.current_spoiled || key.hour < hour_ - 1)
    return;
  const auto failed = whole(static_cast<double>(key.current.failed));
  waiting.counts.total += whole(static_cast<double>(key.hour_events));
  waiting.counts.failed += failed;
  waiting.counts.capped += std::min(failed, distinct_failures(key.slow));
  if (monitor_->has_viewers)
    waiting.counts.viewers |= viewers_of(key.slow);
}

// ---- The tick.

void detector::advance(const closed_tick& tick) {
  now_ = tick.tick;
  noted_.clear();
  const auto start = tick_start(now_, monitor_->tick);
  const auto local = local_time(*monitor_, start);
  seconds_ = static_cast<double>(start) / second_ms;
  local_seconds_ = static_cast<double>(local) / second_ms;
  season_ = season_at(local, monitor_->tick);
  hour_ = static_cast<std::int32_t>(std::floor(seconds_ / clock_.hour));

  if (window_)
    window_->advance(now_);

  // Who is there, and how the budget is shared in this tick.
  for (const auto slot : tick.created)
    welcome(slot, now_);
  due_.clear();
  learned_ = 0;
  for (const auto level : order_)
    for (std::uint32_t place = 0; place < tick.levels[level].size(); ++place) {
      prefetch_state(keys_of_, tick.levels[level], place);
      const auto& counts = tick.levels[level][place];
      if (keys_of_[counts.slot].hour != hour_)
        turn_hour(counts.slot, level, place);
    }
  // What is learned and expected; parents first.
  for (const auto level : order_) {
    learn_level(level, tick);
    expect_level(level, tick);
  }
}

void detector::turn_hour(key_slot slot, std::uint32_t level, std::uint32_t place) {
  auto& key = keys_of_[slot];
  const auto passed = hour_ - key.hour;
  if (hour_ / hours_a_day_ != key.hour / hours_a_day_)
    end_day(slot, level);
  // The weight follows the events of the past; new keys have none yet.
  auto mean = std::pow(static_cast<double>(key.weight) / weight_unit, 2);
  mean = mean * events_kept_an_hour + static_cast<double>(key.hour_events) * (1 - events_kept_an_hour);
  mean *= std::pow(events_kept_an_hour, passed - 1);
  const auto weight =
      static_cast<std::uint32_t>(std::clamp(std::round(weight_unit * std::sqrt(mean)), 1.0, most_weight));
  auto& budget = scope_of(slot).budget;
  if (!key.is_new) {
    const auto unspent = budget.established_until(key.weight, now_) - key.share_seen;
    budget.reweigh(key.weight, weight, now_);
    key.share_seen = budget.established_until(weight, now_) - unspent;
  }
  key.weight = weight;
  if (level == 0) {
    for (auto& prior : scope_of(slot).priors)
      prior.fold(level_kept(passed));
  } else {
    // One more hour has closed since `held` did; `current` leaves quarantine if two have.
    if (key.has_held && key.held_hour < hour_ - 1) {
      hold_back(slot, level, place);
      key.has_held = false;
    }
    key.level.forget(level_kept(passed, static_cast<double>(key.level.failures)));
    if (key.place != no_place)
      fulls_[key.place].held_events = key.hour_events;
    key.held = key.current;
    key.held_hour = key.hour;
    key.held_spoiled = key.current_spoiled;
    key.held_whole = key.current_whole;
    key.has_held = key.hour_events > 0;
    if (key.has_held && key.held_hour < hour_ - 1) {
      hold_back(slot, level, place);
      key.has_held = false;
    }
  }
  key.current = {};
  key.hour_events = 0;
  key.current_spoiled = key.current_whole = false;
  key.hour = hour_;
}

/// How hot the day was tells whether chance is what the model says.
void detector::end_day(key_slot slot, std::uint32_t level) {
  auto& key = keys_of_[slot];
  auto& scope = scope_of(slot);
  const auto day = key.hour / hours_a_day_;
  const auto days = hour_ / hours_a_day_ - day;
  const auto budget = alarms_a_learned_day(key, scope);
  auto& calibration = scope.calibrations[class_of(key, level)];
  if (key.day_spoiled || key.is_new || is_left_out_of_hours(slot, day * hours_a_day_, hours_a_day_)) {
    key.hottest = 0;
  } else if (tail_calibration::goes_on(key.evidence.sum(), budget)) {
    calibration.pass(budget, days);
  } else {
    calibration.observe(static_cast<double>(std::exchange(key.hottest, 0.0F)), budget, days);
  }
  key.passing_incidents /= 2;
  key.day_spoiled = open_.find(slot) != open_.end();
  if (level == 0)
    for (auto& one : scope.calibrations)
      one.fold(level_kept(hours_a_day_ / 4.0)); // four times as long as a level remembers
}

std::size_t detector::class_of(const key_state& key, std::uint32_t level) const {
  const auto mean = std::pow(static_cast<double>(key.weight) / weight_unit, 2);
  return level * traffic_classes + traffic_class(24 * mean);
}

double detector::alarms_a_day(const key_state& key, const scope_state& scope) const {
  return ticks_a_day_ * (key.is_new ? scope.budget.new_rate() : scope.budget.established_rate(key.weight));
}

double detector::alarms_a_learned_day(const key_state& key, const scope_state& scope) const {
  return alarms_a_day(key, scope) * static_cast<double>(ticks_an_hour_ * hours_a_day_) / ticks_a_day_;
}

/// Hands the hour in quarantine over to learning.
void detector::hold_back(key_slot slot, std::uint32_t level, std::uint32_t place) {
  const auto& key = keys_of_[slot];
  if (key.held_spoiled || is_left_out_of_hours(slot, key.held_hour, 1))
    return;
  const auto events = key.place == no_place ? 0 : fulls_[key.place].held_events;
  due_.push_back({level, place, key.held_hour, key.held, events, key.held_whole, key.in_shape});
}

bool detector::is_left_out_of_hours(key_slot slot, std::int32_t first, std::int32_t count) const {
  const auto length = static_cast<time_ms>(clock_.hour * second_ms);
  return is_left_out(slot, first * length, (first + count) * length);
}

/// What waits in the quarantine of a root was counted before its range was perhaps taken out.
void detector::leave_out(key_slot root, root_baseline& baseline) const {
  if (left_out() == nullptr)
    return;
  const auto longest_wait = 3 * static_cast<time_ms>(clock_.hour * second_ms);
  left_out()->for_each(root, tick_start(now_, monitor_->tick) - longest_wait, [&](time_ms from, time_ms to) {
    baseline.spoil(static_cast<double>(from) / second_ms, static_cast<double>(to) / second_ms);
  });
}

void detector::learn_level(std::uint32_t level, const closed_tick& tick) {
  // due_ is ordered by level as order_ is.
  const auto first = learned_;
  columns_.clear();
  for (; learned_ < due_.size() && due_[learned_].level == level; ++learned_) {
    const auto& what = due_[learned_];
    const auto& counts = tick.levels[level][what.place];
    const auto& parent = expected_[parents_[level]][counts.parent];
    const auto& key = keys_of_[counts.slot];
    const bool is_full = key.place != no_place;
    const auto kappa = is_full ? fulls_[key.place].dispersion.value(parent.dispersion) : parent.dispersion;
    const auto shared = scope_of(counts.slot).priors[level].misfit();
    const auto misfit = is_full ? fulls_[key.place].misfit.value(shared) : shared;
    columns_.add(static_cast<double>(what.sums.failed), static_cast<double>(what.sums.expected),
                 static_cast<double>(what.sums.squares), kappa, misfit);
  }
  if (columns_.rows() == 0)
    return;
  const auto& robust = columns_.robust_failures();
  for (auto i = first; i < learned_; ++i) {
    const auto& counts = tick.levels[level][due_[i].place];
    const auto failures =
        due_[i].whole ? static_cast<double>(due_[i].sums.failed) : robust[static_cast<Eigen::Index>(i - first)];
    learn(due_[i], counts.slot, &expected_[parents_[level]][counts.parent], failures);
  }
}

void detector::learn(const due_hour& what, key_slot slot, const expectation* parent, double robust) {
  auto& key = keys_of_[slot];
  auto& prior = scope_of(slot).priors[what.level];
  take_shape(key, *parent);
  // The hour left quarantine before its key took shape.
  const auto exposure = static_cast<double>(what.sums.exposure);
  key.level.learn(robust, what.in_shape == key.in_shape ? exposure : exposure / parent->root_level);
  const auto by_parent = static_cast<double>(key.level.exposure) * parent->level;
  prior.observe(static_cast<double>(key.level.failures), by_parent, prior.misfit());
  prior.observe_hour(static_cast<double>(what.sums.failed), static_cast<double>(what.sums.expected),
                     static_cast<double>(what.sums.squares), parent->dispersion);
  if (key.place == no_place) {
    if (by_parent >= full_from)
      key.place = fulls_.take();
    return;
  }
  auto& full = fulls_[key.place];
  const auto kappa = full.dispersion.value(parent->dispersion);
  const auto expected = static_cast<double>(what.sums.expected);
  full.misfit.observe(static_cast<double>(what.sums.failed), expected, static_cast<double>(what.sums.squares), kappa,
                      full.misfit.value(prior.misfit()), level_kept(1));
  // The hour in quarantine when the key became full did not keep its events.
  if (!key.in_shape || what.events <= 0)
    return;
  const auto middle = (static_cast<double>(what.hour) + 0.5) * clock_.hour;
  const auto cell = season_cell(static_cast<std::int64_t>((middle + local_seconds_ - seconds_) * 1000));
  full.season.learn(cell, robust, static_cast<double>(what.events) * key.level.rate(parent->level, prior.strength()));
}

void detector::expect_level(std::uint32_t level, const closed_tick& tick) {
  auto& rows = expected_[level];
  rows.clear();
  for (const auto& counts : tick.levels[level]) {
    if (level == 0) {
      rows.push_back(expect_root(counts.slot));
    } else {
      const auto& parent = expected_[parents_[level]][counts.parent];
      auto& key = keys_of_[counts.slot];
      take_shape(key, parent);
      rows.push_back(expect_child(key, counts.slot, scope_of(counts.slot).priors[level], parent, season_));
    }
    if (open_.empty())
      continue;
    const auto open = open_.find(counts.slot);
    if (open != open_.end())
      open.value().rate = rows.back().rate;
  }
}

expectation detector::expect_root(key_slot slot) {
  auto& scope = scopes_[keys_of_[slot].place];
  if (scope.seen_in == now_)
    return scope.seen;
  leave_out(slot, scope.baseline);
  scope.baseline.advance(seconds_, local_seconds_, season_);
  scope.seen = expectation_of(scope.baseline);
  if (window_)
    expect_sliding(slot, nullptr, 0.5, scope.seen);
  scope.seen_in = now_;
  return scope.seen;
}

expectation expectation_of(const root_baseline& root) {
  const auto& known = root.expected();
  expectation out;
  out.rate = known.rate;
  out.level = known.level;
  out.season = known.rate / known.level;
  out.first_factor = known.first_factor;
  out.second_factor = known.second_factor;
  out.variance = known.variance;
  out.inherited = known.inherited;
  out.dispersion = known.dispersion;
  out.misfit = known.misfit;
  out.seasonal = known.seasonal;
  out.in_shape = root.has_shape();
  out.root_level = known.level;
  return out;
}

void detector::expect_sliding(key_slot slot, const expectation* parent, double strength, expectation& out) const {
  const auto sums = slot == no_slot ? window_counts() : window_->sums(slot);
  const auto failures = static_cast<double>(sums.failed) + strength;
  const auto prior_events = parent == nullptr ? 1 : strength / parent->rate;
  const auto inherited = parent == nullptr ? 0 : std::pow(strength / failures, 2) * parent->inherited;
  out.rate = out.level = std::clamp(failures / (static_cast<double>(sums.total) + prior_events), 1e-6, 0.9);
  out.season = out.first_factor = out.second_factor = 1;
  out.seasonal = out.in_shape = false;
  out.inherited = 1 / failures + inherited;
  out.variance = out.inherited + out.misfit;
}

void take_shape(key_state& key, const expectation& parent) {
  if (key.in_shape || !parent.in_shape)
    return;
  key.in_shape = true;
  const auto by = static_cast<float>(1 / parent.root_level);
  key.level.exposure *= by;
  key.current.exposure *= by;
  key.held.exposure *= by;
}

/// Of its level's slow misfit a sparse key meets what its counts can resolve: while it gathers 1/sigma^2 failures,
/// noise with a memory of an hour averages out.
double detector::visible_misfit(const key_state& key, double shared) {
  if (key.recent_weight <= 0)
    return shared;
  const auto an_hour = static_cast<double>(key.recent_failures) / static_cast<double>(key.recent_weight);
  const auto resolved = an_hour * shared;
  return std::max(std::min(shared, prior_misfit), shared * resolved / (1 + resolved));
}

/// Of a key that has taken its parent's shape.
expectation detector::expect_child(const key_state& key, key_slot slot, const level_prior& prior,
                                   const expectation& parent, const season_position& at) const {
  const auto strength = prior.strength();
  const auto* full = key.place == no_place ? nullptr : &fulls_[key.place];
  expectation out;
  out.level = key.level.rate(parent.level, strength);
  out.root_level = parent.root_level;
  out.in_shape = parent.in_shape;
  out.seasonal = parent.seasonal;
  out.first_factor = parent.first_factor;
  out.second_factor = parent.second_factor;
  out.season = parent.season;
  auto cell_failures = 0.0;
  if (full != nullptr && parent.seasonal) {
    out.first_factor = full->season.factor(at.first, parent.first_factor);
    out.second_factor = full->season.factor(at.second, parent.second_factor);
    out.season = at.between(out.first_factor, out.second_factor);
    cell_failures = static_cast<double>(full->season.failures[at.cell]);
  }
  out.rate = std::clamp(out.level * out.season, 1e-6, 0.9);
  out.dispersion = full != nullptr ? full->dispersion.value(std::max(parent.dispersion, prior_dispersion))
                                   : std::max(parent.dispersion, prior_dispersion);
  out.misfit = full != nullptr ? full->misfit.value(prior.misfit()) : visible_misfit(key, prior.misfit());
  if (window_) {
    expect_sliding(slot, &parent, strength, out);
    return out;
  }
  // The level is the parent's only as far as the key has none of its own; a season that is not known is all inherited.
  const auto own = key.level.variance(strength);
  const auto of_parent = parent.seasonal ? strength * own : 1;
  out.inherited = own + of_parent * of_parent * parent.inherited;
  out.variance = out.inherited + 1 / (cell_failures + season_strength) + out.misfit;
  return out;
}

void detector::step(const closed_tick& tick, const std::vector<key_slot>& reminded, judge& out) {
  for (const auto slot : reminded)
    if (keys_of_[slot].is_new && now_ >= grown_up_at(slot)) {
      grow_up(slot);
      out.changed((*keys_)[slot].root);
    }
  // Before anybody is judged, because it changes the shares of the budget, and reminders come in no order.
  for (const auto slot : reminded)
    turn_tail(slot, out);
  for (const auto slot : tick.created)
    if ((*keys_)[slot].level != 0)
      out.remind(grown_up_at(slot), slot);
  for (const auto level : order_)
    for (std::size_t place = 0; place < tick.levels[level].size(); ++place) {
      prefetch_state(keys_of_, tick.levels[level], place);
      judge_key(tick.levels[level][place], expected_[level][place], out);
    }
  for (const auto slot : reminded)
    judge_tail(slot, out);
  if (types_)
    judge_types(tick, out);
}

/// Last, because it may make keys, which moves the states of all.
void detector::judge_types(const closed_tick& tick, judge& out) {
  const auto* next = tick.types.data();
  const auto* const end = next + tick.types.size();
  for (std::uint32_t place = 0; place < tick.levels[0].size(); ++place) {
    const auto& counts = tick.levels[0][place];
    const auto& expected = expected_[0][place];
    const auto open = open_.find(counts.slot);
    error_types::scope_tick seen;
    seen.root = counts.slot;
    seen.total = counts.total;
    seen.failed = counts.failed;
    seen.rate = expected.rate;
    const auto guard = guard_of(keys_of_[counts.slot], scope_of(counts.slot), expected);
    seen.raised = guarded_rate(expected.rate, guard) / expected.rate;
    seen.dispersion = expected.dispersion;
    seen.is_void = (open != open_.end() && !open->second.learned) || is_left_out(counts.slot);
    seen.first = next;
    while (next != end && next->place == place)
      ++next;
    seen.last = next;
    types_->step(now_, seen, out);
  }
}

void detector::grow_up(key_slot slot) {
  auto& key = keys_of_[slot];
  auto& budget = scope_of(slot).budget;
  const auto unspent = budget.new_until(now_) - key.share_seen;
  budget.establish(key.weight, now_);
  key.is_new = false;
  key.share_seen = budget.established_until(key.weight, now_) - unspent;
}

/// What the key may start with in this tick: its share of the budget since it was last seen.
double detector::start_mass(key_slot slot, tick_index until) {
  auto& key = keys_of_[slot];
  const auto& budget = scope_of(slot).budget;
  const auto share = key.is_new ? budget.new_until(until) : budget.established_until(key.weight, until);
  return std::max(0.0, share - std::exchange(key.share_seen, share));
}

void detector::judge_key(const key_counts& counts, const expectation& expected, judge& out) {
  auto& key = keys_of_[counts.slot];
  const auto mass = start_mass(counts.slot, now_ + 1);
  if (!open_.empty()) {
    const auto open = open_.find(counts.slot);
    if (open != open_.end()) {
      const bool learned = open->second.learned;
      judge_open(counts, expected, open.value(), out);
      count(counts, expected, learned ? lesson::whole : lesson::none);
      return;
    }
  }
  const auto total = static_cast<double>(counts.total);
  const auto& scope = scope_of(counts.slot);
  const auto guard = guard_of(key, scope, expected);
  const auto tested = guarded_rate(expected.rate, guard);

  const bool calibrated = !settings_.strict && key.active_ticks >= ticks_until_calibrated;
  const auto raised = tested / expected.rate;
  const auto usual = static_cast<double>(key.mean_failures) * raised;
  key.evidence.start(mass, calibrated ? start_weights(usual, tested) : strict_weights());
  key.evidence.observe(likelihood_ratios(counts.total, counts.failed, tested, expected.dispersion));
  const auto since_last = key.last_tick == never ? 1 : now_ - key.last_tick;
  follow(key.slow, slow_pace * raised, counts, total * expected.rate, since_last);
  follow(key.fast, fast_pace * raised, counts, total * expected.rate, since_last);
  const auto evidence = key.evidence.sum();
  key.hottest = std::max(key.hottest, static_cast<float>(std::min(evidence, 1.0)));
  if (!watched_.empty())
    note(counts, expected);
  if (evidence >= 1 && evidence >= threshold(key, (*keys_)[counts.slot].level, scope))
    raise(counts, expected, guard, out);
  const auto opened = open_.find(counts.slot);
  count(counts, expected,
        opened == open_.end()    ? lesson::robust
        : opened->second.learned ? lesson::whole
                                 : lesson::none);
}

double detector::guard_of(const key_state& key, const scope_state& scope, const expectation& expected) const {
  guard_input about;
  about.variance = expected.variance;
  if (key.recent_weight > 0)
    about.failures_an_hour = static_cast<double>(key.recent_failures) / static_cast<double>(key.recent_weight) /
                             (1 + expected.dispersion * static_cast<double>(key.mean_failures));
  const auto alarms_a_tick = key.is_new ? scope.budget.new_rate() : scope.budget.established_rate(key.weight);
  about.hours_between_alarms = 1 / (alarms_a_tick * static_cast<double>(ticks_an_hour_));
  return guard_exponent(about);
}

/// Evidence that opens an incident: 1, unless the past asks for more.
double detector::threshold(const key_state& key, std::uint32_t level, const scope_state& scope) const {
  if (settings_.strict)
    return 1;
  return std::exp(scope.calibrations[class_of(key, level)].threshold(alarms_a_learned_day(key, scope)));
}

const excursion& latest_excursion(const key_state& key) {
  const auto& components = key.evidence.components();
  const auto best = std::max_element(components.begin(), components.end()) - components.begin();
  const auto& preferred = best >= first_fast ? key.fast : key.slow;
  const auto& other = best >= first_fast ? key.slow : key.fast;
  return preferred.ticks > 0 ? preferred : other;
}

/// `last`: the last tick of the run.
excess_counts detector::counts_of(const excursion& run, tick_index created, tick_index last) const {
  excess_counts out;
  out.onset = std::max(created, last - static_cast<tick_index>(run.ticks) + 1);
  out.total = whole(run.total);
  out.failed = std::min(out.total, whole(static_cast<double>(run.failed)));
  out.capped = std::min(out.failed, distinct_failures(run));
  out.expected = static_cast<double>(run.expected);
  return out;
}

/// Everything that a reader of the record needs to compute the verdict again: docs/alerts.md.
std::vector<named_number> detector::model_of(key_slot slot, const expectation& expected, double guard,
                                             const excess_counts& excess) const {
  const auto& key = keys_of_[slot];
  const auto& scope = scope_of(slot);
  const auto& components = key.evidence.components();
  const auto best = std::max_element(components.begin(), components.end()) - components.begin();
  std::vector<named_number> model{{"guard", std::exp(guard)},
                                  {"dispersion", expected.dispersion},
                                  {"uncertainty", std::sqrt(expected.variance)},
                                  {"season", expected.season},
                                  {"alternative", odds_ratios()[best]},
                                  {"threshold", threshold(key, (*keys_)[slot].level, scope)},
                                  {"budget_per_day", alarms_a_day(key, scope)},
                                  {"false_alarms_per_day", settings_.false_alarms_per_day},
                                  {"incidents_per_day", settings_.incidents_per_day},
                                  {"expected_rate_on_open", expected.rate},
                                  {"expected_failures_on_open", excess.expected},
                                  {"events_on_open", static_cast<double>(excess.total)},
                                  {"failures_on_open", static_cast<double>(excess.failed)},
                                  {"tail_probability", binomial_upper_tail(excess.failed, excess.total, expected.rate)},
                                  {"min_ratio", monitor_->gates.min_ratio},
                                  {"min_difference", monitor_->gates.min_difference},
                                  {"min_excess_failures", monitor_->gates.min_excess_failures}};
  if (monitor_->has_viewers)
    model.emplace_back("capped_failures_on_open", static_cast<double>(excess.capped));
  return model;
}

void detector::raise(const key_counts& counts, const expectation& expected, double guard, judge& out) {
  auto& key = keys_of_[counts.slot];
  auto run = latest_excursion(key);
  if (run.ticks == 0)
    follow(run, 0, counts, static_cast<double>(counts.total) * expected.rate, 1);

  const auto excess = counts_of(run, (*keys_)[counts.slot].created, now_);
  verdict what;
  what.type = verdict::kind::excess;
  what.slot = counts.slot;
  what.onset = excess.onset;
  what.total = excess.total;
  what.failed = excess.failed;
  what.capped = excess.capped;
  what.viewers = monitor_->has_viewers ? viewers_of(run) : 0;
  if (is_retrying(what, guarded_rate(expected.rate, guard)))
    what.capped = 0; // chance explains those viewers: the gates hold the evidence back
  what.baseline = expected.rate;
  what.expected = excess.expected;
  what.evidence = key.evidence.sum();
  what.once_in_days = *what.evidence / alarms_a_day(key, scope_of(counts.slot));
  const auto odds = *what.evidence * settings_.incidents_per_day / settings_.false_alarms_per_day;
  what.confidence = odds / (1 + odds);
  what.model = model_of(counts.slot, expected, guard, excess);
  open_state opened;
  opened.opened = now_;
  opened.learned = key.passing_incidents >= passing_incidents_learned;
  // As long as the key has lived, within limits: a young key knows little to insist on.
  const auto age = now_ - (*keys_)[counts.slot].created;
  opened.accept_at = now_ + std::min(std::max(age, least_patience * ticks_an_hour_),
                                     std::max<tick_index>(1, monitor_->life.accept_after * ticks_an_hour_ / hour_ms));
  opened.calm_since = now_ + 1;
  opened.total = run.total;
  opened.failed = static_cast<double>(excess.failed);
  opened.rate = expected.rate;
  opened.bound = resolve_rate(expected.rate, opened.failed / std::max(1.0, opened.total));
  // closes_when() is asked for while the incident opens.
  open_[counts.slot] = opened;
  if (!out.say(std::move(what))) {
    // A gate holds it back: the evidence stays. As with an incident, the day says nothing of chance below the budget.
    key.day_spoiled = true;
    open_.erase(counts.slot);
    return;
  }
  key.evidence.reset();
  key.slow = key.fast = {};
  key.day_spoiled = true;
  if (opened.learned)
    return;
  spoil(key);
  if ((*keys_)[counts.slot].level == 0)
    scopes_[key.place].baseline.spoil_quarantine();
}

void detector::spoil(key_state& key) {
  key.current_spoiled = true;
  key.held_spoiled = true;
}

void detector::judge_open(const key_counts& counts, const expectation& expected, open_state& open, judge& out) {
  open.bound = resolve_rate(expected.rate, open.failed / std::max(1.0, open.total));
  open.back.observe(counts.total, counts.failed, expected.rate, open.bound, expected.dispersion);
  open.calm_total += static_cast<double>(counts.total);
  open.calm_failed += static_cast<double>(counts.failed);
  if (open.back.evidence() <= 1) {
    // What seemed to be the end was none.
    open.total += std::exchange(open.calm_total, 0);
    open.failed += std::exchange(open.calm_failed, 0);
    open.calm_since = now_ + 1;
  }
  if (!watched_.empty())
    note(counts, expected);
  const bool is_back = open.back.evidence() >= calm_from(open);
  const bool stays = now_ >= open.accept_at && open.back.evidence() <= 1;
  if (!is_back && !stays)
    return;
  verdict what;
  what.type = is_back ? verdict::kind::normal : verdict::kind::accepted;
  what.slot = counts.slot;
  what.onset = std::min(open.calm_since, now_);
  what.total = counts.total;
  what.failed = counts.failed;
  what.capped = counts.capped;
  what.baseline = expected.rate;
  auto& key = keys_of_[counts.slot];
  if (!is_back)
    take_as_normal(counts.slot, open.failed, open.total, expected);
  else if (now_ - open.opened <= ticks_an_hour_ && key.passing_incidents < 255 &&
           open.failed < (expected.rate + mild_excess) * open.total)
    ++key.passing_incidents;
  out.say(std::move(what));
  open_.erase(counts.slot);
}

double detector::calm_from(const open_state& open) const {
  return now_ < open.accept_at ? resolve_test::threshold : resolve_test::late_threshold;
}

bool detector::accept(key_slot slot, double, judge& out) {
  if (types_ && types_->has_open(slot))
    return types_->accept(slot, now_, out);
  const auto known = open_.find(slot);
  if (known == open_.end())
    return false;
  // The key may have no events in this tick, and its root neither.
  expect_root((*keys_)[slot].root);
  out.changed((*keys_)[slot].root);
  const auto expected = expect_from_state((*keys_)[slot].bytes, now_);
  if (!expected)
    return false;
  const auto open = known->second;
  verdict what;
  what.type = verdict::kind::accepted;
  what.slot = slot;
  what.onset = now_;
  what.total = whole(open.total);
  what.failed = whole(open.failed);
  what.capped = what.failed;
  what.baseline = expected->rate;
  take_as_vouched(slot, open.failed, open.total, *expected);
  out.say(std::move(what));
  open_.erase(slot);
  return true;
}

bool detector::accept_calm(key_slot slot, const incident_counts& seen) {
  if ((*keys_)[slot].level >= monitor_->levels.size())
    return false;
  expect_root((*keys_)[slot].root);
  const auto expected = expect_from_state((*keys_)[slot].bytes, now_);
  if (!expected)
    return false;
  take_as_vouched(slot, seen.failed, seen.total, *expected);
  return true;
}

/// The incident's own counts become the level, worth at most a hundred failures.
void detector::take_as_normal(key_slot slot, double failed, double total, const expectation& expected) {
  const auto rate = failed / std::max(1.0, total);
  auto& key = keys_of_[slot];
  if ((*keys_)[slot].level == 0) {
    scopes_[key.place].baseline.accept(rate);
    return;
  }
  const auto failures = std::clamp(failed, 1.0, 100.0);
  key.level.failures = static_cast<float>(failures);
  key.level.exposure = static_cast<float>(failures * expected.season / std::max(rate, 1e-6));
}

/// A person knows more than the counts: the rate becomes the expected one however few they are. The prior, which weighs
/// as much as `strength` failures at the parent's level, gets a quarter of the weight at most; the exposure makes up
/// for what it pulls.
void detector::take_as_vouched(key_slot slot, double failed, double total, const expectation& expected) {
  take_as_normal(slot, failed, total, expected);
  const auto& who = (*keys_)[slot];
  const auto parent = expect_from_state(parent_key(*monitor_, who.bytes), now_);
  if (who.level == 0 || !parent)
    return;
  const auto wanted = std::max(failed / std::max(1.0, total), 1e-6) / expected.season;
  const auto strength = scope_of(slot).priors[who.level].strength();
  const auto prior_exposure = strength / parent->level;
  const auto failures = std::max(vouched_failures, 4 * prior_exposure * wanted);
  auto& level = keys_of_[slot].level;
  level.failures = static_cast<float>(failures);
  level.exposure = static_cast<float>((failures + strength) / wanted - prior_exposure);
}

/// Score first, learn after: the tick joins what has been counted.
void detector::count(const key_counts& counts, const expectation& expected, lesson how) {
  auto& key = keys_of_[counts.slot];
  if (is_left_out(counts.slot)) {
    how = lesson::none;
    key.day_spoiled = true;
  }
  const auto total = static_cast<double>(counts.total);
  const auto failed = static_cast<double>(counts.failed);
  const auto failures = total * expected.rate;

  // The first ticks of a root expect half of everything to fail: nothing can be measured by that.
  const bool is_blind = !expected.in_shape && scope_of(counts.slot).baseline.expected().blind;
  if (!is_blind) {
    const auto passed = key.last_tick == never ? 1 : now_ - key.last_tick;
    const auto kept = passed == 1 ? kept_a_tick_ : std::pow(kept_a_tick_, static_cast<double>(passed));
    const auto an_hour = failures * static_cast<double>(ticks_an_hour_);
    key.recent_failures =
        static_cast<float>(static_cast<double>(key.recent_failures) * kept + (1 - kept_a_tick_) * an_hour);
    key.recent_weight = static_cast<float>(static_cast<double>(key.recent_weight) * kept + (1 - kept));
    key.mean_failures =
        key.mean_failures <= 0
            ? static_cast<float>(failures)
            : key.mean_failures + static_cast<float>(mean_weight * (failures - static_cast<double>(key.mean_failures)));
  }
  if (key.active_ticks < ticks_until_calibrated)
    ++key.active_ticks;

  if (window_ && how != lesson::none)
    window_->add(counts.slot, {counts.total, counts.failed, counts.capped});
  key.last_tick = now_;
  add(key.hour_events, total);
  if ((*keys_)[counts.slot].level == 0) {
    scopes_[key.place].baseline.learn(counts.total, counts.failed, how);
    return;
  }
  key.current_spoiled = key.current_spoiled || how == lesson::none;
  key.current_whole = key.current_whole || how == lesson::whole;
  if (is_blind)
    return;
  add(key.current.failed, failed);
  add(key.current.expected, failures);
  add(key.current.exposure, total * expected.season);
  add(key.current.squares, failures * failures);
  if (key.place != no_place && how != lesson::none && expected.variance < 0.25) {
    auto& full = fulls_[key.place];
    full.dispersion.observe(failed, failures, expected.rate, expected.dispersion, dispersion_kept_);
  }
}

/// A tail that is judged without events of its own in this tick.
void detector::turn_tail(key_slot slot, judge& out) {
  if (pooled_.find(slot) == pooled_.end())
    return;
  const auto level = (*keys_)[slot].level;
  const auto root = (*keys_)[slot].root;
  out.changed(root);
  const auto parent = expect_root(root);
  if (keys_of_[slot].hour == hour_)
    return;
  due_.clear();
  turn_hour(slot, level, 0);
  for (const auto& what : due_)
    learn(what, slot, &parent,
          robust_failures(static_cast<double>(what.sums.failed), static_cast<double>(what.sums.expected),
                          static_cast<double>(what.sums.squares), parent.dispersion,
                          scope_of(slot).priors[level].misfit()));
}

void detector::judge_tail(key_slot slot, judge& out) {
  const auto waiting = pooled_.find(slot);
  if (waiting == pooled_.end())
    return;
  auto counts = waiting->second.counts;
  const auto moved = waiting->second.moved;
  pooled_.erase(waiting);
  if (monitor_->has_viewers && !saturated(counts.viewers))
    counts.capped = std::min(counts.capped, distinct_from_bitmap(counts.viewers));
  if (counts.total > 0) {
    const auto parent = expect_root((*keys_)[slot].root);
    take_shape(keys_of_[slot], parent);
    const auto& prior = scope_of(slot).priors[(*keys_)[slot].level];
    const auto expected = expect_child(keys_of_[slot], slot, prior, parent, season_);
    const auto open = open_.find(slot);
    if (open != open_.end())
      open.value().rate = expected.rate;
    out.counted(counts);
    judge_key(counts, expected, out);
  }
  // Evidence may move from key to key, but no failure may count twice in it: it comes after what has just been judged.
  if (open_.find(slot) == open_.end())
    keys_of_[slot].evidence.add(moved);
}

// ---- For people.

double detector::expected_rate(key_slot slot) const {
  const auto open = open_.find(slot);
  if (open != open_.end())
    return open->second.rate;
  return types_ ? types_->expected_rate(slot) : 0;
}

std::string detector::closes_when(key_slot slot) const {
  const auto open = open_.find(slot);
  if (open == open_.end())
    return types_ ? types_->closes_when(slot) : std::string();
  return "rate below " + in_percent(open->second.bound) + " with evidence " + in_words(calm_from(open->second));
}

// ---- State.

void detector::save(key_slot slot, state_writer& out) const {
  const auto& key = keys_of_[slot];
  key.save(out);
  if ((*keys_)[slot].level == 0) {
    scopes_[key.place].save(out);
    if (types_)
      types_->save(slot, out);
  } else {
    out.u8(key.place != no_place ? 1 : 0);
    if (key.place != no_place)
      fulls_[key.place].save(out);
  }
  const auto open = open_.find(slot);
  out.u8(open != open_.end() ? 1 : 0);
  if (open != open_.end()) {
    const auto& what = open->second;
    out.i64(what.opened);
    out.i64(what.accept_at);
    out.u8(what.learned ? 1 : 0);
    out.f64(what.total);
    out.f64(what.failed);
    out.f64(what.calm_total);
    out.f64(what.calm_failed);
    out.f64(what.rate);
    out.f64(what.bound);
    out.i64(what.calm_since);
    out.f64(what.back.evidence());
  }
  const auto waiting = pooled_.find(slot);
  out.u8(waiting != pooled_.end() ? 1 : 0);
  if (waiting != pooled_.end()) {
    const auto& [counts, moved] = waiting->second;
    out.i64(counts.total);
    out.i64(counts.failed);
    out.i64(counts.capped);
    out.u64(counts.viewers);
    for (const auto component : moved.components())
      out.f32(component);
  }
}

bool detector::load(key_slot slot, state_reader& in) {
  auto& key = keys_of_[slot];
  key = {};
  if (!key.load(in))
    return false;
  if ((*keys_)[slot].level == 0) {
    key.place = scopes_.take();
    auto& scope = scopes_[key.place];
    scope.baseline = root_baseline(clock_, 0);
    scope.budget = alarm_budget(budget_a_tick_, monitor_->levels.size() > 1);
    scope.resize(monitor_->levels.size());
    if (!scope.load(in) || (types_ && !types_->load(slot, in)))
      return false;
  } else if (in.u8() != 0) {
    key.place = fulls_.take();
    if (!fulls_[key.place].load(in))
      return false;
  }
  if (in.u8() != 0) {
    auto& what = open_[slot];
    what.opened = in.i64();
    what.accept_at = in.i64();
    what.learned = in.u8() != 0;
    what.total = in.f64();
    what.failed = in.f64();
    what.calm_total = in.f64();
    what.calm_failed = in.f64();
    what.rate = in.f64();
    what.bound = in.f64();
    what.calm_since = in.i64();
    const auto is_rate = [](double v) { return v >= 0 && v <= 1; };
    const auto are_counts = [](double failed, double total) {
      return failed >= 0 && failed <= total && total < most_sum;
    };
    if (!what.back.load(in.f64()) || !are_counts(what.failed, what.total) ||
        !are_counts(what.calm_failed, what.calm_total) || !is_rate(what.rate) || !is_rate(what.bound))
      return false;
  }
  if (in.u8() != 0) {
    auto& [counts, moved] = pooled_[slot];
    counts.slot = slot;
    counts.total = in.i64();
    counts.failed = in.i64();
    counts.capped = in.i64();
    counts.viewers = in.u64();
    shiryaev_roberts_mixture::evidence components{};
    for (auto& component : components)
      component = in.f32();
    if (counts.capped < 0 || counts.failed < counts.capped || counts.total < counts.failed || !moved.load(components))
      return false;
  }
  return in.ok();
}

void detector::save_changed_pages(const page_writer& write) {
  if (window_)
    window_pages::save_changed(*window_, *keys_, write);
}

bool detector::load_page(std::int64_t page, state_reader& in) {
  return window_ && pages_.load(page, in);
}

bool detector::loaded(tick_index last_tick, judge& out) {
  now_ = last_tick;
  if (window_ && !pages_.finish(*window_, *keys_, last_tick))
    return false;
  struct census {
    std::uint64_t established = 0, newcomers = 0, weights = 0;
  };
  std::vector<census> seen(scopes_.size());
  for (key_slot slot = 0; slot < keys_of_.size(); ++slot) {
    if (!(*keys_)[slot].alive || (*keys_)[slot].level == type_level_of(*monitor_))
      continue;
    const auto& key = keys_of_[slot];
    if (key.last_tick > last_tick || !is_known(key))
      return false;
    auto& own = seen[keys_of_[(*keys_)[slot].root].place];
    if (key.is_new) {
      ++own.newcomers;
      out.remind(std::max(last_tick + 1, grown_up_at(slot)), slot);
    } else {
      ++own.established;
      own.weights += key.weight;
    }
  }
  for (std::uint32_t i = 0; i < scopes_.size(); ++i)
    if (seen[i].established != scopes_[i].budget.established() || seen[i].newcomers != scopes_[i].budget.newcomers() ||
        seen[i].weights != scopes_[i].budget.weights())
      return false;
  for (const auto& [slot, waiting] : pooled_)
    out.remind(last_tick + 1, slot);
  return !types_ || types_->loaded(last_tick);
}

std::size_t detector::memory_bytes() const {
  return (window_ ? window_->memory_bytes() : 0) + (types_ ? types_->memory_bytes() : 0) +
         keys_of_.capacity() * sizeof(key_state) + fulls_.capacity() * sizeof(full_state) +
         scopes_.capacity() *
             (sizeof(scope_state) +
              monitor_->levels.size() * (sizeof(level_prior) + traffic_classes * sizeof(tail_calibration))) +
         open_.bucket_count() * sizeof(std::pair<key_slot, open_state>) +
         pooled_.bucket_count() * sizeof(std::pair<key_slot, pooled_keys>) + due_.capacity() * sizeof(due_hour);
}

} // namespace tocsin::sr_mixture
