#pragma once

#include "detectors/values/journal.hpp"
#include "detectors/values/operator_action.hpp"
#include "detectors/values/state_record.hpp"
#include "detectors/values/time.hpp"
#include "io/result.hpp"

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

namespace tocsin::io {

/// Whose state this is. A store that holds another identity refuses to open and says what differs.
struct state_identity {
  std::string fingerprint;             ///< world_spec::fingerprint
  std::vector<std::string> monitors;   ///< names, for the message
  std::vector<std::string> partitions; ///< names, in order of partition id
};

struct partition_point {
  partition_id partition = 0;
  rewind_point rewind;
  std::string position; ///< source::position at the rewind offset
};

/// Everything one commit makes durable, all or nothing.
struct commit_batch {
  time_ms judged_through = beginning_of_time; ///< every tick that ends at or before this is judged
  std::vector<std::string> alerts;            ///< rendered records without line end, in log order
  std::vector<journal_entry> journal;         ///< entries that are new since the last commit
  std::vector<action_request> actions;        ///< taken over since the last commit; their requests are done
  std::vector<state_record> state;            ///< changed keys; empty bytes erase
  std::vector<partition_point> partitions;    ///< every partition
};

/// What a store knew when it was opened.
struct restored_world {
  bool fresh = true; ///< nothing was ever committed
  time_ms judged_through = beginning_of_time;
  std::vector<partition_point> partitions;
  std::vector<journal_entry> journal;   ///< in order of (partition, offset)
  std::uint64_t alerts = 0;             ///< records committed so far
  std::vector<operator_action> actions; ///< in the order in which they were taken over
};

/// Durable state of one world. Owned and called by one thread (the sink actor's); calls block.
class state_store {
public:
  virtual ~state_store() = default;
  /// Opens or creates; refuses a foreign, corrupted or newer store with a fatal error. May be called again after a
  /// restart of the world and then reads the last commit anew.
  virtual result<restored_world> open(const state_identity& identity) = 0;
  /// Hands out every state record, in any order.
  virtual result<void> load(const std::function<result<void>(const state_record&)>& take) = 0;
  /// One atomic transaction; durable when it returns.
  virtual result<void> commit(const commit_batch& batch) = 0;
  /// Actions that operators ask for and no commit has taken over yet, in order of their numbers. Other processes may
  /// add to them at any time.
  virtual result<std::vector<action_request>> requests() { return std::vector<action_request>(); }
  /// Hands out the committed alert records number `from`, `from`+1, ... (from 0) in log order.
  virtual result<void> alerts(std::uint64_t from, const std::function<result<void>(const std::string&)>& take) = 0;
};

} // namespace tocsin::io
