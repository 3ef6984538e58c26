#pragma once

#include "io/result.hpp"

#include <sqlite3.h>

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

namespace tocsin::io {

class database;

/// A prepared statement. Owned by whoever prepared it, used by one thread, must not outlive its database.
/// Bound text and blobs are not copied: they must live until the next reset.
class statement {
public:
  /// Parameters count from 1. A failed bind shows in the next step().
  statement& bind(int parameter, std::int64_t value);
  statement& bind_text(int parameter, std::string_view value);
  statement& bind_blob(int parameter, std::string_view value);
  /// True: a row is there. False: done, ready for the next execution. After an error, too, it is ready again.
  result<bool> step();
  /// Executes a statement that gives no rows.
  result<void> run();
  void reset();
  /// Columns of the present row count from 0; views live until the next step().
  std::int64_t integer(int column) const;
  std::string_view bytes(int column) const;
  bool is_null(int column) const;

private:
  friend class database;
  struct finalizer {
    void operator()(sqlite3_stmt* handle) const { sqlite3_finalize(handle); }
  };
  statement(const database& owner, sqlite3_stmt* handle) : owner_(&owner), handle_(handle) {}

  const database* owner_;
  std::unique_ptr<sqlite3_stmt, finalizer> handle_;
  int bind_code_ = SQLITE_OK;
};

/// A connection to an SQLite file. Owned and used by one thread. Every failure becomes an error of the state class that
/// names the file: damage, or what is no database, is fatal; a full disk or a busy file is retriable.
class database {
public:
  enum class access { read_only, read_write, create };
  static result<std::unique_ptr<database>> open(const std::string& path, access mode);
  database(const database&) = delete;
  database& operator=(const database&) = delete;

  /// Executes statements that give no rows.
  result<void> execute(const char* sql);
  /// The statement is kept for many executions.
  result<statement> prepare(std::string_view sql) const;
  /// The single integer that a query gives; 0 if it gives no row or NULL.
  result<std::int64_t> integer(std::string_view sql) const;
  bool in_transaction() const { return sqlite3_get_autocommit(handle_.get()) == 0; }
  /// Rows that the last statement changed.
  std::int64_t changes() const { return sqlite3_changes64(handle_.get()); }
  /// Explains SQLite's result code.
  error failure(int code) const;
  /// The state is damaged: what was found.
  error damage(const std::string& what) const;
  const std::string& path() const { return path_; }

private:
  struct closer {
    void operator()(sqlite3* handle) const { sqlite3_close_v2(handle); }
  };
  database(std::string path, sqlite3* handle) : path_(std::move(path)), handle_(handle) {}

  std::string path_;
  std::unique_ptr<sqlite3, closer> handle_;
};

} // namespace tocsin::io
