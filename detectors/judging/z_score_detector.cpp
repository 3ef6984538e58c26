#include "detectors/judging/z_score_detector.hpp"

#include "detectors/judging/columns.hpp"
#include "detectors/judging/window_pages.hpp"
#include "detectors/judging/words.hpp"

#include <algorithm>
#include <cmath>

namespace tocsin {

z_score_detector::z_score_detector(const monitor_spec& monitor, const z_score_spec& settings, const keyed_state& keys)
    : settings_(settings), span_(std::max<tick_index>(1, settings.window / monitor.tick)), tick_ms_(monitor.tick),
      keep_(moving_moments::keep_of(settings.history)), has_viewers_(monitor.has_viewers), keys_(&keys) {}

void z_score_detector::resize(std::size_t slots) {
  if (slots > columns_.size())
    columns_.resize(slots);
}

tick_index z_score_detector::last_tick_of_window(tick_index tick) const {
  return (tick_of(tick, span_) + 1) * span_ - 1;
}

std::optional<tick_index> z_score_detector::next_due() const {
  return filling_.empty() ? std::nullopt : std::optional<tick_index>(due_);
}

void z_score_detector::step(const closed_tick& tick, const std::vector<key_slot>&, judge& out) {
  due_ = last_tick_of_window(tick.tick);
  for (const auto& level : tick.levels)
    for (const auto& counts : level) {
      auto& key = columns_[counts.slot];
      if (key.counts.total == 0)
        filling_.push_back(counts.slot);
      key.counts += {counts.total, counts.failed, counts.capped};
      key.viewers |= counts.viewers;
    }
  if (tick.tick != due_)
    return;
  for (const auto slot : filling_) {
    out.changed(slot);
    judge_window(slot, tick.tick, out);
    columns_[slot].counts = {};
    columns_[slot].viewers = 0;
  }
  filling_.clear();
}

void z_score_detector::judge_window(key_slot slot, tick_index tick, judge& out) {
  auto& key = columns_[slot];
  const auto& counts = key.counts;
  if (key.history.seen >= settings_.min_history) {
    const auto z = window_z_score(counts.failed, counts.total, key.history);
    const auto capped_z = has_viewers_ ? window_z_score(counts.capped, counts.total, key.history) : z;
    verdict what;
    what.slot = slot;
    what.onset = std::max((*keys_)[slot].created, tick - span_ + 1);
    what.total = counts.total;
    what.failed = counts.failed;
    what.capped = counts.capped;
    what.viewers = key.viewers;
    what.baseline = key.history.mean;
    what.model = {{"z_score", z},
                  {"history_mean", key.history.mean},
                  {"history_deviation", key.history.deviation()},
                  {"window_events", static_cast<double>(counts.total)},
                  {"window_failures", static_cast<double>(counts.failed)}};
    if (z >= settings_.outlier && capped_z >= settings_.outlier) {
      what.type = verdict::kind::excess;
      out.say(std::move(what));
    } else if (z < settings_.normal) {
      what.type = verdict::kind::normal;
      out.say(std::move(what));
    }
  }
  if (!out.is_open(slot))
    learn_later(slot, tick_of(tick, span_), static_cast<double>(counts.failed) / static_cast<double>(counts.total));
}

void z_score_detector::learn_later(key_slot slot, tick_index window, double rate) {
  auto& key = columns_[slot];
  if (key.waiting == quarantine) {
    const auto age = static_cast<std::uint32_t>(window) - key.windows.front();
    if (!is_window_left_out(slot, window - age))
      key.history.learn(key.rates.front(), keep_);
    std::copy(key.rates.begin() + 1, key.rates.end(), key.rates.begin());
    std::copy(key.windows.begin() + 1, key.windows.end(), key.windows.begin());
    --key.waiting;
  }
  key.rates[key.waiting] = rate;
  key.windows[key.waiting++] = static_cast<std::uint32_t>(window);
}

bool z_score_detector::is_window_left_out(key_slot slot, tick_index window) const {
  const auto length = span_ * tick_ms_;
  return is_left_out(slot, window * length, (window + 1) * length);
}

bool z_score_detector::accept(key_slot slot, double rate, judge& out) {
  if (!out.is_open(slot))
    return false;
  auto& key = columns_[slot];
  verdict what;
  what.type = verdict::kind::accepted;
  what.slot = slot;
  what.total = key.counts.total;
  what.failed = key.counts.failed;
  what.capped = key.counts.capped;
  what.baseline = key.history.mean;
  key.history.mean = std::clamp(rate, 0.0, 1.0);
  out.say(std::move(what));
  return true;
}

bool z_score_detector::accept_calm(key_slot slot, const incident_counts& seen) {
  columns_[slot].history.mean = std::clamp(seen.failed / std::max(1.0, seen.total), 0.0, 1.0);
  return true;
}

void z_score_detector::forget(const std::vector<bool>& slots) {
  forget_columns(columns_, slots);
  filling_.erase(std::remove_if(filling_.begin(), filling_.end(),
                                [&](key_slot slot) { return slot < slots.size() && slots[slot]; }),
                 filling_.end());
}

void z_score_detector::absorb(key_slot from, key_slot into, judge&) {
  const auto& gone = columns_[from];
  auto& tail = columns_[into];
  if (gone.counts.total == 0)
    return;
  if (tail.counts.total == 0)
    filling_.push_back(into);
  tail.counts += gone.counts;
  tail.viewers |= gone.viewers;
}

std::string z_score_detector::closes_when(key_slot) const {
  return "a window of " + format_duration(settings_.window) + " less than " + in_words(settings_.normal) +
         " standard deviations above the mean of its history";
}

std::vector<std::pair<std::string, std::string>> z_score_detector::explain(key_slot slot) const {
  const auto& key = columns_[slot];
  return {{"window", format_duration(settings_.window)},
          {"events", std::to_string(key.counts.total)},
          {"failures", std::to_string(key.counts.failed)},
          {"history", std::to_string(key.history.seen) + " windows learned"},
          {"mean", in_percent(key.history.mean)},
          {"deviation", in_percent(key.history.deviation())},
          {"state", key.history.seen < settings_.min_history
                        ? "needs " + std::to_string(settings_.min_history) + " windows of history"
                        : "judging"}};
}

void z_score_detector::save(key_slot slot, state_writer& out) const {
  const auto& key = columns_[slot];
  save_counts(key.counts, out);
  out.u64(key.viewers);
  out.f64(key.history.weight);
  out.f64(key.history.mean);
  out.f64(key.history.squares);
  out.u32(key.history.seen);
  out.u8(static_cast<std::uint8_t>(key.waiting));
  for (std::uint32_t i = 0; i < key.waiting; ++i) {
    out.f64(key.rates[i]);
    out.u32(key.windows[i]);
  }
}

bool z_score_detector::load(key_slot slot, state_reader& in) {
  auto& key = columns_[slot];
  key.counts = load_counts(in);
  key.viewers = in.u64();
  key.history.weight = in.f64();
  key.history.mean = in.f64();
  key.history.squares = in.f64();
  key.history.seen = in.u32();
  key.waiting = in.u8();
  if (key.waiting > quarantine)
    return false;
  for (std::uint32_t i = 0; i < key.waiting; ++i) {
    key.rates[i] = in.f64();
    key.windows[i] = in.u32();
  }
  // Comparisons with NaN are false.
  const auto is_rate = [](double x) { return x >= 0 && x <= 1; };
  const auto is_sum = [](double x) { return x >= 0 && std::isfinite(x); };
  return in.ok() && is_rate(key.history.mean) && is_sum(key.history.weight) && is_sum(key.history.squares) &&
         std::all_of(key.rates.begin(), key.rates.begin() + key.waiting, is_rate);
}

bool z_score_detector::loaded(tick_index last_tick, judge&) {
  due_ = last_tick_of_window(last_tick);
  for (key_slot slot = 0; slot < columns_.size(); ++slot)
    if (columns_[slot].counts.total > 0)
      filling_.push_back(slot);
  // A window that ended was judged.
  return filling_.empty() || due_ > last_tick;
}

std::size_t z_score_detector::memory_bytes() const {
  return columns_.capacity() * sizeof(column) + filling_.capacity() * sizeof(key_slot);
}

} // namespace tocsin
