#pragma once

#include <array>
#include <cstdint>

namespace tocsin::io::schema {

/// "TOCS", in the header of every state file: tells ours from other programs' databases (PRAGMA application_id).
inline constexpr std::int64_t application_id = 0x544f4353;
/// Version of the tables (PRAGMA user_version); raised when they change.
inline constexpr std::int64_t version = 2;

struct table {
  const char* name;
  std::int64_t since; ///< the version that brought it: an older file gets it when a run opens it
  const char* sql;    ///< exactly as SQLite keeps it, so that a damaged definition is noticed
};

/// The comments are for people: `.schema` of the sqlite3 shell shows them. Every row carries an XXH3-64 checksum of its
/// values, because SQLite notices damaged structure but not damaged values.
inline constexpr std::array<table, 8> tables = {{
    {"meta", 1, R"sql(CREATE TABLE meta (
  -- One row, from the first commit on: whose state this is and how far it goes.
  id INTEGER PRIMARY KEY CHECK (id = 0),
  fingerprint TEXT NOT NULL,       -- hash of everything in the configuration that can change a verdict
  judged_through INTEGER NOT NULL, -- event time, ms since 1970: each tick that ends at or before it is judged
  alerts INTEGER NOT NULL,         -- number of records in table alerts
  log_bytes INTEGER NOT NULL,      -- length of the complete alert log
  checksum INTEGER NOT NULL
))sql"},
    {"monitors", 1, R"sql(CREATE TABLE monitors (
  id INTEGER PRIMARY KEY, -- order in the configuration, from 0
  name TEXT NOT NULL,
  checksum INTEGER NOT NULL
))sql"},
    {"partitions", 1, R"sql(CREATE TABLE partitions (
  -- Where to read each input again after a restart.
  id INTEGER PRIMARY KEY,            -- order in the configuration, from 0
  name TEXT NOT NULL,                -- path or topic partition
  rewind_offset INTEGER NOT NULL,    -- in the decoded stream: first record of the oldest tick that is not judged
  rewind_watermark INTEGER NOT NULL, -- event time, ms since 1970: the partition's watermark just before that record
  position BLOB NOT NULL,            -- the source's own note on how to find that offset
  checksum INTEGER NOT NULL
))sql"},
    {"journal", 1, R"sql(CREATE TABLE journal (
  -- What verdicts depend on besides the records. Entries stay: a replay of the recording obeys all of them.
  partition INTEGER NOT NULL,
  "offset" INTEGER NOT NULL,  -- applies just before the record at this offset of the decoded stream
  watermark INTEGER NOT NULL, -- event time, ms since 1970, to which the partition's watermark was raised
  kind INTEGER NOT NULL,      -- 0: silent partition let go; 1: end of input
  checksum INTEGER NOT NULL,
  PRIMARY KEY (partition, "offset")
) WITHOUT ROWID)sql"},
    {"alerts", 1, R"sql(CREATE TABLE alerts (
  -- The committed alert records; the alert log is a copy of column body, a line each.
  seq INTEGER PRIMARY KEY,   -- 0, 1, 2 ... without gaps
  log_end INTEGER NOT NULL,  -- bytes of the alert log up to the end of this record, line end included
  body TEXT NOT NULL,        -- JSON, see docs/alerts.md
  checksum INTEGER NOT NULL
))sql"},
    {"state", 1, R"sql(CREATE TABLE state (
  -- What the detectors have learned; keys and bytes belong to their owners (tocsin state shows them).
  key BLOB PRIMARY KEY,
  bytes BLOB NOT NULL,
  checksum INTEGER NOT NULL
) WITHOUT ROWID)sql"},
    {"actions", 2, R"sql(CREATE TABLE actions (
  -- What operators have told the engine: a part of the journal. Entries stay.
  seq INTEGER PRIMARY KEY, -- 0, 1, 2 ... without gaps
  body TEXT NOT NULL,      -- JSON; in_force: it holds for the ticks that end after this
  checksum INTEGER NOT NULL
))sql"},
    {"requests", 2, R"sql(CREATE TABLE requests (
  -- Actions that `tocsin control` asks for. The running process, or the next one, takes them over.
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  body TEXT NOT NULL, -- JSON
  checksum INTEGER NOT NULL
))sql"},
}};

} // namespace tocsin::io::schema
