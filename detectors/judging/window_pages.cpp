#include "detectors/judging/window_pages.hpp"

#include <utility>

namespace tocsin {

namespace {
constexpr std::uint16_t page_version = 1;
} // namespace

void window_pages::save_changed(sliding_window& window, const keyed_state& keys, const detector::page_writer& write) {
  for (const auto bucket : window.take_evicted())
    write(bucket, {});
  for (const auto bucket : window.take_changed()) {
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
      out.i64(e.counts.total);
      out.i64(e.counts.failed);
      out.i64(e.counts.capped);
    }
    write(bucket, out.seal());
  }
}

bool window_pages::load(std::int64_t bucket, state_reader& in) {
  if (in.version() != page_version)
    return false;
  for (auto left = in.u32(); left > 0 && in.ok(); --left) {
    entry e;
    e.bucket = bucket;
    e.key.low = in.u64();
    e.key.high = in.u64();
    e.counts = {in.i64(), in.i64(), in.i64()};
    entries_.push_back(e);
  }
  return in.complete();
}

void window_pages::finish(sliding_window& window, const keyed_state& keys, tick_index last_tick) {
  for (const auto& e : std::exchange(entries_, {})) {
    const auto slot = keys.find(e.key);
    if (!slot || (e.bucket + 1) * window.span_ticks() <= keys[*slot].created)
      continue;
    window.restore(e.bucket, *slot, e.counts);
  }
  window.advance(last_tick);
}

} // namespace tocsin
