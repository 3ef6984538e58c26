#pragma once

#include "io/sqlite/database.hpp"
#include "io/sqlite/file_lock.hpp"
#include "io/state_store.hpp"

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

namespace tocsin::io {

/// What `state show` tells about a store.
struct state_summary {
  state_identity identity;
  restored_world world;
  std::uint64_t log_bytes = 0;   ///< length of the complete alert log
  std::uint64_t keys = 0;        ///< rows of keyed state
  std::uint64_t state_bytes = 0; ///< of their keys and values
};

/// State in one SQLite file (tables: io/sqlite/schema.hpp), WAL with synchronous=FULL, one transaction a commit: what
/// commit() returned is on the disk, what it did not return is not there at all, whenever the process dies.
/// One process writes (a lock on `<path>.lock`, dropped by the kernel however that process ends); any number may read
/// beside it, see open_read_only().
/// Owned and used by one thread. A full disk is a retriable error and leaves the last commit intact; the same commit
/// may be tried again. Damage, foreign files and other identities are fatal errors that say what to do.
class sqlite_state_store : public state_store {
public:
  /// Opens nothing yet.
  explicit sqlite_state_store(std::string path);

  /// One consistent view, as of now, of a store that another process may be writing; it does not move on. Only load(),
  /// alerts() and summary() are of use.
  static result<std::unique_ptr<sqlite_state_store>> open_read_only(std::string path);

  result<restored_world> open(const state_identity& identity) override;
  result<void> load(const std::function<result<void>(const state_record&)>& take) override;
  result<void> commit(const commit_batch& batch) override;
  result<std::vector<action_request>> requests() override;
  result<void> alerts(std::uint64_t from, const std::function<result<void>(const std::string&)>& take) override;

  /// Asks whoever runs on the state in `path`, or will, for an action. Beside a running process; waits up to 5 seconds
  /// while that commits.
  static result<void> ask(const std::string& path, const operator_action& what);

  /// What is stored; counts the keyed state, so it reads all of it.
  result<state_summary> summary();

private:
  /// What is prepared once and executed at every commit.
  struct commit_statements {
    statement begin;
    statement end;
    statement insert_alert;
    statement raise_journal;
    statement insert_action;
    statement erase_request;
    statement put_state;
    statement erase_state;
    statement move_partition;
    statement put_meta;
  };
  struct meta_row {
    std::string fingerprint;
    time_ms judged_through = beginning_of_time;
    std::int64_t alerts = 0;
    std::int64_t log_bytes = 0;
    std::int64_t actions = 0; ///< rows of their table
  };
  struct contents {
    state_identity identity;
    restored_world world;
    meta_row meta;
  };

  result<restored_world> open_checked(const state_identity& identity);
  void close();
  result<void> connect(database::access mode);
  result<void> set_up_new_file();
  result<void> add_newer_tables();
  result<void> check_format(bool& is_new);
  result<void> check_tables() const;
  result<commit_statements> prepare_commit() const;

  result<contents> read_contents() const;
  result<bool> read_meta(meta_row& out) const;
  /// Calls `take(row)` for each row until it fails.
  template <class Take>
  result<void> for_each_row(const char* sql, const Take& take) const;
  result<void> read_monitors(state_identity& identity) const;
  result<void> read_partitions(contents& out) const;
  result<void> read_journal(restored_world& world) const;
  result<void> read_actions(contents& out) const;
  result<void> check_alert_count(const meta_row& meta) const;

  result<void> write(const commit_batch& batch, meta_row& next);
  result<void> write_identity();
  result<void> write_alerts(const std::vector<std::string>& alerts, meta_row& next);
  result<void> write_journal(const std::vector<journal_entry>& journal);
  result<void> write_actions(const std::vector<action_request>& actions, meta_row& next);
  result<void> write_state(const std::vector<state_record>& state);
  result<void> write_partitions(const std::vector<partition_point>& partitions);
  result<void> write_meta(const meta_row& row);

  std::string path_;
  std::optional<file_lock> lock_;
  std::unique_ptr<database> database_;
  std::optional<commit_statements> statements_; ///< absent in a read-only store
  state_identity identity_;
  meta_row meta_;            ///< as of the last commit
  std::int64_t version_ = 0; ///< of the tables in the file
  bool identified_ = false;  ///< the identity is stored: something was committed
};

} // namespace tocsin::io
