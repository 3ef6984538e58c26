#include "io/memory/memory_state_store.hpp"

#include "io/identity_check.hpp"

#include <algorithm>

namespace tocsin::io {

result<restored_world> memory_state_store::open(const state_identity& identity) {
  if (fresh_) {
    identity_ = identity;
    return restored_world{};
  }
  if (auto same = check_identity("state in memory", identity_, identity); !same)
    return same.failure();
  restored_world world;
  world.fresh = false;
  world.judged_through = judged_through_;
  world.partitions = partitions_;
  world.alerts = alert_count_;
  for (const auto& [place, entry] : journal_)
    world.journal.push_back({place.first, place.second, entry.watermark, entry.kind});
  world.actions = actions_;
  return world;
}

result<void> memory_state_store::load(const std::function<result<void>(const state_record&)>& take) {
  for (const auto& [key, bytes] : state_)
    if (auto taken = take({key, bytes}); !taken)
      return taken;
  return {};
}

result<void> memory_state_store::commit(const commit_batch& batch) {
  // All or nothing: what can be refused is looked at before anything changes.
  for (const auto& point : batch.partitions)
    if (point.partition >= identity_.partitions.size())
      return error{error_code::state,
                   "state in memory: partition " + std::to_string(point.partition) + " is not one of the " +
                       std::to_string(identity_.partitions.size()) + " that the state was opened with",
                   false, true};
  if (fresh_) {
    partitions_.resize(identity_.partitions.size());
    for (std::size_t i = 0; i < partitions_.size(); ++i)
      partitions_[i].partition = static_cast<partition_id>(i);
  }
  fresh_ = false;
  judged_through_ = batch.judged_through;
  for (const auto& point : batch.partitions)
    partitions_[point.partition] = point;
  for (const auto& entry : batch.journal) {
    auto& stored =
        journal_.try_emplace({entry.partition, entry.offset}, raised{entry.watermark, entry.kind}).first->second;
    if (entry.watermark > stored.watermark)
      stored = {entry.watermark, entry.kind};
  }
  for (const auto& taken : batch.actions) {
    actions_.push_back(taken.what);
    requests_.erase(std::remove_if(requests_.begin(), requests_.end(),
                                   [&](const action_request& one) { return one.number == taken.number; }),
                    requests_.end());
  }
  for (const auto& [key, bytes] : batch.state) {
    if (bytes.empty())
      state_.erase(key);
    else
      state_[key] = bytes;
  }
  alert_count_ += batch.alerts.size();
  if (alert_memory_ == alert_memory::keep)
    alerts_.insert(alerts_.end(), batch.alerts.begin(), batch.alerts.end());
  return {};
}

result<void> memory_state_store::alerts(std::uint64_t from,
                                        const std::function<result<void>(const std::string&)>& take) {
  if (from < alert_count_ && alert_memory_ == alert_memory::drop)
    return error{error_code::state, "state in memory: the committed alert records were not kept", false, true};
  for (auto number = from; number < alerts_.size(); ++number)
    if (auto taken = take(alerts_[number]); !taken)
      return taken;
  return {};
}

} // namespace tocsin::io
