#include "detectors/judging/burn_rate_detector.hpp"

#include "detectors/judging/columns.hpp"
#include "detectors/judging/words.hpp"

#include <algorithm>
#include <cmath>
#include <utility>

namespace tocsin {

namespace {

/// 1 - objective as a person computes it: 0.01 for 0.99, where doubles give a little more, so that a rate of exactly
/// ten times the budget burns at ten.
double budget_of(double objective) {
  const auto rounded = std::round((1 - objective) * 1e12) / 1e12;
  return rounded > 0 ? rounded : 1 - objective;
}

constexpr std::uint32_t bit_of(std::size_t rule) {
  return std::uint32_t{1} << rule;
}

} // namespace

burn_rate_detector::burn_rate_detector(const monitor_spec& monitor, const burn_rate_spec& settings,
                                       const keyed_state& keys)
    : budget_(budget_of(settings.objective)), min_events_(settings.min_events), has_viewers_(monitor.has_viewers),
      keys_(&keys) {
  for (const auto& r : settings.rules) {
    if (rules_.size() == most_rules)
      break;
    rules_.push_back({window_of(r.long_window, monitor.tick), window_of(r.short_window, monitor.tick), r.factor,
                      r.factor * budget_});
  }
}

std::size_t burn_rate_detector::window_of(time_ms length, time_ms tick) {
  for (std::size_t i = 0; i < windows_.size(); ++i)
    if (windows_[i].length == length)
      return i;
  windows_.push_back({length, sliding_window(choose_window(length, tick, buckets_a_window)), {}});
  return windows_.size() - 1;
}

void burn_rate_detector::resize(std::size_t slots) {
  if (slots <= held_.size())
    return;
  for (auto& window : windows_)
    window.counts.resize(slots);
  held_.resize(slots, 0);
  looked_at_in_.resize(slots, never);
}

std::optional<tick_index> burn_rate_detector::next_due() const {
  std::optional<tick_index> due;
  for (const auto& window : windows_)
    if (const auto own = window.counts.next_eviction())
      due = due ? std::min(*due, *own) : own;
  return due;
}

void burn_rate_detector::step(const closed_tick& tick, const std::vector<key_slot>&, judge& out) {
  looks_.clear();
  const auto look_at = [&](key_slot slot, std::uint64_t viewers) {
    if (looked_at_in_[slot] == tick.tick)
      return;
    looked_at_in_[slot] = tick.tick;
    looks_.push_back({slot, viewers});
  };
  evicted_.clear();
  for (auto& window : windows_)
    window.counts.advance(tick.tick, [&](key_slot slot) { evicted_.push_back(slot); });
  for (const auto& level : tick.levels)
    for (const auto& counts : level) {
      for (auto& window : windows_)
        window.counts.add(counts.slot, {counts.total, counts.failed, counts.capped});
      look_at(counts.slot, counts.viewers);
    }
  for (const auto slot : evicted_)
    look_at(slot, 0);
  for (const auto& [slot, viewers] : looks_)
    judge_key(slot, tick.tick, viewers, out);
}

bool burn_rate_detector::burns(const window_counts& counts, double rate) const {
  const auto needed = rate * static_cast<double>(counts.total);
  return counts.total > 0 && static_cast<double>(counts.failed) >= needed &&
         (!has_viewers_ || static_cast<double>(counts.capped) >= needed);
}

bool burn_rate_detector::holds(const rule& which, key_slot slot) const {
  const auto recent = windows_[which.short_window].counts.sums(slot);
  return recent.total >= min_events_ && burns(recent, which.rate) &&
         burns(windows_[which.long_window].counts.sums(slot), which.rate);
}

bool burn_rate_detector::is_calm(const rule& which, key_slot slot) const {
  const auto recent = windows_[which.short_window].counts.sums(slot);
  return recent.total > 0 && static_cast<double>(recent.failed) < which.rate * static_cast<double>(recent.total);
}

void burn_rate_detector::judge_key(key_slot slot, tick_index tick, std::uint64_t viewers, judge& out) {
  auto& held = held_[slot];
  const auto before = held;
  const rule* reason = nullptr;
  bool calm = true;
  for (std::size_t i = 0; i < rules_.size(); ++i)
    if (holds(rules_[i], slot)) {
      held |= bit_of(i);
      if (reason == nullptr)
        reason = &rules_[i];
    }
  for (std::size_t i = 0; i < rules_.size() && calm; ++i)
    calm = (held & bit_of(i)) == 0 || is_calm(rules_[i], slot);

  if (reason != nullptr) {
    auto what = verdict_of(*reason, slot, tick);
    what.type = verdict::kind::excess;
    what.viewers = viewers;
    out.say(std::move(what));
  } else if (held != 0 && calm) {
    const auto first = std::find_if(rules_.begin(), rules_.end(), [&](const rule& r) {
      return (held & bit_of(static_cast<std::size_t>(&r - rules_.data()))) != 0;
    });
    auto what = verdict_of(*first, slot, tick);
    what.type = verdict::kind::normal;
    held = 0;
    out.say(std::move(what));
  }
  // The key may have had no events in this tick; its incident remembers the last verdict.
  if (held != 0 || before != 0)
    out.changed(slot);
}

verdict burn_rate_detector::verdict_of(const rule& which, key_slot slot, tick_index tick) const {
  const auto& window = windows_[which.short_window].counts;
  const auto recent = window.sums(slot);
  const auto begin = (window.current_bucket() - window.buckets() + 1) * window.span_ticks();
  verdict what;
  what.slot = slot;
  what.onset = std::min(tick, std::max((*keys_)[slot].created, begin));
  what.total = recent.total;
  what.failed = recent.failed;
  what.capped = recent.capped;
  what.baseline = budget_;
  what.gated = false;
  what.model = {{"burn_factor", which.factor},
                {"long_burn_rate", burn_of(windows_[which.long_window].counts.sums(slot))},
                {"short_burn_rate", burn_of(recent)},
                {"window_events", static_cast<double>(recent.total)},
                {"window_failures", static_cast<double>(recent.failed)}};
  return what;
}

double burn_rate_detector::burn_of(const window_counts& counts) const {
  return counts.total == 0 ? 0 : static_cast<double>(counts.failed) / static_cast<double>(counts.total) / budget_;
}

void burn_rate_detector::forget(const std::vector<bool>& slots) {
  for (auto& window : windows_)
    window.counts.forget(slots);
  forget_columns(held_, slots);
  forget_columns(looked_at_in_, slots, never);
}

std::string burn_rate_detector::closes_when(key_slot slot) const {
  std::string words;
  for (std::size_t i = 0; i < rules_.size(); ++i)
    if ((held_[slot] & bit_of(i)) != 0)
      words += (words.empty() ? "rate below " : " and below ") + in_percent(rules_[i].rate) + " over the last " +
               format_duration(windows_[rules_[i].short_window].length);
  return words;
}

std::vector<std::pair<std::string, std::string>> burn_rate_detector::explain(key_slot slot) const {
  std::vector<std::pair<std::string, std::string>> facts;
  for (const auto& window : windows_) {
    const auto counts = window.counts.sums(slot);
    facts.emplace_back("burn_rate_" + format_duration(window.length), in_words(burn_of(counts)) + " (" +
                                                                          std::to_string(counts.failed) + " of " +
                                                                          std::to_string(counts.total) + " events)");
  }
  std::string state;
  for (const auto& r : rules_)
    if (holds(r, slot))
      state += (state.empty() ? "burns at " : " and at ") + in_words(r.factor) + " or more over " +
               format_duration(windows_[r.long_window].length) + " and " +
               format_duration(windows_[r.short_window].length);
  facts.emplace_back("state", !state.empty()     ? state
                              : held_[slot] == 0 ? "no rule holds"
                                                 : "open until the " + closes_when(slot));
  return facts;
}

// ---- State. A key's own is which rules held, and its counts in the present bucket of each window; complete buckets
// are pages, numbered window by window. So a commit writes what was touched, not whole buckets of hours again and
// again.

void burn_rate_detector::save(key_slot slot, state_writer& out) const {
  out.u32(held_[slot]);
  for (const auto& window : windows_) {
    const auto counts = window.counts.current(slot);
    out.u8(counts.total > 0);
    if (counts.total == 0)
      continue;
    out.i64(window.counts.current_bucket());
    save_counts(counts, out);
  }
}

bool burn_rate_detector::load(key_slot slot, state_reader& in) {
  held_[slot] = in.u32();
  for (std::size_t i = 0; i < windows_.size(); ++i) {
    if (in.u8() == 0)
      continue;
    const auto bucket = in.i64();
    open_entries_.push_back({i, bucket, slot, load_counts(in)});
  }
  return in.ok() && (rules_.size() == most_rules || held_[slot] < bit_of(rules_.size()));
}

/// A key's record is as old as its last change: meanwhile its bucket may have been completed, and is a page, or left.
bool burn_rate_detector::restore_open_entries(tick_index last_tick) {
  auto entries = std::exchange(open_entries_, {});
  entries.erase(
      std::remove_if(entries.begin(), entries.end(),
                     [&](const open_entry& e) { return !windows_[e.window].counts.bucket(e.bucket).empty(); }),
      entries.end());
  for (const auto& e : entries) {
    auto& window = windows_[e.window].counts;
    if (!is_within_time(e.bucket, window.span_ticks()) || e.bucket * window.span_ticks() > last_tick)
      return false;
    if (e.bucket > window.current_bucket() - window.buckets())
      window.restore(e.bucket, e.slot, e.counts, false);
  }
  return true;
}

void burn_rate_detector::save_changed_pages(const page_writer& write) {
  const auto many = static_cast<std::int64_t>(windows_.size());
  for (std::int64_t i = 0; i < many; ++i)
    window_pages::save_completed(
        windows_[static_cast<std::size_t>(i)].counts, *keys_,
        [&](std::int64_t bucket, std::string bytes) { write(bucket * many + i, std::move(bytes)); });
}

bool burn_rate_detector::load_page(std::int64_t page, state_reader& in) {
  const auto many = static_cast<std::int64_t>(windows_.size());
  const auto bucket = tick_of(page, many); // rounds down, for times before 1970
  return windows_[static_cast<std::size_t>(page - bucket * many)].pages.load(bucket, in);
}

bool burn_rate_detector::loaded(tick_index last_tick, judge&) {
  return std::all_of(windows_.begin(), windows_.end(),
                     [&](burn_window& w) { return w.pages.finish(w.counts, *keys_, last_tick); }) &&
         restore_open_entries(last_tick);
}

std::size_t burn_rate_detector::memory_bytes() const {
  auto bytes = held_.capacity() * sizeof(std::uint32_t) + looked_at_in_.capacity() * sizeof(tick_index);
  for (const auto& window : windows_)
    bytes += window.counts.memory_bytes();
  return bytes;
}

} // namespace tocsin
