#include "detectors/engine/world.hpp"

#include "detectors/judging/keyed_state.hpp"

#include <algorithm>
#include <iterator>
#include <map>
#include <utility>

namespace tocsin {

namespace {

world_snapshot nothing(std::size_t partitions) {
  world_snapshot fresh;
  fresh.rewinds.resize(partitions);
  return fresh;
}

} // namespace

world::world(std::shared_ptr<const world_spec> spec, std::size_t partitions)
    : world(std::move(spec), partitions, nothing(partitions)) {}

world::world(std::shared_ptr<const world_spec> spec, std::size_t partitions, const world_snapshot& from)
    : spec_(std::move(spec)), merger_(from.rewinds, from.judged_through, base_tick(*spec_)) {
  for (partition_id p = 0; p < partitions; ++p)
    counters_.emplace_back(spec_, p, from.rewinds[p], from.judged_through, from.journal);
  for (std::uint32_t s = 0; s < shard_count; ++s)
    shards_.emplace_back(spec_, s);
  for (const auto& record : from.state) {
    const auto owner = shard::owner_of(record);
    error_ = owner ? shards_[*owner].restore(record) : "state record with a malformed key";
    if (error_)
      return;
  }
  for (auto& shard : shards_)
    if ((error_ = shard.finish_restore(from.judged_through)))
      return;
  for (auto& shard : shards_)
    shard.obey(from.actions);
}

void world::count(const event_batch& batch) {
  counters_[batch.partition].count(batch);
  settle(batch.partition);
}

void world::advance(partition_id partition, time_ms watermark, journal_kind kind) {
  counters_[partition].advance(watermark, kind);
  settle(partition);
}

void world::finish(partition_id partition) {
  counters_[partition].finish();
  settle(partition);
}

void world::obey(const operator_action& action) {
  actions_.push_back(taken_over(action, judged_through()));
  for (auto& shard : shards_)
    shard.obey({actions_.back()});
}

void world::settle(partition_id partition) {
  auto news = counters_[partition].take();
  stats_.add(news.stats);
  rejects_.insert(rejects_.end(), std::make_move_iterator(news.rejects.begin()),
                  std::make_move_iterator(news.rejects.end()));
  merger_.add(std::move(news));
  if (!merger_.has_next())
    return;
  const auto range = merger_.next();
  const auto first_new = alerts_.size();
  for (auto& shard : shards_)
    shard.judge(range, alerts_);
  sort_alerts(alerts_, first_new);
}

std::vector<alert> world::take_alerts() {
  return std::exchange(alerts_, {});
}

std::vector<reject> world::take_rejects() {
  return std::exchange(rejects_, {});
}

world_snapshot world::take_commit() {
  world_snapshot commit;
  commit.judged_through = merger_.judged_through();
  auto points = merger_.take_restart_points();
  commit.rewinds = std::move(points.rewinds);
  commit.journal = std::move(points.journal);
  commit.actions = std::exchange(actions_, {});
  for (auto& shard : shards_)
    shard.take_changes(commit.state);
  return commit;
}

shard_stats world::state_stats() const {
  shard_stats sum;
  for (const auto& shard : shards_)
    sum.add(shard.stats());
  return sum;
}

std::uint32_t world::owner_of(std::uint32_t monitor, std::string_view key) const {
  return shard_of(scope_of(key, spec_->monitors[monitor].scope_size));
}

std::optional<key_explanation> world::explain(std::uint32_t monitor, std::string_view key) const {
  return shards_[owner_of(monitor, key)].explain(monitor, key);
}

std::optional<attribution_view> world::attribute(std::uint32_t monitor, std::string_view key, time_ms since) const {
  return shards_[owner_of(monitor, key)].attribute(monitor, key, since);
}

void world::watch(std::uint32_t monitor, const std::vector<std::string>& keys) {
  std::map<std::uint32_t, std::vector<std::string>> by_shard;
  for (const auto& key : keys)
    by_shard[owner_of(monitor, key)].push_back(key);
  watched_.resize(spec_->monitors.size());
  for (const auto shard : watched_[monitor])
    shards_[shard].watch(monitor, {});
  watched_[monitor].clear();
  for (auto& [shard, mine] : by_shard) {
    shards_[shard].watch(monitor, std::move(mine));
    watched_[monitor].push_back(shard);
  }
}

std::vector<watched_tick> world::take_watched() {
  std::vector<watched_tick> seen;
  for (std::uint32_t monitor = 0; monitor < watched_.size(); ++monitor)
    for (const auto shard : watched_[monitor]) {
      auto some = shards_[shard].take_watched(monitor);
      seen.insert(seen.end(), std::make_move_iterator(some.begin()), std::make_move_iterator(some.end()));
    }
  return seen;
}

} // namespace tocsin
