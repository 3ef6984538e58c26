#include "io/sqlite/sqlite_state_store.hpp"

#include "io/action_json.hpp"
#include "io/identity_check.hpp"
#include "io/sqlite/schema.hpp"

#include <xxhash.h>

#include <algorithm>
#include <utility>

namespace tocsin::io {
namespace {

/// Chained XXH3-64 over the values of a row: the hash of each is the seed of the next.
class row_checksum {
public:
  row_checksum& add(std::int64_t value) {
    hash_ = XXH3_64bits_withSeed(&value, sizeof value, hash_);
    return *this;
  }
  row_checksum& add(std::string_view value) {
    hash_ = XXH3_64bits_withSeed(value.data(), value.size(), hash_ ^ value.size());
    return *this;
  }
  std::int64_t value() const { return static_cast<std::int64_t>(hash_); }

private:
  XXH64_hash_t hash_ = 0;
};

std::int64_t checksum_of(std::int64_t id, std::string_view name) {
  return row_checksum().add(id).add(name).value();
}

std::int64_t checksum_of(std::int64_t id, std::string_view name, const rewind_point& point, std::string_view position) {
  return row_checksum().add(id).add(name).add(point.offset).add(point.watermark).add(position).value();
}

std::int64_t checksum_of(const journal_entry& entry) {
  return row_checksum()
      .add(std::int64_t{entry.partition})
      .add(entry.offset)
      .add(entry.watermark)
      .add(static_cast<std::int64_t>(entry.kind))
      .value();
}

std::int64_t checksum_of_alert(std::int64_t seq, std::int64_t log_end, std::string_view body) {
  return row_checksum().add(seq).add(log_end).add(body).value();
}

std::int64_t checksum_of_state(std::string_view key, std::string_view bytes) {
  return row_checksum().add(key).add(bytes).value();
}

/// An error of our own making: the caller broke the contract.
error misuse(const std::string& path, const std::string& what) {
  return {error_code::state, path + ": " + what, false, true};
}

/// The rows in the order of the table's tree: neighbours share pages, so a large commit writes each page once.
std::vector<const state_record*> in_key_order(const std::vector<state_record>& state) {
  std::vector<const state_record*> order;
  order.reserve(state.size());
  for (const auto& record : state)
    order.push_back(&record);
  // Stable: of two records of one key the later one counts.
  std::stable_sort(order.begin(), order.end(),
                   [](const state_record* a, const state_record* b) { return a->key < b->key; });
  return order;
}

} // namespace

sqlite_state_store::sqlite_state_store(std::string path) : path_(std::move(path)) {}

result<std::unique_ptr<sqlite_state_store>> sqlite_state_store::open_read_only(std::string path) {
  auto store = std::make_unique<sqlite_state_store>(std::move(path));
  if (auto connected = store->connect(database::access::read_only); !connected)
    return connected.failure();
  // One read transaction for the whole life of the store: everything it tells is of one commit.
  if (auto begun = store->database_->execute("BEGIN"); !begun)
    return begun.failure();
  bool is_new = false;
  if (auto checked = store->check_format(is_new); !checked)
    return checked.failure();
  if (is_new)
    return error{error_code::state, store->path_ + ": this state file is empty; nothing was committed yet", true,
                 false};
  auto stored = store->read_contents();
  if (!stored)
    return stored.failure();
  store->identity_ = stored->identity;
  store->meta_ = stored->meta;
  return store;
}

result<restored_world> sqlite_state_store::open(const state_identity& identity) {
  close();
  auto world = open_checked(identity);
  if (!world)
    close(); // what was refused cannot be read or written by accident
  return world;
}

result<restored_world> sqlite_state_store::open_checked(const state_identity& identity) {
  if (path_.empty())
    return misuse("state.sqlite", "the name of the state file is empty; give a path");
  if (!lock_) {
    auto lock = file_lock::acquire(path_);
    if (!lock)
      return lock.failure();
    lock_ = std::move(*lock);
  }
  if (auto connected = connect(database::access::create); !connected)
    return connected.failure();

  // Nothing is written, not even a journal mode, before the file is known to be ours.
  bool is_new = false;
  if (auto checked = check_format(is_new); !checked)
    return checked.failure();
  if (is_new)
    if (auto made = set_up_new_file(); !made)
      return made.failure();
  if (auto added = add_newer_tables(); !added)
    return added.failure();
  auto stored = read_contents();
  if (!stored)
    return stored.failure();
  if (!stored->world.fresh)
    if (auto same = check_identity(path_, stored->identity, identity); !same)
      return same.failure();

  auto statements = prepare_commit();
  if (!statements)
    return statements.failure();
  statements_ = std::move(*statements);
  identity_ = identity;
  meta_ = stored->meta;
  meta_.fingerprint = identity.fingerprint;
  identified_ = !stored->world.fresh;
  return std::move(stored->world);
}

void sqlite_state_store::close() {
  statements_.reset();
  database_.reset();
}

result<void> sqlite_state_store::connect(database::access mode) {
  auto opened = database::open(path_, mode);
  if (!opened)
    return opened.failure();
  database_ = std::move(*opened);
  // FULL: a commit is on the disk when it returns. A checkpoint only every 64 MiB of WAL (16384 pages of 4 KiB) writes
  // a page that many commits changed once; the size limit gives the space of one huge commit back.
  return database_->execute("PRAGMA synchronous=FULL; PRAGMA wal_autocheckpoint=16384; "
                            "PRAGMA journal_size_limit=67108864; PRAGMA cache_size=-16384");
}

result<void> sqlite_state_store::check_format(bool& is_new) {
  auto application = database_->integer("PRAGMA application_id");
  if (!application)
    return application.failure();
  auto objects = database_->integer("SELECT count(*) FROM sqlite_schema");
  if (!objects)
    return objects.failure();
  is_new = *application == 0 && *objects == 0;
  if (is_new)
    return {};
  if (*application != schema::application_id)
    return error{error_code::state,
                 path_ + ": this database belongs to another program (application_id found " +
                     std::to_string(*application) + ", expected " + std::to_string(schema::application_id) +
                     "); name another state file",
                 false, true};
  auto version = database_->integer("PRAGMA user_version");
  if (!version)
    return version.failure();
  if (*version > schema::version)
    return error{error_code::state,
                 path_ + ": written by a newer Tocsin (state version found " + std::to_string(*version) +
                     ", this build knows " + std::to_string(schema::version) +
                     "); use that build, or name another state file to start cold",
                 false, true};
  if (*version < 1)
    return database_->damage("state version found " + std::to_string(*version) + ", expected 1 to " +
                             std::to_string(schema::version));
  version_ = *version;
  return check_tables();
}

result<void> sqlite_state_store::check_tables() const {
  auto definition = database_->prepare("SELECT sql FROM sqlite_schema WHERE type = 'table' AND name = ?");
  if (!definition)
    return definition.failure();
  for (const auto& table : schema::tables) {
    if (table.since > version_)
      continue;
    auto row = definition->bind_text(1, table.name).step();
    if (!row)
      return row.failure();
    if (!*row || definition->bytes(0) != table.sql)
      return database_->damage(std::string("table ") + table.name + (*row ? " is defined otherwise" : " is missing"));
    definition->reset();
  }
  // Structure of all pages; values have their checksums.
  auto check = database_->prepare("PRAGMA quick_check(1)");
  if (!check)
    return check.failure();
  auto row = check->step();
  if (!row)
    return row.failure();
  if (!*row || check->bytes(0) != "ok")
    return database_->damage(*row ? std::string(check->bytes(0)) : "quick_check gives nothing");
  return {};
}

result<void> sqlite_state_store::set_up_new_file() {
  auto mode = database_->prepare("PRAGMA journal_mode=WAL");
  if (!mode)
    return mode.failure();
  auto row = mode->step();
  if (!row)
    return row.failure();
  if (!*row || mode->bytes(0) != "wal")
    return error{error_code::state,
                 path_ + ": this file system does not support SQLite's WAL; put the state on a local disk", false,
                 true};
  mode->reset();

  std::string sql = "BEGIN IMMEDIATE; PRAGMA application_id=" + std::to_string(schema::application_id) +
                    "; PRAGMA user_version=" + std::to_string(schema::version) + ";";
  for (const auto& table : schema::tables)
    sql += std::string(table.sql) + ";";
  sql += "COMMIT";
  version_ = schema::version;
  return database_->execute(sql.c_str());
}

/// A file of an older version lacks tables; what it holds is as it was.
result<void> sqlite_state_store::add_newer_tables() {
  if (version_ == schema::version)
    return {};
  std::string sql = "BEGIN IMMEDIATE; PRAGMA user_version=" + std::to_string(schema::version) + ";";
  for (const auto& table : schema::tables)
    if (table.since > version_)
      sql += std::string(table.sql) + ";";
  sql += "COMMIT";
  version_ = schema::version;
  return database_->execute(sql.c_str());
}

result<sqlite_state_store::commit_statements> sqlite_state_store::prepare_commit() const {
  auto begin = database_->prepare("BEGIN IMMEDIATE");
  auto end = database_->prepare("COMMIT");
  auto insert_alert = database_->prepare("INSERT INTO alerts (seq, log_end, body, checksum) VALUES (?, ?, ?, ?)");
  auto raise_journal = database_->prepare(
      R"(INSERT INTO journal (partition, "offset", watermark, kind, checksum) VALUES (?, ?, ?, ?, ?)
         ON CONFLICT DO UPDATE SET watermark = excluded.watermark, kind = excluded.kind, checksum = excluded.checksum
         WHERE excluded.watermark > watermark)");
  auto insert_action = database_->prepare("INSERT INTO actions (seq, body, checksum) VALUES (?, ?, ?)");
  auto erase_request = database_->prepare("DELETE FROM requests WHERE id = ?");
  auto put_state = database_->prepare("INSERT INTO state (key, bytes, checksum) VALUES (?, ?, ?) "
                                      "ON CONFLICT DO UPDATE SET bytes = excluded.bytes, checksum = excluded.checksum");
  auto erase_state = database_->prepare("DELETE FROM state WHERE key = ?");
  auto move_partition = database_->prepare("REPLACE INTO partitions (id, name, rewind_offset, rewind_watermark, "
                                           "position, checksum) VALUES (?, ?, ?, ?, ?, ?)");
  auto put_meta = database_->prepare("REPLACE INTO meta (id, fingerprint, judged_through, alerts, log_bytes, checksum) "
                                     "VALUES (0, ?, ?, ?, ?, ?)");
  for (const auto* prepared : {&begin, &end, &insert_alert, &raise_journal, &insert_action, &erase_request, &put_state,
                               &erase_state, &move_partition, &put_meta})
    if (!*prepared)
      return prepared->failure();
  return commit_statements{std::move(*begin),         std::move(*end),           std::move(*insert_alert),
                           std::move(*raise_journal), std::move(*insert_action), std::move(*erase_request),
                           std::move(*put_state),     std::move(*erase_state),   std::move(*move_partition),
                           std::move(*put_meta)};
}

// --- reading

result<sqlite_state_store::contents> sqlite_state_store::read_contents() const {
  contents out;
  auto found = read_meta(out.meta);
  if (!found)
    return found.failure();
  if (auto counted = check_alert_count(out.meta); !counted)
    return counted.failure();
  auto& world = out.world;
  world.fresh = !*found;
  world.judged_through = out.meta.judged_through;
  world.alerts = static_cast<std::uint64_t>(out.meta.alerts);
  out.identity.fingerprint = out.meta.fingerprint;
  if (auto read = read_monitors(out.identity); !read)
    return read.failure();
  if (auto read = read_partitions(out); !read)
    return read.failure();
  if (auto read = read_journal(world); !read)
    return read.failure();
  if (auto read = read_actions(out); !read)
    return read.failure();
  if (world.fresh &&
      (!out.identity.monitors.empty() || !world.partitions.empty() || !world.journal.empty() || !world.actions.empty()))
    return database_->damage("table meta has lost its row");
  return out;
}

result<bool> sqlite_state_store::read_meta(meta_row& out) const {
  auto query = database_->prepare("SELECT fingerprint, judged_through, alerts, log_bytes, checksum FROM meta");
  if (!query)
    return query.failure();
  auto row = query->step();
  if (!row || !*row)
    return row;
  out = {std::string(query->bytes(0)), query->integer(1), query->integer(2), query->integer(3)};
  const auto checksum =
      row_checksum().add(out.fingerprint).add(out.judged_through).add(out.alerts).add(out.log_bytes).value();
  if (checksum != query->integer(4))
    return database_->damage("table meta, wrong checksum");
  return true;
}

result<void> sqlite_state_store::check_alert_count(const meta_row& meta) const {
  auto stored = database_->integer("SELECT max(seq) + 1 FROM alerts");
  if (!stored)
    return stored.failure();
  if (*stored != meta.alerts)
    return database_->damage("table alerts ends at record " + std::to_string(*stored) + ", meta counts " +
                             std::to_string(meta.alerts));
  return {};
}

template <class Take>
result<void> sqlite_state_store::for_each_row(const char* sql, const Take& take) const {
  auto query = database_->prepare(sql);
  if (!query)
    return query.failure();
  for (;;) {
    const auto row = query->step();
    if (!row)
      return row.failure();
    if (!*row)
      return {};
    if (auto taken = take(*query); !taken)
      return taken;
  }
}

result<void> sqlite_state_store::read_monitors(state_identity& identity) const {
  return for_each_row("SELECT id, name, checksum FROM monitors ORDER BY id", [&](const statement& row) -> result<void> {
    const auto id = static_cast<std::int64_t>(identity.monitors.size());
    if (row.integer(0) != id || row.integer(2) != checksum_of(id, row.bytes(1)))
      return database_->damage("table monitors, row " + std::to_string(id));
    identity.monitors.emplace_back(row.bytes(1));
    return {};
  });
}

result<void> sqlite_state_store::read_partitions(contents& out) const {
  return for_each_row(
      "SELECT id, name, rewind_offset, rewind_watermark, position, checksum FROM partitions ORDER BY id",
      [&](const statement& row) -> result<void> {
        const auto id = static_cast<std::int64_t>(out.world.partitions.size());
        partition_point point{
            static_cast<partition_id>(id), {row.integer(2), row.integer(3)}, std::string(row.bytes(4))};
        if (row.integer(0) != id || row.integer(5) != checksum_of(id, row.bytes(1), point.rewind, point.position))
          return database_->damage("table partitions, row " + std::to_string(id));
        out.identity.partitions.emplace_back(row.bytes(1));
        out.world.partitions.push_back(std::move(point));
        return {};
      });
}

result<void> sqlite_state_store::read_journal(restored_world& world) const {
  return for_each_row(
      R"(SELECT partition, "offset", watermark, kind, checksum FROM journal ORDER BY partition, "offset")",
      [&](const statement& row) -> result<void> {
        const journal_entry entry{static_cast<partition_id>(row.integer(0)), row.integer(1), row.integer(2),
                                  static_cast<journal_kind>(row.integer(3))};
        if (row.integer(4) != checksum_of(entry))
          return database_->damage("table journal, row " + std::to_string(world.journal.size()));
        world.journal.push_back(entry);
        return {};
      });
}

result<void> sqlite_state_store::read_actions(contents& out) const {
  if (version_ < 2)
    return {};
  return for_each_row("SELECT seq, body, checksum FROM actions ORDER BY seq",
                      [&](const statement& row) -> result<void> {
                        auto action = parse_action(row.bytes(1));
                        if (row.integer(0) != out.meta.actions ||
                            row.integer(2) != checksum_of(row.integer(0), row.bytes(1)) || !action)
                          return database_->damage("table actions, row " + std::to_string(out.meta.actions));
                        ++out.meta.actions;
                        out.world.actions.push_back(std::move(*action));
                        return {};
                      });
}

result<std::vector<action_request>> sqlite_state_store::requests() {
  if (!database_)
    return misuse(path_, "the state is not open");
  std::vector<action_request> out;
  if (version_ < 2)
    return out;
  auto read =
      for_each_row("SELECT id, body, checksum FROM requests ORDER BY id", [&](const statement& row) -> result<void> {
        auto action = parse_action(row.bytes(1));
        if (row.integer(2) != checksum_of(0, row.bytes(1)) || !action)
          return database_->damage("table requests, row " + std::to_string(row.integer(0)));
        out.push_back({row.integer(0), std::move(*action)});
        return {};
      });
  if (!read)
    return read.failure();
  return out;
}

result<void> sqlite_state_store::ask(const std::string& path, const operator_action& what) {
  sqlite_state_store store(path);
  if (auto connected = store.connect(database::access::read_write); !connected)
    return connected;
  bool is_new = false;
  if (auto checked = store.check_format(is_new); !checked)
    return checked;
  if (is_new || store.version_ != schema::version)
    return error{error_code::state,
                 path + ": " + (is_new ? "this state file is empty" : "this state file is of an older version") +
                     "; start `tocsin run` with it once",
                 true, false};
  auto insert = store.database_->prepare("INSERT INTO requests (body, checksum) VALUES (?, ?)");
  if (!insert)
    return insert.failure();
  const auto body = to_json(what);
  return insert->bind_text(1, body).bind(2, checksum_of(0, body)).run();
}

result<void> sqlite_state_store::load(const std::function<result<void>(const state_record&)>& take) {
  if (!database_)
    return misuse(path_, "the state is not open");
  state_record record;
  std::uint64_t number = 0;
  return for_each_row("SELECT key, bytes, checksum FROM state ORDER BY key", [&](const statement& row) -> result<void> {
    record.key = row.bytes(0);
    record.bytes = row.bytes(1);
    if (row.integer(2) != checksum_of_state(record.key, record.bytes))
      return database_->damage("table state, row " + std::to_string(number));
    ++number;
    return take(record);
  });
}

result<void> sqlite_state_store::alerts(std::uint64_t from,
                                        const std::function<result<void>(const std::string&)>& take) {
  if (!database_)
    return misuse(path_, "the state is not open");
  auto query = database_->prepare("SELECT seq, log_end, body, checksum FROM alerts WHERE seq >= ? ORDER BY seq");
  if (!query)
    return query.failure();
  auto expected = static_cast<std::int64_t>(from);
  query->bind(1, expected);
  std::string body;
  for (;; ++expected) {
    auto row = query->step();
    if (!row)
      return row.failure();
    if (!*row)
      break;
    body = query->bytes(2);
    if (query->integer(0) != expected || query->integer(3) != checksum_of_alert(expected, query->integer(1), body))
      return database_->damage("table alerts, record " + std::to_string(expected));
    if (auto taken = take(body); !taken)
      return taken;
  }
  if (expected < meta_.alerts)
    return database_->damage("table alerts ends at record " + std::to_string(expected) + ", meta counts " +
                             std::to_string(meta_.alerts));
  return {};
}

result<state_summary> sqlite_state_store::summary() {
  if (!database_)
    return misuse(path_, "the state is not open");
  auto stored = read_contents();
  if (!stored)
    return stored.failure();
  auto keys = database_->integer("SELECT count(*) FROM state");
  if (!keys)
    return keys.failure();
  auto bytes = database_->integer("SELECT sum(length(key) + length(bytes)) FROM state");
  if (!bytes)
    return bytes.failure();
  return state_summary{std::move(stored->identity), std::move(stored->world),
                       static_cast<std::uint64_t>(stored->meta.log_bytes), static_cast<std::uint64_t>(*keys),
                       static_cast<std::uint64_t>(*bytes)};
}

// --- writing

result<void> sqlite_state_store::commit(const commit_batch& batch) {
  if (!statements_)
    return misuse(path_, database_ ? "the state is open for reading only" : "the state is not open");
  if (auto begun = statements_->begin.run(); !begun)
    return begun;
  auto next = meta_;
  auto written = write(batch, next);
  if (written)
    written = statements_->end.run();
  if (!written) {
    // SQLite has often rolled back by itself; if this fails too, the next BEGIN reports it.
    if (database_->in_transaction())
      if (auto undone = database_->execute("ROLLBACK"); !undone)
        return undone;
    return written;
  }
  meta_ = std::move(next);
  identified_ = true;
  return {};
}

result<void> sqlite_state_store::write(const commit_batch& batch, meta_row& next) {
  if (!identified_)
    if (auto written = write_identity(); !written)
      return written;
  next.judged_through = batch.judged_through;
  if (auto written = write_alerts(batch.alerts, next); !written)
    return written;
  if (auto written = write_journal(batch.journal); !written)
    return written;
  if (auto written = write_actions(batch.actions, next); !written)
    return written;
  if (auto written = write_state(batch.state); !written)
    return written;
  if (auto written = write_partitions(batch.partitions); !written)
    return written;
  return write_meta(next);
}

result<void> sqlite_state_store::write_identity() {
  auto insert = database_->prepare("INSERT INTO monitors (id, name, checksum) VALUES (?, ?, ?)");
  if (!insert)
    return insert.failure();
  for (std::size_t i = 0; i < identity_.monitors.size(); ++i) {
    const auto id = static_cast<std::int64_t>(i);
    const auto& name = identity_.monitors[i];
    if (auto written = insert->bind(1, id).bind_text(2, name).bind(3, checksum_of(id, name)).run(); !written)
      return written;
  }
  // Until a commit moves them, all partitions are read from their beginning.
  std::vector<partition_point> beginnings(identity_.partitions.size());
  for (std::size_t i = 0; i < beginnings.size(); ++i)
    beginnings[i].partition = static_cast<partition_id>(i);
  return write_partitions(beginnings);
}

result<void> sqlite_state_store::write_alerts(const std::vector<std::string>& alerts, meta_row& next) {
  for (const auto& body : alerts) {
    next.log_bytes += static_cast<std::int64_t>(body.size()) + 1;
    const auto checksum = checksum_of_alert(next.alerts, next.log_bytes, body);
    auto written = statements_->insert_alert.bind(1, next.alerts)
                       .bind(2, next.log_bytes)
                       .bind_text(3, body)
                       .bind(4, checksum)
                       .run();
    if (!written)
      return written;
    ++next.alerts;
  }
  return {};
}

result<void> sqlite_state_store::write_journal(const std::vector<journal_entry>& journal) {
  for (const auto& entry : journal) {
    auto written = statements_->raise_journal.bind(1, std::int64_t{entry.partition})
                       .bind(2, entry.offset)
                       .bind(3, entry.watermark)
                       .bind(4, static_cast<std::int64_t>(entry.kind))
                       .bind(5, checksum_of(entry))
                       .run();
    if (!written)
      return written;
  }
  return {};
}

result<void> sqlite_state_store::write_actions(const std::vector<action_request>& actions, meta_row& next) {
  for (const auto& [number, what] : actions) {
    const auto body = to_json(what);
    auto written = statements_->insert_action.bind(1, next.actions)
                       .bind_text(2, body)
                       .bind(3, checksum_of(next.actions, body))
                       .run();
    if (written)
      written = statements_->erase_request.bind(1, number).run();
    if (!written)
      return written;
    ++next.actions;
  }
  return {};
}

result<void> sqlite_state_store::write_state(const std::vector<state_record>& state) {
  for (const auto* record : in_key_order(state)) {
    const auto& [key, bytes] = *record;
    auto written =
        bytes.empty()
            ? statements_->erase_state.bind_blob(1, key).run()
            : statements_->put_state.bind_blob(1, key).bind_blob(2, bytes).bind(3, checksum_of_state(key, bytes)).run();
    if (!written)
      return written;
  }
  return {};
}

result<void> sqlite_state_store::write_partitions(const std::vector<partition_point>& partitions) {
  for (const auto& [partition, rewind, position] : partitions) {
    if (partition >= identity_.partitions.size())
      return misuse(path_, "partition " + std::to_string(partition) + " is not one of the " +
                               std::to_string(identity_.partitions.size()) + " that the state was opened with");
    const auto& name = identity_.partitions[partition];
    const std::int64_t id = partition;
    auto written = statements_->move_partition.bind(1, id)
                       .bind_text(2, name)
                       .bind(3, rewind.offset)
                       .bind(4, rewind.watermark)
                       .bind_blob(5, position)
                       .bind(6, checksum_of(id, name, rewind, position))
                       .run();
    if (!written)
      return written;
  }
  return {};
}

result<void> sqlite_state_store::write_meta(const meta_row& row) {
  const auto checksum =
      row_checksum().add(row.fingerprint).add(row.judged_through).add(row.alerts).add(row.log_bytes).value();
  return statements_->put_meta.bind_text(1, row.fingerprint)
      .bind(2, row.judged_through)
      .bind(3, row.alerts)
      .bind(4, row.log_bytes)
      .bind(5, checksum)
      .run();
}

} // namespace tocsin::io
