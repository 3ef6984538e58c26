#pragma once

#include "io/alert_sink.hpp"
#include "io/reject_sink.hpp"
#include "io/state_store.hpp"

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

namespace tocsin::test {

/// What lasts: the test keeps it, the doubles below write it.
struct disk {
  bool fresh = true;
  time_ms judged_through = beginning_of_time;
  std::vector<io::partition_point> partitions;
  std::vector<journal_entry> journal;
  std::vector<operator_action> actions;
  std::vector<action_request> requests; ///< of operators, in order of their numbers
  std::map<std::string, std::string> state;
  std::vector<std::string> alerts;
  std::vector<std::string> log; ///< the visible alert log
  std::vector<reject> rejects;
  std::size_t commits = 0;
};

/// A state store on a `disk` that can be told to misbehave.
class recording_store : public io::state_store {
public:
  explicit recording_store(std::shared_ptr<disk> on) : disk_(std::move(on)) {}

  /// Called before a commit is made durable, and after; may block, throw or return an error.
  std::function<io::result<void>()> before_commit, after_commit;
  std::function<io::result<void>()> on_open;
  /// A mutant: a restart begins without state.
  bool forget_state = false;

  io::result<io::restored_world> open(const io::state_identity& identity) override;
  io::result<void> load(const std::function<io::result<void>(const state_record&)>& take) override;
  io::result<void> commit(const io::commit_batch& batch) override;
  io::result<std::vector<action_request>> requests() override { return disk_->requests; }
  io::result<void> alerts(std::uint64_t from, const std::function<io::result<void>(const std::string&)>& take) override;

private:
  std::shared_ptr<disk> disk_;
};

/// The alert log on the same disk. Refuses a log that is not a prefix of the committed records.
class recording_log : public io::alert_sink {
public:
  explicit recording_log(std::shared_ptr<disk> on) : disk_(std::move(on)) {}
  std::function<io::result<void>()> before_append;
  io::result<void> complete(io::state_store& store) override;
  io::result<void> append(const std::vector<std::string>& alerts) override;

private:
  std::shared_ptr<disk> disk_;
};

class recording_rejects : public io::reject_sink {
public:
  explicit recording_rejects(std::shared_ptr<disk> on) : disk_(std::move(on)) {}
  std::function<io::result<void>()> before_write;
  io::result<void> write(const std::vector<reject>& rejects) override;

private:
  std::shared_ptr<disk> disk_;
};

} // namespace tocsin::test
