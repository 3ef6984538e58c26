#include "models/sliding_window.hpp"

#include <algorithm>
#include <cassert>

namespace tocsin {

namespace {

constexpr std::int64_t minute = 60'000;
constexpr std::int64_t hour = 60 * minute;
constexpr std::int64_t most_ticks = 360;
constexpr std::int64_t most_minutes = 1440;

constexpr std::int64_t divide_up(std::int64_t a, std::int64_t b) {
  return a / b + (a % b != 0 ? 1 : 0);
}

// Finds the first bucket at or after `index` in a range sorted by index.
template <class Buckets>
auto first_not_before(Buckets& buckets, std::int64_t index) {
  return std::lower_bound(buckets.begin(), buckets.end(), index,
                          [](const auto& b, std::int64_t wanted) { return b.index < wanted; });
}

} // namespace

window_shape choose_window(std::int64_t length_ms, std::int64_t tick_ms) {
  const auto length = std::max<std::int64_t>(1, length_ms);
  const auto tick = std::max<std::int64_t>(1, tick_ms);
  auto span = std::int64_t{1};
  if (divide_up(length, tick) > most_ticks) {
    const auto unit = divide_up(length, minute) <= most_minutes ? minute : hour;
    span = std::max<std::int64_t>(1, unit / tick);
  }
  return {span, static_cast<std::size_t>(divide_up(length, span * tick))};
}

window_shape choose_window(std::int64_t length_ms, std::int64_t tick_ms, std::int64_t least_buckets) {
  const auto ticks = divide_up(std::max<std::int64_t>(1, length_ms), std::max<std::int64_t>(1, tick_ms));
  const auto span = std::max<std::int64_t>(1, ticks / std::max<std::int64_t>(1, least_buckets));
  return {span, static_cast<std::size_t>(divide_up(ticks, span))};
}

sliding_window::sliding_window(std::int64_t span_ticks, std::size_t buckets)
    : span_(std::max<std::int64_t>(1, span_ticks)),
      // The upper limit keeps `current_ - buckets_` in range.
      buckets_(static_cast<std::int64_t>(std::clamp<std::size_t>(buckets, 1, std::size_t{1} << 61))) {}

void sliding_window::resize(std::size_t keys) {
  if (keys <= keys_)
    return;
  const auto room = static_cast<std::size_t>(totals_.size());
  if (keys > room) {
    const auto grown = static_cast<Eigen::Index>(std::max(keys, room + room / 2));
    for (auto* sums : {&totals_, &failures_, &capped_}) {
      sums->conservativeResize(grown);
      sums->tail(grown - static_cast<Eigen::Index>(room)).setZero();
    }
  }
  position_.resize(keys);
  keys_ = keys;
}

void sliding_window::add(std::uint32_t slot, const window_counts& counts) {
  assert(current_ != no_bucket);
  auto& current = !live_.empty() && live_.back().index == current_ ? live_.back() : make_bucket(current_);
  current.is_changed = true;
  put(current, slot, counts);
  sum_up(slot, counts);
}

window_counts sliding_window::sums(std::uint32_t slot) const {
  assert(slot < keys_);
  return {totals_[slot], failures_[slot], capped_[slot]};
}

void sliding_window::forget(const std::vector<bool>& slots) {
  const auto is_marked = [&](std::uint32_t slot) { return slot < slots.size() && slots[slot]; };
  for (auto& b : live_) {
    const auto kept =
        std::remove_if(b.entries.begin(), b.entries.end(), [&](const entry& e) { return is_marked(e.slot); });
    if (kept == b.entries.end())
      continue;
    b.entries.erase(kept, b.entries.end());
    b.is_changed = true;
  }
  for (std::uint32_t slot = 0; slot < std::min(keys_, slots.size()); ++slot)
    if (slots[slot])
      totals_[slot] = failures_[slot] = capped_[slot] = 0;
  // Entries of the newest bucket have moved.
  if (!live_.empty()) {
    const auto& entries = live_.back().entries;
    for (std::size_t i = 0; i < entries.size(); ++i)
      position_[entries[i].slot] = static_cast<std::uint32_t>(i);
  }
}

const std::vector<sliding_window::entry>& sliding_window::bucket(std::int64_t index) const {
  static const std::vector<entry> none;
  const auto found = first_not_before(live_, index);
  return found != live_.end() && found->index == index ? found->entries : none;
}

void sliding_window::restore(std::int64_t bucket_index, std::uint32_t slot, const window_counts& counts,
                             bool was_saved) {
  move_to(bucket_index);
  const auto found = first_not_before(live_, bucket_index);
  auto& b = found != live_.end() && found->index == bucket_index ? *found : make_bucket(bucket_index);
  b.is_saved = b.is_saved || was_saved;
  b.is_changed = b.is_changed || !was_saved;
  if (bucket_index == current_)
    put(b, slot, counts);
  else
    b.entries.push_back({slot, counts}); // positions belong to the newest bucket
  sum_up(slot, counts);
}

window_counts sliding_window::current(std::uint32_t slot) const {
  assert(slot < keys_);
  if (live_.empty() || live_.back().index != current_)
    return {};
  const auto& entries = live_.back().entries;
  const auto position = position_[slot];
  return position < entries.size() && entries[position].slot == slot ? entries[position].counts : window_counts{};
}

std::vector<std::int64_t> sliding_window::take_changed_until(std::int64_t last) {
  std::vector<std::int64_t> result;
  for (auto& b : live_) {
    if (!b.is_changed || b.index > last)
      continue;
    b.is_changed = false;
    b.is_saved = true;
    result.push_back(b.index);
  }
  return result;
}

std::size_t sliding_window::memory_bytes() const {
  auto bytes = sizeof(*this) + 3 * sizeof(std::int64_t) * static_cast<std::size_t>(totals_.size()) +
               sizeof(std::uint32_t) * position_.capacity() + sizeof(std::int64_t) * evicted_.capacity() +
               sizeof(time_bucket) * live_.size() + sizeof(entry) * spare_.capacity();
  for (const auto& b : live_)
    bytes += sizeof(entry) * b.entries.capacity();
  return bytes;
}

std::int64_t sliding_window::bucket_of(std::int64_t tick) const {
  const auto quotient = tick / span_;
  return quotient - ((tick % span_ != 0 && tick < 0) ? 1 : 0);
}

void sliding_window::move_to(std::int64_t bucket) {
  if (bucket <= current_)
    return;
  current_ = bucket;
  // Nothing more will be added to the bucket left behind: it keeps no room for that.
  if (live_.empty())
    return;
  auto& entries = live_.back().entries;
  if (entries.capacity() - entries.size() > entries.size() / 4)
    entries.shrink_to_fit();
}

void sliding_window::drop_front() {
  auto& front = live_.front();
  if (front.is_saved)
    evicted_.push_back(front.index);
  if (front.entries.capacity() > spare_.capacity()) {
    front.entries.clear();
    spare_ = std::move(front.entries);
  }
  live_.pop_front();
}

sliding_window::time_bucket& sliding_window::make_bucket(std::int64_t index) {
  return *live_.insert(first_not_before(live_, index), time_bucket{index, false, false, std::exchange(spare_, {})});
}

void sliding_window::put(time_bucket& b, std::uint32_t slot, const window_counts& counts) {
  assert(slot < keys_);
  auto& position = position_[slot];
  if (position < b.entries.size() && b.entries[position].slot == slot) {
    b.entries[position].counts += counts;
    return;
  }
  position = static_cast<std::uint32_t>(b.entries.size());
  b.entries.push_back({slot, counts});
}

void sliding_window::sum_up(std::uint32_t slot, const window_counts& counts) {
  assert(slot < keys_);
  totals_[slot] += counts.total;
  failures_[slot] += counts.failed;
  capped_[slot] += counts.capped;
}

void sliding_window::subtract(const entry& e) {
  totals_[e.slot] -= e.counts.total;
  failures_[e.slot] -= e.counts.failed;
  capped_[e.slot] -= e.counts.capped;
}

} // namespace tocsin
