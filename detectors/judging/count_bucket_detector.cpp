#include "detectors/judging/count_bucket_detector.hpp"

#include "detectors/judging/columns.hpp"
#include "detectors/judging/words.hpp"
#include "models/binomial.hpp"

#include <algorithm>

namespace tocsin {

count_bucket_detector::count_bucket_detector(const monitor_spec& monitor, const count_bucket_spec& settings,
                                             const keyed_state& keys)
    : settings_(settings), has_viewers_(monitor.has_viewers), keys_(&keys),
      baseline_(choose_window(settings.baseline, monitor.tick)) {}

void count_bucket_detector::resize(std::size_t slots) {
  if (slots <= buckets_.size())
    return;
  baseline_.resize(slots);
  buckets_.resize(slots);
}

void count_bucket_detector::step(const closed_tick& tick, const std::vector<key_slot>&, judge& out) {
  for (const auto& level : tick.levels)
    for (const auto& counts : level) {
      auto& filling = buckets_[counts.slot];
      if (filling.counts.total == 0)
        filling.begin = tick.tick;
      filling.counts += {counts.total, counts.failed, counts.capped};
      filling.viewers |= counts.viewers;
      if (filling.counts.total < size_of(counts.slot))
        continue;
      judge_bucket(counts.slot, filling, out);
      filling = {};
    }
  // Compare first, learn after.
  for (const auto& counts : tick.levels.front())
    if (!is_left_out(counts.slot))
      baseline_.add(counts.slot, {counts.total, counts.failed, counts.capped});
}

std::int64_t count_bucket_detector::size_of(key_slot slot) const {
  return (*keys_)[slot].level == 0 ? settings_.scope_bucket : settings_.key_bucket;
}

void count_bucket_detector::judge_bucket(key_slot slot, const bucket& full, judge& out) const {
  const auto history = baseline_.sums((*keys_)[slot].root);
  if (history.total < settings_.min_baseline)
    return;
  const auto rate = expected_rate(slot);
  const auto tail = binomial_upper_tail(full.counts.failed, full.counts.total, rate);
  const auto capped_tail = has_viewers_ ? binomial_upper_tail(full.counts.capped, full.counts.total, rate) : tail;
  verdict what;
  if (tail <= settings_.outlier && capped_tail <= settings_.outlier)
    what.type = verdict::kind::excess;
  else if (tail >= settings_.normal)
    what.type = verdict::kind::normal;
  else
    return;
  what.slot = slot;
  what.onset = full.begin;
  what.total = full.counts.total;
  what.failed = full.counts.failed;
  what.capped = full.counts.capped;
  what.viewers = full.viewers;
  what.baseline = rate;
  what.model = {{"bucket_events", static_cast<double>(full.counts.total)},
                {"bucket_failures", static_cast<double>(full.counts.failed)},
                {"tail_probability", tail},
                {"baseline_events", static_cast<double>(history.total)}};
  out.say(std::move(what));
}

double count_bucket_detector::expected_rate(key_slot slot) const {
  const auto history = baseline_.sums((*keys_)[slot].root);
  // Half a failure on one more event keeps a spotless history from calling every failure impossible.
  return std::min(0.5 + static_cast<double>(history.failed), 0.9 * static_cast<double>(history.total + 1)) /
         static_cast<double>(history.total + 1);
}

void count_bucket_detector::forget(const std::vector<bool>& slots) {
  baseline_.forget(slots);
  forget_columns(buckets_, slots);
}

void count_bucket_detector::absorb(key_slot from, key_slot into, judge&) {
  const auto& gone = buckets_[from];
  auto& tail = buckets_[into];
  if (gone.counts.total == 0)
    return;
  tail.begin = tail.counts.total == 0 ? gone.begin : std::min(tail.begin, gone.begin);
  tail.counts += gone.counts;
  tail.viewers |= gone.viewers;
}

std::string count_bucket_detector::closes_when(key_slot slot) const {
  return "a bucket of " + std::to_string(size_of(slot)) + " events whose failures chance explains (probability " +
         in_words(settings_.normal) + " or more)";
}

std::vector<std::pair<std::string, std::string>> count_bucket_detector::explain(key_slot slot) const {
  const auto& filling = buckets_[slot];
  const auto history = baseline_.sums((*keys_)[slot].root);
  return {{"bucket", std::to_string(filling.counts.total) + " of " + std::to_string(size_of(slot)) + " events"},
          {"bucket_failures", std::to_string(filling.counts.failed)},
          {"baseline_events", std::to_string(history.total)},
          {"baseline_rate", in_percent(expected_rate(slot))},
          {"state", history.total < settings_.min_baseline
                        ? "the scope has fewer than " + std::to_string(settings_.min_baseline) + " events of history"
                        : "filling"}};
}

void count_bucket_detector::save(key_slot slot, state_writer& out) const {
  const auto& filling = buckets_[slot];
  out.i64(filling.begin);
  save_counts(filling.counts, out);
  out.u64(filling.viewers);
}

bool count_bucket_detector::load(key_slot slot, state_reader& in) {
  auto& filling = buckets_[slot];
  filling.begin = in.i64();
  filling.counts = load_counts(in);
  filling.viewers = in.u64();
  return in.ok();
}

void count_bucket_detector::save_changed_pages(const page_writer& write) {
  window_pages::save_changed(baseline_, *keys_, write);
}

bool count_bucket_detector::loaded(tick_index last_tick, judge&) {
  for (const auto& filling : buckets_)
    if (filling.counts.total > 0 && (filling.begin > last_tick || filling.begin < beginning_of_time))
      return false;
  return pages_.finish(baseline_, *keys_, last_tick);
}

std::size_t count_bucket_detector::memory_bytes() const {
  return baseline_.memory_bytes() + buckets_.capacity() * sizeof(bucket);
}

} // namespace tocsin
