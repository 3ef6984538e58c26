#include "detectors/judging/window_pages.hpp"

#include <utility>

namespace tocsin {

namespace {

constexpr std::uint16_t page_version = 1;

void write_pages(const std::vector<std::int64_t>& changed, sliding_window& window, const keyed_state& keys,
                 const detector::page_writer& write) {
  for (const auto bucket : window.take_evicted())
    write(bucket, {});
  for (const auto bucket : changed) {
    const auto& entries = window.bucket(bucket);
    if (entries.empty()) {
      // A restart would not know of it, so nobody would erase it later.
      write(bucket, {});
      continue;
    }
    state_writer out(page_version);
    out.u32(static_cast<std::uint32_t>(entries.size()));
    for (const auto& e : entries) {
      const auto& key = keys[e.slot].hash;
      out.u64(key.low);
      out.u64(key.high);
      save_counts(e.counts, out);
    }
    write(bucket, out.seal());
  }
}

} // namespace

void window_pages::save_changed(sliding_window& window, const keyed_state& keys, const detector::page_writer& write) {
  write_pages(window.take_changed(), window, keys, write);
}

void window_pages::save_completed(sliding_window& window, const keyed_state& keys, const detector::page_writer& write) {
  write_pages(window.take_completed(), window, keys, write);
}

bool window_pages::load(std::int64_t bucket, state_reader& in) {
  if (in.version() != page_version)
    return false;
  for (auto left = in.u32(); left > 0 && in.ok(); --left) {
    entry e;
    e.bucket = bucket;
    e.key.low = in.u64();
    e.key.high = in.u64();
    e.counts = load_counts(in);
    entries_.push_back(e);
  }
  return in.complete();
}

bool window_pages::finish(sliding_window& window, const keyed_state& keys, tick_index last_tick) {
  for (const auto& e : std::exchange(entries_, {})) {
    const auto slot = keys.find(e.key);
    if (!slot || !is_within_time(e.bucket, window.span_ticks()) || e.bucket * window.span_ticks() > last_tick)
      return false;
    window.restore(e.bucket, *slot, e.counts);
  }
  window.advance(last_tick);
  return true;
}

void save_counts(const window_counts& counts, state_writer& out) {
  out.i64(counts.total);
  out.i64(counts.failed);
  out.i64(counts.capped);
}

window_counts load_counts(state_reader& in) {
  constexpr std::int64_t most = std::int64_t{1} << 53;
  const window_counts counts{in.i64(), in.i64(), in.i64()};
  if (counts.capped < 0 || counts.capped > counts.failed || counts.failed > counts.total || counts.total > most) {
    in.fail();
    return {};
  }
  return counts;
}

} // namespace tocsin
