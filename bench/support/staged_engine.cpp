#include "bench/support/staged_engine.hpp"

namespace tocsin::bench {

namespace {

/// Adds the CPU time of a scope to a sum.
class lap {
public:
  explicit lap(double& sum) : sum_(sum), start_(thread_cpu_ns()) {}
  ~lap() { sum_ += static_cast<double>(thread_cpu_ns() - start_); }
  lap(const lap&) = delete;
  lap& operator=(const lap&) = delete;

private:
  double& sum_;
  std::int64_t start_;
};

} // namespace

staged_engine::staged_engine(std::shared_ptr<const world_spec> spec)
    : counter_(spec, 0, {}, beginning_of_time, {}), merger_({rewind_point{}}, beginning_of_time, base_tick(*spec)) {
  for (std::uint32_t s = 0; s < shard_count; ++s)
    shards_.emplace_back(spec, s);
}

void staged_engine::count(const event_batch& batch) {
  {
    const lap lap(times_.count);
    counter_.count(batch);
  }
  settle();
}

void staged_engine::finish() {
  counter_.finish();
  settle();
}

void staged_engine::settle() {
  std::optional<closed_range> range;
  {
    const lap lap(times_.count);
    merger_.add(counter_.take());
    if (merger_.has_next())
      range = merger_.next();
  }
  if (!range)
    return;
  const lap lap(times_.judge);
  for (auto& shard : shards_)
    shard.judge(*range, alerts_);
}

io::commit_batch staged_engine::commit() {
  const lap lap(times_.commit);
  io::commit_batch batch;
  batch.judged_through = merger_.judged_through();
  auto points = merger_.take_restart_points();
  batch.journal = std::move(points.journal);
  batch.partitions.push_back({0, points.rewinds.front(), {}});
  for (auto& shard : shards_)
    shard.take_changes(batch.state);
  return batch;
}

shard_stats staged_engine::stats() const {
  shard_stats sum;
  for (const auto& shard : shards_)
    sum.add(shard.stats());
  return sum;
}

} // namespace tocsin::bench
