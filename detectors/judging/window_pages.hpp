#pragma once

#include "detectors/judging/detector.hpp"
#include "models/sliding_window.hpp"

#include <cstdint>
#include <vector>

namespace tocsin {

/// Saves and restores a sliding window bucket by bucket: a commit writes only the buckets that changed, and keys are
/// named by their hash, since slots differ after a restart. Owned by a detector.
class window_pages {
public:
  /// Writes changed buckets and erases those that left the window.
  static void save_changed(sliding_window& window, const keyed_state& keys, const detector::page_writer& write);
  /// The same for an owner who keeps the current bucket with the keys: writes buckets that are complete.
  static void save_completed(sliding_window& window, const keyed_state& keys, const detector::page_writer& write);
  /// Takes one bucket's bytes; entries wait until all keys are known.
  /// False on damaged bytes.
  bool load(std::int64_t bucket, state_reader& in);
  /// Puts the entries into the window. False if one is of an unknown key or lies behind `last_tick`.
  bool finish(sliding_window& window, const keyed_state& keys, tick_index last_tick);

private:
  struct entry {
    std::int64_t bucket = 0;
    key_hash key;
    window_counts counts;
  };
  std::vector<entry> entries_;
};

void save_counts(const window_counts& counts, state_writer& out);
/// Marks the bytes as damaged unless 0 <= capped <= failed <= total <= 2^53.
window_counts load_counts(state_reader& in);

} // namespace tocsin
