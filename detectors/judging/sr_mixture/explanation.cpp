// What the detector tells people of a key. Nothing here changes its state.

#include "detectors/judging/dimensions.hpp"
#include "detectors/judging/sr_mixture/detector.hpp"
#include "models/guard.hpp"

#include <algorithm>
#include <cmath>

namespace tocsin::sr_mixture {

std::vector<std::pair<std::string, std::string>> detector::explain(key_slot slot) const {
  const auto known = explain_key((*keys_)[slot].bytes);
  return known ? facts_of(*known) : std::vector<std::pair<std::string, std::string>>();
}

std::optional<explanation> detector::explain_key(std::string_view key) const {
  const auto root = keys_->find(hash_key(root_key(tocsin::scope_of(key, monitor_->scope_size))));
  if (!root || !is_known(keys_of_[*root]))
    return std::nullopt;
  const auto& scope = scope_of(*root);
  const auto level = static_cast<std::uint8_t>(key[0]);
  const auto slot = keys_->find(hash_key(key));
  const bool is_seen = slot && is_known(keys_of_[*slot]);
  const auto tick = (*keys_)[is_seen ? *slot : *root].last_tick;
  const auto expected = expect_from_state(key, tick);
  if (!expected)
    return std::nullopt;

  key_state blank;
  blank.is_new = true;
  auto out = is_seen ? explain_state(keys_of_[*slot], *slot, level, scope, *expected, tick)
                     : explain_state(blank, no_slot, level, scope, *expected, tick);
  if (level != 0)
    if (const auto parent = expect_from_state(parent_key(*monitor_, key), tick))
      out.parent_rate = parent->rate;
  return out;
}

/// What was expected of the tick, as known now. A key that was never seen has what it would inherit.
std::optional<expectation> detector::expect_from_state(std::string_view key, tick_index tick) const {
  const auto slot = keys_->find(hash_key(key));
  const bool is_seen = slot && is_known(keys_of_[*slot]);
  const auto start = tick_start(tick, monitor_->tick);
  const auto local = local_time(*monitor_, start);
  const auto at = season_at(local, monitor_->tick);
  if (key[0] == 0) {
    if (!is_seen)
      return std::nullopt;
    auto baseline = scopes_[keys_of_[*slot].place].baseline;
    leave_out(*slot, baseline);
    baseline.advance(static_cast<double>(start) / second_ms, static_cast<double>(local) / second_ms, at);
    auto out = expectation_of(baseline);
    if (window_)
      expect_sliding(*slot, nullptr, 0.5, out);
    return out;
  }
  const auto parent = expect_from_state(parent_key(*monitor_, key), tick);
  if (!parent)
    return std::nullopt;
  auto state = is_seen ? keys_of_[*slot] : key_state();
  take_shape(state, *parent);
  const auto root = keys_->find(hash_key(root_key(tocsin::scope_of(key, monitor_->scope_size))));
  return expect_child(state, is_seen ? *slot : no_slot, scope_of(*root).priors[static_cast<std::uint8_t>(key[0])],
                      *parent, at);
}

void detector::note(const key_counts& counts, const expectation& expected) {
  if (std::find(watched_.begin(), watched_.end(), counts.slot) == watched_.end())
    return;
  const auto& record = (*keys_)[counts.slot];
  auto seen = explain_state(keys_of_[counts.slot], counts.slot, record.level, scope_of(counts.slot), expected, now_);
  // The pooled tail's own turn has no row of its parent: it inherits from the root.
  const auto& parents = expected_[parents_[record.level]];
  if (record.level != 0)
    seen.parent_rate = counts.parent < parents.size() && !is_pooled(record.bytes) ? parents[counts.parent].rate
                                                                                  : scope_of(counts.slot).seen.rate;
  noted_.emplace_back(counts.slot, std::move(seen));
}

const explanation* detector::noted(key_slot slot) const {
  // The last one: a pooled tail may be judged twice in a tick.
  const auto found = std::find_if(noted_.rbegin(), noted_.rend(), [&](const auto& one) { return one.first == slot; });
  return found == noted_.rend() ? nullptr : &found->second;
}

explanation detector::explain_state(const key_state& key, key_slot slot, std::uint32_t level, const scope_state& scope,
                                    const expectation& expected, tick_index tick) const {
  const bool is_seen = slot != no_slot;
  explanation out;
  out.tick = tick;
  out.expected_rate = expected.rate;
  out.level = expected.level;
  out.season = expected.season;
  out.shaped = expected.in_shape;
  out.seasonal = expected.seasonal;
  out.uncertainty = std::sqrt(expected.variance);
  out.misfit = std::sqrt(expected.misfit);
  out.dispersion = expected.dispersion;
  const auto guard = guard_of(key, scope, expected);
  out.guard = std::exp(guard);
  out.guarded_rate = guarded_rate(expected.rate, guard);

  out.evidence = key.evidence.sum();
  out.threshold = threshold(key, level, scope);
  const auto& odds = odds_ratios();
  for (int j = 0; j < alternatives; ++j)
    out.alternatives.push_back({odds[j], out.guarded_rate * odds[j] / (1 + out.guarded_rate * (odds[j] - 1)),
                                static_cast<double>(key.evidence.components()[static_cast<std::size_t>(j)])});
  out.budget_per_day = alarms_a_day(key, scope);
  out.scope_budget_per_day = budget_a_tick_ * ticks_a_day_;

  const auto open = is_seen ? open_.find(slot) : open_.end();
  const auto created = is_seen ? (*keys_)[slot].created : tick;
  const auto& run = latest_excursion(key);
  if (run.ticks > 0)
    out.excess = counts_of(run, created, tick);
  if (open != open_.end()) {
    const auto& waiting = open->second;
    out.closing = waiting_to_close{waiting.opened,     waiting.failed / std::max(1.0, waiting.total),
                                   waiting.bound,      waiting.back.evidence(),
                                   calm_from(waiting), waiting.accept_at};
  }
  out.state = !is_seen                                            ? standing::unseen
              : open != open_.end()                               ? standing::open
              : out.evidence >= 1 && out.evidence < out.threshold ? standing::calibrated
              : out.evidence >= out.threshold                     ? standing::held_back
              : key.is_new                                        ? standing::newcomer
                                                                  : standing::watching;
  if (is_seen)
    out.events_an_hour = events_an_hour(key, created, tick);
  out.to_detect = times_to_detect({out.expected_rate, out.guarded_rate, out.events_an_hour, out.budget_per_day},
                                  monitor_->gates, monitor_->tick);
  return out;
}

/// Mean over the last days. The weight in the budget follows it, but began at nothing; how much it lacks is known.
double detector::events_an_hour(const key_state& key, tick_index created, tick_index last) const {
  constexpr auto kept = events_kept_an_hour;
  const auto tick = static_cast<double>(monitor_->tick) / second_ms;
  const auto born = static_cast<double>(created) * tick / clock_.hour;
  const auto now = static_cast<double>(last + 1) * tick / clock_.hour;
  const auto at_hand = std::max(tick / clock_.hour, now - std::max(born, static_cast<double>(key.hour)));
  const auto events = static_cast<double>(key.hour_events);
  const auto hours_past = static_cast<double>(key.hour) - std::floor(born);
  // The first event made the key, so it tells nothing of their rate.
  if (hours_past < 1)
    return 3600 / clock_.hour * std::max(0.0, events - 1) / at_hand;
  const auto not_lived = (born - std::floor(born)) * (1 - kept) * std::pow(kept, hours_past - 1);
  const auto past = 1 - std::pow(kept, hours_past) - not_lived;
  const auto mean = std::pow(static_cast<double>(key.weight) / weight_unit, 2);
  return 3600 / clock_.hour * (kept * mean + (1 - kept) * events) / (kept * past + (1 - kept) * at_hand);
}

} // namespace tocsin::sr_mixture
