#include "detectors/judging/threshold_detector.hpp"

#include "detectors/judging/columns.hpp"
#include "detectors/judging/words.hpp"

#include <algorithm>

namespace tocsin {

threshold_detector::threshold_detector(const monitor_spec& monitor, const threshold_spec& settings,
                                       const keyed_state& keys)
    : settings_(settings), has_viewers_(monitor.has_viewers), hold_ticks_(settings.hold / monitor.tick),
      resolve_hold_ticks_(settings.resolve_hold / monitor.tick), keys_(&keys),
      window_(choose_window(settings.window, monitor.tick)) {}

void threshold_detector::resize(std::size_t slots) {
  if (slots <= columns_.size())
    return;
  window_.resize(slots);
  columns_.resize(slots);
  looked_at_in_.resize(slots, never);
}

void threshold_detector::step(const closed_tick& tick, const std::vector<key_slot>& reminded, judge& out) {
  looks_.clear();
  const auto look_at = [&](key_slot slot, std::uint64_t viewers) {
    if (looked_at_in_[slot] == tick.tick)
      return;
    looked_at_in_[slot] = tick.tick;
    looks_.push_back({slot, viewers});
  };
  evicted_.clear();
  window_.advance(tick.tick, [&](key_slot slot) { evicted_.push_back(slot); });
  for (const auto& level : tick.levels)
    for (const auto& counts : level) {
      const window_counts own{counts.total, counts.failed, counts.capped};
      window_.add(counts.slot, own);
      auto& key = columns_[counts.slot];
      if (key.above_since != never) {
        key.since += own;
        key.viewers |= counts.viewers;
      }
      look_at(counts.slot, counts.viewers);
    }
  for (const auto slot : reminded)
    look_at(slot, 0);
  for (const auto slot : evicted_) {
    out.changed(slot);
    look_at(slot, 0);
  }
  for (const auto& [slot, viewers] : looks_)
    judge_key(slot, tick.tick, viewers, out);
}

bool threshold_detector::is_above(const window_counts& counts) const {
  if (counts.total == 0 || counts.total < settings_.min_events)
    return false;
  const auto needed = settings_.rate * static_cast<double>(counts.total);
  return static_cast<double>(counts.failed) >= needed &&
         (!has_viewers_ || static_cast<double>(counts.capped) >= needed);
}

bool threshold_detector::is_below(const window_counts& counts) const {
  return counts.total > 0 &&
         static_cast<double>(counts.failed) < settings_.resolve_rate * static_cast<double>(counts.total);
}

void threshold_detector::judge_key(key_slot slot, tick_index tick, std::uint64_t viewers, judge& out) {
  auto& key = columns_[slot];
  const auto counts = window_.sums(slot);

  if (!is_above(counts)) {
    key.above_since = never;
  } else if (key.above_since == never) {
    key.above_since = tick;
    key.since = counts;
    key.viewers = viewers;
    if (hold_ticks_ > 0)
      out.remind(tick + hold_ticks_, slot);
  }
  if (!is_below(counts)) {
    key.below_since = never;
  } else if (key.below_since == never) {
    key.below_since = tick;
    if (resolve_hold_ticks_ > 0)
      out.remind(tick + resolve_hold_ticks_, slot);
  }

  verdict what;
  what.slot = slot;
  what.baseline = settings_.rate;
  what.gated = false;
  if (key.above_since != never && tick - key.above_since >= hold_ticks_) {
    what.type = verdict::kind::excess;
    what.onset = onset_of(slot);
    what.total = key.since.total;
    what.failed = key.since.failed;
    what.capped = key.since.capped;
    what.viewers = key.viewers;
  } else if (key.below_since != never && tick - key.below_since >= resolve_hold_ticks_) {
    what.type = verdict::kind::normal;
    what.onset = key.below_since;
    what.total = counts.total;
    what.failed = counts.failed;
    what.capped = counts.capped;
  } else {
    return;
  }
  what.model = {{"threshold", settings_.rate},
                {"window_events", static_cast<double>(counts.total)},
                {"window_failures", static_cast<double>(counts.failed)}};
  out.say(std::move(what));
}

tick_index threshold_detector::onset_of(key_slot slot) const {
  const auto window_ticks = window_.buckets() * window_.span_ticks();
  return std::max((*keys_)[slot].created, columns_[slot].above_since - window_ticks + 1);
}

void threshold_detector::forget(const std::vector<bool>& slots) {
  window_.forget(slots);
  forget_columns(columns_, slots);
  forget_columns(looked_at_in_, slots, never);
}

std::string threshold_detector::closes_when(key_slot) const {
  return "rate below " + in_percent(settings_.resolve_rate) +
         (settings_.resolve_hold > 0 ? " for " + format_duration(settings_.resolve_hold) : std::string());
}

std::vector<std::pair<std::string, std::string>> threshold_detector::explain(key_slot slot) const {
  const auto counts = window_.sums(slot);
  const auto& key = columns_[slot];
  return {{"window", format_duration(settings_.window)},
          {"events", std::to_string(counts.total)},
          {"failures", std::to_string(counts.failed)},
          {"state", key.above_since != never   ? "above " + in_percent(settings_.rate)
                    : key.below_since != never ? "below " + in_percent(settings_.resolve_rate)
                    : counts.total < settings_.min_events
                        ? "fewer than " + std::to_string(settings_.min_events) + " events"
                        : "between the limits"}};
}

void threshold_detector::save(key_slot slot, state_writer& out) const {
  const auto& key = columns_[slot];
  out.i64(key.above_since);
  out.i64(key.below_since);
  save_counts(key.since, out);
  out.u64(key.viewers);
}

bool threshold_detector::load(key_slot slot, state_reader& in) {
  auto& key = columns_[slot];
  key.above_since = in.i64();
  key.below_since = in.i64();
  key.since = load_counts(in);
  key.viewers = in.u64();
  return in.ok();
}

void threshold_detector::save_changed_pages(const page_writer& write) {
  window_pages::save_changed(window_, *keys_, write);
}

bool threshold_detector::load_page(std::int64_t page, state_reader& in) {
  return pages_.load(page, in);
}

bool threshold_detector::loaded(tick_index last_tick, judge& out) {
  const auto is_possible = [&](tick_index since) {
    return since == never || (since <= last_tick && since >= beginning_of_time);
  };
  // A hold that is over has had its say: nothing is due of it.
  const auto remind_if_due = [&](tick_index since, tick_index hold, key_slot slot) {
    if (since != never && since + hold > last_tick)
      out.remind(since + hold, slot);
  };
  for (key_slot slot = 0; slot < columns_.size(); ++slot) {
    const auto& key = columns_[slot];
    if (!is_possible(key.above_since) || !is_possible(key.below_since))
      return false;
    remind_if_due(key.above_since, hold_ticks_, slot);
    remind_if_due(key.below_since, resolve_hold_ticks_, slot);
  }
  return pages_.finish(window_, *keys_, last_tick);
}

std::size_t threshold_detector::memory_bytes() const {
  return window_.memory_bytes() + columns_.capacity() * sizeof(column) + looked_at_in_.capacity() * sizeof(tick_index);
}

} // namespace tocsin
