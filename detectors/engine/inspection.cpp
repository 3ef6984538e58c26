// Looking into a monitor_shard: what it knows of a key, and how it judges those that are watched.

#include "detectors/engine/inspection.hpp"

#include "detectors/engine/monitor_shard.hpp"
#include "detectors/incidents/attribution.hpp"
#include "detectors/judging/dimensions.hpp"

#include <algorithm>

namespace tocsin {

key_explanation monitor_shard::identity_of(std::string_view key) const {
  const auto level = static_cast<std::uint8_t>(key[0]);
  key_explanation out;
  out.monitor = monitor_->name;
  out.level = level_names(*monitor_, level);
  out.key = name_dimensions(*monitor_, level, key);
  out.bytes = key;
  out.tick = monitor_->tick;
  out.told_after = holdback(*world_);
  if (const auto slot = keys_.find(hash_key(key))) {
    out.known = true;
    out.created = tick_start(keys_[*slot].created, monitor_->tick);
    out.last_seen = tick_end(keys_[*slot].last_tick, monitor_->tick);
  }
  return out;
}

gate_view monitor_shard::gates_of(std::int64_t total, std::int64_t failed, std::int64_t capped, double baseline,
                                  double expected) const {
  gate_view out;
  out.failures = check_gates(monitor_->gates, total, failed, baseline, expected);
  if (monitor_->has_viewers)
    out.viewers = check_gates(monitor_->gates, total, capped, baseline, expected);
  return out;
}

/// `seen`: how the detector judged the key in the tick at hand, if it did.
detector_view monitor_shard::view_of(std::size_t detector, std::string_view key, const explanation* seen) const {
  const auto& judging = judgings_[detector];
  const auto& spec = monitor_->detectors[detector];
  detector_view out;
  out.name = spec.name;
  out.type = spec.type;
  out.shadow = spec.shadow;
  out.model = seen != nullptr ? std::optional<explanation>(*seen) : judging.by->explain_key(key);
  if (out.model && out.model->excess) {
    const auto& excess = *out.model->excess;
    out.gates = gates_of(excess.total, excess.failed, excess.capped, out.model->expected_rate, excess.expected);
  }
  const auto slot = keys_.find(hash_key(key));
  if (out.model)
    out.facts = facts_of(*out.model);
  else if (slot && !is_of_type(*slot))
    out.facts = judging.by->explain(*slot);
  if (!slot)
    return out;
  if (const auto* open = judging.incidents.open_incident(*slot))
    out.incident = incident_view{open->who.id,
                                 tick_start(open->onset, monitor_->tick),
                                 tick_end(open->opened, monitor_->tick),
                                 open->harm,
                                 open->total,
                                 open->failed,
                                 open->expected,
                                 open->evidence,
                                 open->once_in_days,
                                 judging.by->closes_when(*slot)};
  return out;
}

std::optional<key_explanation> monitor_shard::explain(std::string_view key) const {
  if (!keys_.find(hash_key(root_key(scope_of(key, monitor_->scope_size)))))
    return std::nullopt;
  auto out = identity_of(key);
  for (std::size_t d = 0; d < judgings_.size(); ++d)
    out.detectors.push_back(view_of(d, key, nullptr));
  return out;
}

std::optional<attribution_view> monitor_shard::attribute(std::string_view key, time_ms since) const {
  const auto root = root_key(scope_of(key, monitor_->scope_size));
  if (!leaves_ || !keys_.find(hash_key(root)))
    return std::nullopt;
  const auto within = values_of(*monitor_, key);
  const auto onset = tick_of(since, monitor_->tick);
  return attribution_view{contributors_of(*monitor_, leaves_->causes(root, within, onset)),
                          contributors_of(*monitor_, leaves_->ranking(root, within, onset))};
}

// ---- Watching.

void monitor_shard::watch(std::vector<std::string> keys) {
  watch_.reset();
  for (auto& judging : judgings_)
    judging.by->watch({});
  if (keys.empty())
    return;
  watch_ = std::make_unique<watch_state>();
  watch_->keys = std::move(keys);
}

std::vector<watched_tick> monitor_shard::take_watched() {
  return watch_ ? std::exchange(watch_->seen, {}) : std::vector<watched_tick>();
}

/// Which slots the keys have may change from tick to tick.
void monitor_shard::begin_watching() {
  std::vector<key_slot> slots;
  for (const auto& key : watch_->keys)
    if (const auto slot = keys_.find(hash_key(key)))
      slots.push_back(*slot);
  for (auto& judging : judgings_)
    judging.by->watch(slots);
  watch_->asked.clear();
}

void monitor_shard::note_verdict(const verdict& what) {
  if (what.type != verdict::kind::excess)
    return;
  const auto expected = what.expected.value_or(what.baseline * static_cast<double>(what.total));
  watch_->asked.push_back(
      {current_, what.slot, what.gated, gates_of(what.total, what.failed, what.capped, what.baseline, expected)});
}

/// Something was asked for or told of the key in the tick at hand.
bool monitor_shard::is_news_of(const std::string& key, std::optional<key_slot> slot, const std::vector<alert>& out,
                               std::size_t first_alert) const {
  return std::any_of(watch_->asked.begin(), watch_->asked.end(),
                     [&](const asked_verdict& asked) { return asked.slot == slot; }) ||
         std::any_of(out.begin() + static_cast<std::ptrdiff_t>(first_alert), out.end(),
                     [&](const alert& told) { return told.key_bytes == key; });
}

void monitor_shard::note_tick(const closed_tick& tick, const std::vector<alert>& out, std::size_t first_alert) {
  for (const auto& key : watch_->keys) {
    const auto slot = keys_.find(hash_key(key));
    watched_tick seen;
    seen.bytes = key;
    seen.end = tick_end(tick.tick, monitor_->tick);
    bool has_events = false;
    if (slot && !is_of_type(*slot))
      for (const auto& counts : tick.levels[static_cast<std::uint8_t>(key[0])])
        if (counts.slot == *slot) {
          seen.total = counts.total;
          seen.failed = counts.failed;
          has_events = true;
        }
    if (!has_events && !is_news_of(key, slot, out, first_alert))
      continue;
    for (std::size_t d = 0; d < judgings_.size(); ++d) {
      seen.judgements.push_back(judgement_of(d, key, slot));
      auto& judgement = seen.judgements.back();
      for (auto i = first_alert; i < out.size(); ++i)
        if (out[i].monitor_index == monitor_index_ && out[i].detector_index == d && out[i].key_bytes == key)
          judgement.told.push_back(out[i].kind);
    }
    seen.of = identity_of(key);
    watch_->seen.push_back(std::move(seen));
  }
}

watched_judgement monitor_shard::judgement_of(std::size_t detector, std::string_view key,
                                              std::optional<key_slot> slot) const {
  watched_judgement out;
  out.view = view_of(detector, key, slot ? judgings_[detector].by->noted(*slot) : nullptr);
  auto& model = out.view.model;
  for (const auto& asked : watch_->asked) {
    if (asked.detector != detector || asked.slot != slot)
      continue;
    out.asked = true;
    if (asked.gated)
      out.view.gates = asked.gates;
    if (model && out.view.incident)
      model->state = standing::open;
  }
  return out;
}

} // namespace tocsin
