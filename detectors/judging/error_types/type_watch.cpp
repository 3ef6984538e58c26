#include "detectors/judging/error_types/type_watch.hpp"

#include "detectors/judging/words.hpp"
#include "models/binomial.hpp"
#include "models/level.hpp"
#include "models/linear_counting.hpp"

#include <algorithm>
#include <cmath>
#include <tuple>

namespace tocsin::error_types {

namespace {

constexpr std::size_t most_a_scope = 256;
constexpr std::size_t fewest_a_scope = 8;
/// A run goes on while its failures keep this far ahead of what is expected.
constexpr double pace = 1.8;
constexpr double least_rate = 1e-9;
constexpr double most_rate = 0.9;
constexpr tick_index least_patience = 2; ///< hours

double rate_of(double share, double scope_rate) {
  return std::clamp(share * scope_rate, least_rate, most_rate);
}

bool is_nameless(std::string_view type) {
  return type.empty() || static_cast<std::uint8_t>(type[0]) == static_cast<std::uint8_t>(value_tag::pooled);
}

std::int64_t distinct(std::int64_t failed, std::uint64_t viewers, bool has_viewers) {
  return !has_viewers || saturated(viewers) ? failed : std::min(failed, distinct_from_bitmap(viewers));
}

/// The type's failures of the tick; none.
type_counts counts_of(const scope_tick& seen, std::string_view type) {
  const auto* found = std::lower_bound(seen.first, seen.last, type,
                                       [](const type_counts& a, std::string_view wanted) { return a.type < wanted; });
  return found != seen.last && found->type == type ? *found : type_counts();
}

/// Failures of the tick that belong to open incidents.
std::int64_t of_open_types(const scope_types& scope, const scope_tick& seen) {
  std::int64_t sum = 0;
  for (const auto& type : scope.open)
    sum += counts_of(seen, type).failed;
  return sum;
}

} // namespace

type_watch::type_watch(const monitor_spec& monitor, const sr_mixture_spec& settings, const keyed_state& keys,
                       double budget)
    : monitor_(&monitor), settings_(&settings), keys_(&keys), budget_(budget),
      ticks_a_day_(static_cast<double>(day_ms) / static_cast<double>(monitor.tick)),
      ticks_an_hour_(std::max<tick_index>(1, hour_ms / monitor.tick)),
      most_kept_(part_of_shard(monitor.capacity.max_leaves, monitor)) {}

// ---- A tick of a scope.

void type_watch::step(tick_index now, const scope_tick& seen, judge& out) {
  const auto hour = static_cast<std::int32_t>(tick_of(tick_start(now, monitor_->tick), hour_ms));
  auto& scope = scope_at(seen.root, now);
  turn_hour(scope, hour);
  const turn at{now, &seen, &scope, static_cast<double>(seen.total) * seen.rate};
  const std::vector<std::string> open(scope.open.begin(), scope.open.end());
  if (!seen.is_void)
    for (const auto* counts = seen.first; counts != seen.last; ++counts)
      if (!is_nameless(counts->type) && scope.open.find(counts->type) == scope.open.end())
        judge_type(at, *counts, out);
  for (const auto& type : open)
    judge_open(at, type, out);
  scope.events += seen.total;
  scope.expected += at.expected;
  if (!seen.is_void) {
    const auto learned = static_cast<double>(seen.failed - of_open_types(scope, seen));
    scope.gone += learned;
    scope.exposure += learned;
  }
  if (scope.known.size() > most_types())
    make_room(scope, hour);
  scope.budget.share_among(scope.known.size(), now + 1);
}

scope_types& type_watch::scope_at(key_slot root, tick_index now) {
  const auto known = scopes_.find(root);
  if (known != scopes_.end())
    return known.value();
  auto& made = scopes_[root];
  made.budget = type_budget(budget_, ticks_a_day_, now);
  made.hour = static_cast<std::int32_t>(tick_of(tick_start(now, monitor_->tick), hour_ms));
  made.began = now;
  return made;
}

void type_watch::turn_hour(scope_types& scope, std::int32_t hour) const {
  if (hour <= scope.hour)
    return;
  scope.exposure *= level_kept(hour - scope.hour);
  scope.hour = hour;
}

void type_watch::judge_type(const turn& at, const type_counts& counts, judge& out) {
  auto& scope = *at.scope;
  const auto [position, is_new] = scope.known.try_emplace(std::string(counts.type));
  auto& type = position->second;
  auto before = 0.0;
  if (is_new) {
    type.test.name(scope.budget.take_from_purse(at.now));
    // The failure that names a type is no evidence.
    if (counts.failed > 1)
      type.test.observe(at.seen->total - 1, counts.failed - 1, rate_in_tick(at, type.test), at.seen->dispersion);
    type.test.learn(static_cast<double>(counts.failed - 1));
  } else {
    type.test.forget(level_kept(scope.hour - type.hour));
    before = type.test.failures();
    observe(at, type, counts.failed);
    type.test.learn(static_cast<double>(counts.failed));
  }
  type.hour = scope.hour;
  follow(at, type, counts, before);
  type.last_tick = at.now;
  type.events_seen = scope.events + at.seen->total;
  type.exposure_seen = scope.gone + static_cast<double>(at.seen->failed);
  type.spent = scope.budget.until(at.now + 1);
  if (type.test.is_rare() && type.test.evidence() >= 1)
    raise(at, counts, out);
}

/// Of all failures of the tick, or of those that were expected where that is more: where all types rise, none does.
double type_watch::rate_in_tick(const turn& at, const rare_type& type) const {
  const auto failures = std::max(at.expected * at.seen->raised, static_cast<double>(at.seen->failed));
  return rate_of(type.share(at.scope->exposure),
                 failures / static_cast<double>(std::max<std::int64_t>(1, at.seen->total)));
}

/// The silence since the type failed last, then the tick.
void type_watch::observe(const turn& at, known_type& type, std::int64_t failed) const {
  const auto& scope = *at.scope;
  if (!type.test.is_rare()) {
    type.test.reset();
    return;
  }
  const auto mass = std::max(0.0, scope.budget.until(at.now + 1) - type.spent);
  const auto events = scope.events - type.events_seen;
  const auto silent = std::max(0.0, scope.gone - type.exposure_seen);
  const auto of_silence = events > 0 ? silent / static_cast<double>(events) : 0;
  const auto then = std::max(0.0, scope.exposure - silent);
  type.test.observe_silence(mass, events, rate_of(type.test.share(then), of_silence));
  type.test.observe(at.seen->total, failed, rate_in_tick(at, type.test), at.seen->dispersion);
}

/// `failures_before`: what was known of the type before this tick.
void type_watch::follow(const turn& at, known_type& type, const type_counts& counts, double failures_before) const {
  const auto& scope = *at.scope;
  auto& run = type.run;
  const auto is_over = static_cast<double>(run.failed) <= pace * run.share * (scope.expected - run.expected_before);
  if (!run.goes_on || is_over) {
    run = {};
    run.goes_on = true;
    run.onset = at.now;
    run.events_before = scope.events;
    run.expected_before = scope.expected;
    run.known = failures_before;
    run.share = (failures_before + 0.5) / (1 + scope.exposure);
  }
  run.failed += counts.failed;
  run.viewers |= counts.viewers;
}

verdict type_watch::verdict_of(const turn& at, const known_type& type) const {
  const auto& scope = *at.scope;
  const auto& run = type.run;
  verdict what;
  what.type = verdict::kind::excess;
  what.onset = run.onset;
  what.total = scope.events + at.seen->total - run.events_before;
  what.failed = std::min(run.failed, what.total);
  what.capped = distinct(what.failed, run.viewers, monitor_->has_viewers);
  what.viewers = run.viewers;
  what.baseline = rate_of(run.share, at.seen->rate);
  what.expected = run.share * (scope.expected + at.expected - run.expected_before);
  what.evidence = type.test.evidence();
  const auto a_day = scope.budget.rate() * ticks_a_day_;
  what.once_in_days = *what.evidence / a_day;
  const auto odds = *what.evidence * settings_->incidents_per_day / settings_->false_alarms_per_day;
  what.confidence = odds / (1 + odds);
  what.model = {{"guard", at.seen->raised},
                {"dispersion", at.seen->dispersion},
                {"threshold", 1},
                {"budget_per_day", a_day},
                {"false_alarms_per_day", settings_->false_alarms_per_day},
                {"incidents_per_day", settings_->incidents_per_day},
                {"type_failures_before", run.known},
                {"scope_failures_before", scope.exposure},
                {"expected_rate_on_open", what.baseline},
                {"expected_failures_on_open", *what.expected},
                {"events_on_open", static_cast<double>(what.total)},
                {"failures_on_open", static_cast<double>(what.failed)},
                {"tail_probability", binomial_upper_tail(what.failed, what.total, what.baseline)},
                {"min_ratio", monitor_->gates.min_ratio},
                {"min_difference", monitor_->gates.min_difference},
                {"min_excess_failures", monitor_->gates.min_excess_failures}};
  if (monitor_->has_viewers)
    what.model.emplace_back("capped_failures_on_open", static_cast<double>(what.capped));
  return what;
}

void type_watch::raise(const turn& at, const type_counts& counts, judge& out) {
  auto& scope = *at.scope;
  const std::string name(counts.type);
  auto& type = scope.known.find(name)->second;
  auto what = verdict_of(at, type);
  what.slot = out.type_key(at.seen->root, name);
  if (what.slot == no_slot)
    return;
  open_type opened;
  opened.opened = at.now;
  const auto age = at.now - scope.began;
  opened.accept_at = at.now + std::min(std::max(age, least_patience * ticks_an_hour_),
                                       std::max<tick_index>(1, monitor_->life.accept_after * ticks_an_hour_ / hour_ms));
  opened.calm_since = at.now + 1;
  opened.share = type.run.share;
  opened.total = static_cast<double>(what.total);
  opened.failed = static_cast<double>(what.failed);
  opened.rate = what.baseline;
  opened.bound = resolve_rate(opened.rate, opened.failed / std::max(1.0, opened.total));
  // closes_when() is asked for while the incident opens.
  type.open = opened;
  type.slot = what.slot;
  open_[what.slot] = {at.seen->root, name};
  const auto slot = what.slot;
  if (!out.say(std::move(what))) {
    // A gate holds it back: the evidence stays.
    open_.erase(slot);
    type.open.reset();
    type.slot = no_slot;
    return;
  }
  scope.open.insert(name);
  // What belongs to the incident is not to be learned.
  const auto learned = type.test.failures() - type.run.known - static_cast<double>(counts.failed);
  scope.exposure = std::max(0.0, scope.exposure - std::max(0.0, learned));
  type.test.set_failures(type.run.known);
  type.test.reset();
  type.run = {};
}

// ---- While its incident is open.

void type_watch::judge_open(const turn& at, const std::string& name, judge& out) {
  auto& scope = *at.scope;
  auto& type = scope.known.find(name)->second;
  auto& open = *type.open;
  const auto counts = counts_of(*at.seen, name);
  open.rate = rate_of(open.share, at.seen->rate);
  key_counts told;
  told.slot = type.slot;
  told.total = at.seen->total;
  told.failed = counts.failed;
  told.capped = distinct(counts.failed, counts.viewers, monitor_->has_viewers);
  told.viewers = counts.viewers;
  out.counted(told);

  open.bound = resolve_rate(open.rate, open.failed / std::max(1.0, open.total));
  open.back.observe(told.total, told.failed, open.rate, open.bound, at.seen->dispersion);
  open.calm_total += static_cast<double>(told.total);
  open.calm_failed += static_cast<double>(told.failed);
  if (open.back.evidence() <= 1) {
    // What seemed to be the end was none.
    open.total += std::exchange(open.calm_total, 0);
    open.failed += std::exchange(open.calm_failed, 0);
    open.calm_since = at.now + 1;
  }
  const bool is_back = open.back.evidence() >= resolve_test::threshold;
  if (!is_back && at.now < open.accept_at)
    return;
  verdict what;
  what.type = is_back ? verdict::kind::normal : verdict::kind::accepted;
  what.slot = type.slot;
  what.onset = std::min(open.calm_since, at.now);
  what.total = told.total;
  what.failed = told.failed;
  what.capped = told.capped;
  what.baseline = open.rate;
  if (!is_back)
    take_as_normal(type, scope, at.seen->rate);
  out.say(std::move(what));
  end(scope, type, name, at.now);
  type.events_seen = scope.events + at.seen->total;
  type.exposure_seen = scope.gone;
}

/// `rate`: expected of the scope.
void type_watch::take_as_normal(known_type& type, const scope_types& scope, double rate) const {
  const auto& open = *type.open;
  const auto share = open.failed / std::max(1.0, open.total) / std::max(least_rate, rate);
  type.test.set_failures(share * (1 + scope.exposure));
}

bool type_watch::accept(key_slot slot, tick_index now, judge& out) {
  const auto known = open_.find(slot);
  if (known == open_.end())
    return false;
  const auto at = known->second;
  auto& scope = scopes_.find(at.root).value();
  auto& type = scope.known.find(at.type)->second;
  const auto open = *type.open;
  take_as_normal(type, scope, open.rate / std::max(least_rate, open.share));
  verdict what;
  what.type = verdict::kind::accepted;
  what.slot = slot;
  what.onset = now;
  what.total = static_cast<std::int64_t>(std::min(open.total, 9e18));
  what.failed = what.capped = static_cast<std::int64_t>(std::min(open.failed, 9e18));
  what.baseline = open.rate;
  out.changed(at.root);
  out.say(std::move(what));
  end(scope, type, at.type, now);
  type.events_seen = scope.events;
  type.exposure_seen = scope.gone;
  return true;
}

/// Its incident is over; what comes from the next tick on is judged anew.
void type_watch::end(scope_types& scope, known_type& type, const std::string& name, tick_index now) {
  open_.erase(type.slot);
  type.open.reset();
  type.slot = no_slot;
  type.hour = scope.hour;
  type.last_tick = now;
  type.spent = scope.budget.until(now + 1);
  scope.open.erase(name);
}

void type_watch::close(key_slot slot) {
  const auto known = open_.find(slot);
  if (known == open_.end())
    return;
  const auto at = known->second;
  if (const auto scope = scopes_.find(at.root); scope != scopes_.end()) {
    auto& type = scope.value().known.find(at.type)->second;
    end(scope.value(), type, at.type, type.last_tick);
    type.events_seen = scope->second.events;
    type.exposure_seen = scope->second.gone;
  } else {
    open_.erase(slot);
  }
}

// ---- Types and scopes go.

std::size_t type_watch::most_types() const {
  return std::clamp(most_kept_ / std::max<std::size_t>(1, scopes_.size()), fewest_a_scope, most_a_scope);
}

void type_watch::make_room(scope_types& scope, std::int32_t hour) {
  const auto most = most_types();
  using weighed = std::tuple<double, tick_index, std::string>;
  std::vector<weighed> closed;
  for (const auto& [name, type] : scope.known)
    if (!type.open)
      closed.emplace_back(type.test.failures() * level_kept(hour - type.hour), type.last_tick, name);
  std::sort(closed.begin(), closed.end());
  const auto wanted = scope.known.size() - (most - most / 8);
  for (std::size_t i = 0; i < std::min(wanted, closed.size()); ++i)
    scope.known.erase(std::get<std::string>(closed[i]));
}

void type_watch::forget(const std::vector<bool>& slots) {
  std::vector<key_slot> gone;
  for (const auto& [slot, at] : open_)
    if (slot < slots.size() && slots[slot])
      gone.push_back(slot);
  for (const auto slot : gone)
    close(slot);
  for (auto it = scopes_.begin(); it != scopes_.end();)
    it = it->first < slots.size() && slots[it->first] ? scopes_.erase(it) : std::next(it);
}

// ---- For people.

const open_type* type_watch::open_of(key_slot slot) const {
  const auto known = open_.find(slot);
  if (known == open_.end())
    return nullptr;
  const auto& type = scopes_.find(known->second.root)->second.known.find(known->second.type)->second;
  return type.open ? &*type.open : nullptr;
}

double type_watch::expected_rate(key_slot slot) const {
  const auto* open = open_of(slot);
  return open == nullptr ? 0 : open->rate;
}

std::string type_watch::closes_when(key_slot slot) const {
  const auto* open = open_of(slot);
  if (open == nullptr)
    return {};
  return "rate below " + in_percent(open->bound) + " with evidence " + in_words(resolve_test::threshold);
}

const scope_types* type_watch::of(key_slot root) const {
  const auto known = scopes_.find(root);
  return known == scopes_.end() ? nullptr : &known->second;
}

// ---- State.

void type_watch::save(key_slot root, state_writer& out) const {
  const auto known = scopes_.find(root);
  out.u8(known != scopes_.end() ? 1 : 0);
  if (known != scopes_.end())
    known->second.save(out);
}

bool type_watch::load(key_slot root, state_reader& in) {
  if (in.u8() == 0)
    return in.ok();
  auto& scope = scopes_[root];
  scope.budget = type_budget(budget_, ticks_a_day_, 0);
  return scope.load(in);
}

bool type_watch::loaded(tick_index last_tick) {
  for (auto it = scopes_.begin(); it != scopes_.end(); ++it) {
    auto& scope = it.value();
    if (scope.began > last_tick)
      return false;
    for (auto& [name, type] : scope.known) {
      if (type.last_tick > last_tick || type.events_seen > scope.events || type.hour > scope.hour)
        return false;
      if (!type.open)
        continue;
      const auto slot = keys_->find(hash_key(type_key_of(*monitor_, (*keys_)[it->first].bytes, name)));
      if (!slot || type.open->opened > last_tick)
        return false;
      type.slot = *slot;
      open_[*slot] = {it->first, name};
    }
  }
  return true;
}

std::size_t type_watch::memory_bytes() const {
  constexpr std::size_t node = 4 * sizeof(void*) + 32; ///< of the map, with the bytes of a name
  auto sum = scopes_.bucket_count() * (sizeof(scope_types) + 2 * sizeof(key_slot)) +
             open_.bucket_count() * (sizeof(place) + 2 * sizeof(key_slot));
  for (const auto& [root, scope] : scopes_)
    sum += scope.known.size() * (sizeof(known_type) + sizeof(std::string) + node);
  return sum;
}

} // namespace tocsin::error_types
