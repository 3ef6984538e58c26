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
  /// Takes one bucket's bytes; entries wait until all keys are known.
  bool load(std::int64_t bucket, state_reader& in);
  /// Puts the entries into the window. Entries of keys that are gone, or that were made after the bucket (they came
  /// back), are dropped, as they were before the restart.
  void finish(sliding_window& window, const keyed_state& keys, tick_index last_tick);

private:
  struct entry {
    std::int64_t bucket = 0;
    key_hash key;
    window_counts counts;
  };
  std::vector<entry> entries_;
};

} // namespace tocsin
