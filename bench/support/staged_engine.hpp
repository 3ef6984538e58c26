#pragma once

#include "bench/support/cpu.hpp"
#include "detectors/counting/partition_counter.hpp"
#include "detectors/engine/shard.hpp"
#include "detectors/engine/tick_merger.hpp"
#include "detectors/values/alert.hpp"
#include "io/state_store.hpp"

#include <cstdint>
#include <memory>
#include <vector>

namespace tocsin::bench {

/// CPU time by stage of the engine, in nanoseconds.
struct stage_times {
  double count = 0;  ///< leaf cells, closing of ticks, merging of partitions
  double judge = 0;  ///< roll-up, detectors, life cycle
  double commit = 0; ///< collecting and encoding what changed
};

/// A `world` of one partition taken apart, so that each stage has its own clock. One thread.
class staged_engine {
public:
  explicit staged_engine(std::shared_ptr<const world_spec> spec);
  void count(const event_batch& batch);
  void finish();
  /// Everything that changed since the last commit; the store's own work is the caller's.
  io::commit_batch commit();

  const stage_times& times() const { return times_; }
  std::uint64_t judged() const { return stats().judged; }
  shard_stats stats() const;
  std::size_t alerts() const { return alerts_.size(); }

private:
  void settle();

  partition_counter counter_;
  tick_merger merger_;
  std::vector<shard> shards_;
  std::vector<alert> alerts_;
  stage_times times_;
};

} // namespace tocsin::bench
