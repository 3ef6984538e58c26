#include "io/sqlite/database.hpp"

#include <algorithm>
#include <cstring>
#include <system_error>
#include <utility>

namespace tocsin::io {
namespace {

constexpr int busy_timeout_ms = 5000;

int open_flags(database::access mode) {
  switch (mode) {
  case database::access::read_only: return SQLITE_OPEN_READONLY;
  case database::access::read_write: return SQLITE_OPEN_READWRITE;
  case database::access::create: return SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE;
  }
  return SQLITE_OPEN_READONLY;
}

/// SQLite gives names like ":memory:" and "file:..." a meaning; ours are always files.
std::string plain_file(const std::string& path) {
  return path.empty() || path.front() == '/' ? path : "./" + path;
}

/// SQLite treats a null pointer as NULL, not as empty.
const char* data_of(std::string_view value) {
  return value.data() == nullptr ? "" : value.data();
}

} // namespace

statement& statement::bind(int parameter, std::int64_t value) {
  if (const auto code = sqlite3_bind_int64(handle_.get(), parameter, value); code != SQLITE_OK)
    bind_code_ = code;
  return *this;
}

statement& statement::bind_text(int parameter, std::string_view value) {
  const auto code =
      sqlite3_bind_text64(handle_.get(), parameter, data_of(value), value.size(), SQLITE_STATIC, SQLITE_UTF8);
  if (code != SQLITE_OK)
    bind_code_ = code;
  return *this;
}

statement& statement::bind_blob(int parameter, std::string_view value) {
  const auto code = sqlite3_bind_blob64(handle_.get(), parameter, data_of(value), value.size(), SQLITE_STATIC);
  if (code != SQLITE_OK)
    bind_code_ = code;
  return *this;
}

result<bool> statement::step() {
  const auto code = bind_code_ != SQLITE_OK ? bind_code_ : sqlite3_step(handle_.get());
  if (code == SQLITE_ROW)
    return true;
  if (code == SQLITE_DONE) {
    reset();
    return false;
  }
  auto failure = owner_->failure(code);
  reset();
  return failure;
}

result<void> statement::run() {
  auto row = step();
  if (!row)
    return row.failure();
  reset();
  return {};
}

void statement::reset() {
  sqlite3_reset(handle_.get());
  bind_code_ = SQLITE_OK;
}

std::int64_t statement::integer(int column) const {
  return sqlite3_column_int64(handle_.get(), column);
}

std::string_view statement::bytes(int column) const {
  const auto* data = static_cast<const char*>(sqlite3_column_blob(handle_.get(), column));
  const auto size = sqlite3_column_bytes(handle_.get(), column);
  return data == nullptr ? std::string_view{} : std::string_view(data, static_cast<std::size_t>(size));
}

bool statement::is_null(int column) const {
  return sqlite3_column_type(handle_.get(), column) == SQLITE_NULL;
}

result<std::unique_ptr<database>> database::open(const std::string& path, access mode) {
  if (path.empty())
    return error{error_code::state, "the name of the state file is empty; give a path", false, true};
  sqlite3* handle = nullptr;
  const auto code = sqlite3_open_v2(plain_file(path).c_str(), &handle, open_flags(mode) | SQLITE_OPEN_NOMUTEX, nullptr);
  std::unique_ptr<database> opened(new database(path, handle));
  if (code != SQLITE_OK) {
    auto failure = handle == nullptr ? error{error_code::state, path + ": out of memory", true, false}
                                     : opened->failure(sqlite3_extended_errcode(handle));
    failure.fatal = !failure.retriable;
    return failure;
  }
  sqlite3_extended_result_codes(handle, 1);
  sqlite3_busy_timeout(handle, busy_timeout_ms);
  return opened;
}

result<void> database::execute(const char* sql) {
  if (const auto code = sqlite3_exec(handle_.get(), sql, nullptr, nullptr, nullptr); code != SQLITE_OK)
    return failure(code);
  return {};
}

result<statement> database::prepare(std::string_view sql) const {
  sqlite3_stmt* prepared = nullptr;
  const auto code = sqlite3_prepare_v3(handle_.get(), sql.data(), static_cast<int>(sql.size()),
                                       SQLITE_PREPARE_PERSISTENT, &prepared, nullptr);
  if (code != SQLITE_OK)
    return failure(code);
  return statement(*this, prepared);
}

result<std::int64_t> database::integer(std::string_view sql) const {
  auto query = prepare(sql);
  if (!query)
    return query.failure();
  auto row = query->step();
  if (!row)
    return row.failure();
  return *row ? query->integer(0) : std::int64_t{0};
}

error database::failure(int code) const {
  const std::string reason = sqlite3_errmsg(handle_.get());
  switch (code & 0xff) {
  case SQLITE_NOTADB:
    return {error_code::state,
            path_ + ": this file is no SQLite database; name another state file, or move this one away", false, true};
  case SQLITE_CORRUPT: return damage(reason);
  case SQLITE_FULL:
    return {error_code::state, path_ + ": the disk is full (" + reason + "); free some space", true, false};
  case SQLITE_IOERR: {
    const auto number = sqlite3_system_errno(handle_.get());
    const auto cause = number == 0 ? reason : reason + ": " + std::generic_category().message(number);
    return {error_code::state, path_ + ": cannot read or write (" + cause + ")", true, false};
  }
  case SQLITE_BUSY:
  case SQLITE_LOCKED:
    return {error_code::state, path_ + ": another program holds this database (" + reason + "); close it", true, false};
  case SQLITE_NOMEM: return {error_code::state, path_ + ": out of memory", true, false};
  case SQLITE_CANTOPEN: {
    const auto number = sqlite3_system_errno(handle_.get());
    return {error_code::state,
            path_ + ": cannot open (" + (number == 0 ? reason : std::generic_category().message(number)) + ")", false,
            true};
  }
  case SQLITE_READONLY:
  case SQLITE_PERM:
    return {error_code::state, path_ + ": may not be written (" + reason + "); file and folder must be writable", false,
            true};
  default: return {error_code::state, path_ + ": " + reason, false, true};
  }
}

error database::damage(const std::string& what) const {
  auto line = what; // quick_check answers in several
  std::replace(line.begin(), line.end(), '\n', ' ');
  return {error_code::state,
          path_ + ": the state is damaged (" + line + "); restore it from a backup, or delete it to start cold", false,
          true};
}

} // namespace tocsin::io
