#pragma once

#include "io/state_store.hpp"

#include <cstdint>
#include <map>
#include <string>
#include <utility>
#include <vector>

namespace tocsin::io {

/// State that lives as long as this object, for replays and tests. open() after a commit gives what was committed, as
/// after a restart. Owned and used by one thread. Fails only for another identity, or for a batch that names an unknown
/// partition.
class memory_state_store : public state_store {
public:
  enum class alert_memory {
    keep, ///< alerts() can give every committed record again
    drop, ///< only their number is kept; alerts() refuses to give any of them
  };
  explicit memory_state_store(alert_memory alerts = alert_memory::keep) : alert_memory_(alerts) {}

  result<restored_world> open(const state_identity& identity) override;
  result<void> load(const std::function<result<void>(const state_record&)>& take) override;
  result<void> commit(const commit_batch& batch) override;
  result<std::vector<action_request>> requests() override { return requests_; }
  result<void> alerts(std::uint64_t from, const std::function<result<void>(const std::string&)>& take) override;

  /// Asks for an action, as an operator does.
  void ask(operator_action what) { requests_.push_back({++last_request_, std::move(what)}); }

private:
  struct raised {
    time_ms watermark;
    journal_kind kind;
  };

  alert_memory alert_memory_;
  bool fresh_ = true;
  state_identity identity_;
  time_ms judged_through_ = beginning_of_time;
  std::vector<partition_point> partitions_;
  std::map<std::pair<partition_id, stream_offset>, raised> journal_;
  std::vector<operator_action> actions_;
  std::vector<action_request> requests_;
  std::int64_t last_request_ = 0;
  std::map<std::string, std::string> state_;
  std::vector<std::string> alerts_;
  std::uint64_t alert_count_ = 0;
};

} // namespace tocsin::io
