#pragma once

#include "actors/restart_policy.hpp"
#include "detectors/counting/partition_counter.hpp"
#include "detectors/engine/shard.hpp"
#include "detectors/values/journal.hpp"
#include "detectors/values/monitor_spec.hpp"
#include "detectors/values/operator_action.hpp"
#include "io/alert_sink.hpp"
#include "io/decoder.hpp"
#include "io/reject_sink.hpp"
#include "io/source.hpp"
#include "io/state_store.hpp"

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace tocsin::actors {

/// How a pipeline runs. Only `spec`, `identity`, `live` and what is given of a journal can change the alert log.
struct pipeline_options {
  std::shared_ptr<const world_spec> spec;
  io::state_identity identity;
  std::size_t workers = 1;
  std::size_t block_bytes = std::size_t{1} << 20;
  std::uint64_t credit_bytes = std::uint64_t{8} << 20; ///< of each partition; at least one block
  time_ms commit_interval = 1 * second_ms;
  time_ms idle_timeout = 30 * second_ms; ///< only if `live`
  time_ms shutdown_deadline = 10 * second_ms;
  bool live = false;                          ///< the source is followed: silent partitions are let go
  std::vector<journal_entry> given_journal;   ///< of a recording: entries to obey
  std::vector<operator_action> given_actions; ///< the same, of operators
  restart_policy::settings restarts;
  std::function<time_ms()> wall_clock;         ///< absent: the system's
  std::function<void(const std::string&)> log; ///< one line about each failure and restart; absent: standard error
};

/// What a pipeline is made of. It owns them until it is destroyed.
struct pipeline_parts {
  std::unique_ptr<io::source> source;
  std::function<std::unique_ptr<io::decoder>()> make_decoder; ///< called from several threads
  std::unique_ptr<io::state_store> store;
  std::unique_ptr<io::alert_sink> alerts;
  std::unique_ptr<io::reject_sink> rejects; ///< may be absent: rejects are only counted
};

/// Where a pipeline is. After a restart, records that are read again count again in `counting`.
struct pipeline_progress {
  std::uint64_t bytes = 0; ///< of the input as stored
  std::optional<std::uint64_t> bytes_total;
  time_ms judged_through = beginning_of_time;    ///< event time up to which everything is judged
  time_ms committed_through = beginning_of_time; ///< ... and durable
  std::uint64_t alerts = 0;                      ///< records committed by this pipeline
  std::uint64_t shadow_alerts = 0;               ///< of them, those in shadow
  std::uint64_t commits = 0;
  std::uint64_t restarts = 0;
  counting_stats counting;
  shard_stats state; ///< as of the last commit
  std::string last_error;
};

/// How a pipeline came to its end.
struct pipeline_outcome {
  std::optional<io::error> failure; ///< absent: end of input reached, or stopped cleanly, and everything is committed
  /// The shutdown deadline passed while a thread was still blocked in a source or sink. Destroying the pipeline would
  /// wait for it: leave the process with std::_Exit, nothing that is committed gets lost.
  bool abandoned = false;
  pipeline_progress final;
};

/// The engine at work: records in, committed alerts out, supervised. The only face of the actor layer.
///
/// Usage: `pipeline p(options, parts); while (!p.wait_for(200)) show(p.progress()); return p.wait();`
///
/// One thread owns it (constructs, waits, destroys); `progress` may be called from any thread and `request_stop` from a
/// signal handler. Failures, also those at the start, are told by the outcome; the destructor stops what still runs.
class pipeline {
public:
  pipeline(pipeline_options options, pipeline_parts parts);
  ~pipeline();
  pipeline(const pipeline&) = delete;
  pipeline& operator=(const pipeline&) = delete;

  pipeline_progress progress() const;
  /// Stops soon: the last commit of what is judged, then the end. Only sets a flag that the waiting thread sees.
  void request_stop() noexcept;
  /// Waits up to `timeout` ms; true when the pipeline has come to its end.
  bool wait_for(time_ms timeout);
  /// Waits for the end.
  pipeline_outcome wait();

private:
  class running;
  std::unique_ptr<running> running_;
};

} // namespace tocsin::actors
