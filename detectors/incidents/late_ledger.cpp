#include "detectors/incidents/late_ledger.hpp"

#include <algorithm>
#include <iterator>

namespace tocsin {

void late_ledger::add(const closed_tick& tick) {
  for (const auto& late : tick.late) {
    auto& own = late_[late.slot];
    auto same = std::find_if(own.begin(), own.end(),
                             [&](const entry& e) { return e.counted == tick.tick && e.minute == late.minute; });
    if (same == own.end()) {
      own.erase(
          std::remove_if(own.begin(), own.end(), [&](const entry& e) { return e.counted + keep_ticks_ < tick.tick; }),
          own.end());
      if (own.size() >= most_entries)
        own.erase(own.begin());
      own.push_back({tick.tick, late.minute, {}});
      same = std::prev(own.end());
    }
    same->counts.total += late.total;
    same->counts.failed += late.failed;
  }
}

late_ledger::sums late_ledger::before(key_slot slot, tick_index onset, tick_index now) const {
  sums out;
  const auto known = late_.find(slot);
  if (known == late_.end())
    return out;
  const auto begin = tick_start(onset, tick_length_);
  for (const auto& e : known->second)
    if (e.counted >= onset && e.counted + keep_ticks_ >= now && e.minute + minute_ms <= begin) {
      out.total += e.counts.total;
      out.failed += e.counts.failed;
    }
  return out;
}

void late_ledger::forget(const std::vector<bool>& slots) {
  for (auto it = late_.begin(); it != late_.end();)
    it = slots[it->first] ? late_.erase(it) : std::next(it);
}

void late_ledger::save(key_slot slot, state_writer& out) const {
  const auto known = late_.find(slot);
  out.u8(known == late_.end() ? 0 : static_cast<std::uint8_t>(known->second.size()));
  if (known == late_.end())
    return;
  for (const auto& e : known->second) {
    out.i64(e.counted);
    out.i64(e.minute);
    out.i64(e.counts.total);
    out.i64(e.counts.failed);
  }
}

bool late_ledger::load(key_slot slot, state_reader& in) {
  const auto count = in.u8();
  if (count == 0)
    return in.ok();
  if (count > most_entries)
    return false;
  auto& own = late_[slot];
  for (std::size_t i = 0; i < count; ++i) {
    entry e;
    e.counted = in.i64();
    e.minute = in.i64();
    e.counts.total = in.i64();
    e.counts.failed = in.i64();
    if (!is_within_time(e.counted, tick_length_) || e.minute < beginning_of_time || e.minute >= end_of_time ||
        e.counts.failed < 0 || e.counts.failed > e.counts.total || e.counts.total > std::int64_t{1} << 53)
      return false;
    own.push_back(e);
  }
  return in.ok();
}

std::size_t late_ledger::memory_bytes() const {
  auto bytes = late_.bucket_count() * sizeof(std::pair<key_slot, std::vector<entry>>);
  for (const auto& known : late_)
    bytes += known.second.capacity() * sizeof(entry);
  return bytes;
}

} // namespace tocsin
