#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace tocsin::io {

/// What a value of the configuration has to be.
enum class value_kind {
  ignored,   ///< any text; has no effect (`$schema`)
  boolean,   ///< true or false
  integer,   ///< a whole number within the limits
  number,    ///< a number within the limits
  duration,  ///< text such as "10s"; checked values are milliseconds
  size,      ///< text such as "1MiB"; checked values are bytes
  choice,    ///< one of `choices`
  text,      ///< text that is not empty: a field path, a file, a zone
  label,     ///< text of letters, digits, '_', '.', '-'
  condition, ///< a boolean expression over the record's fields
  texts,     ///< a list of different texts
  levels,    ///< a list of lists of different texts
  object,    ///< an object of the section `section`
  objects,   ///< a list of at least one such object
  detectors, ///< a list of objects whose `type` selects the section "detector:<type>"
  later,     ///< known to the design, but refused: this build does not have it yet
};

/// One key of the configuration. Limits are written as the user would write the value.
struct key_spec {
  std::string key;
  value_kind kind = value_kind::text;
  std::string description = {}; ///< for the editor and the reference
  std::string fallback = {};    ///< JSON of the default value; empty: none
  std::string example = {};     ///< JSON of a legal value, where there is no default
  std::string lowest = {};      ///< for numbers, durations and sizes; empty: no limit
  std::string highest = {};
  bool above_lowest = false; ///< the lowest value itself is too low
  bool below_highest = false;
  bool required = false;
  std::vector<std::string> choices = {};
  std::string section = {};
};

/// The keys of one kind of object.
struct section_spec {
  std::string name;
  std::string description;
  std::vector<key_spec> keys;
};

/// The configuration language, in one table: the checker, the JSON Schema and the suggestions all read it.
/// Immutable; made at the first call; callable from any thread.
const std::vector<section_spec>& language();
/// The section of that name; null if there is none.
const section_spec* find_section(std::string_view name);
/// The section of the whole document.
const section_spec& root_section();
/// The detector types that this build has.
std::vector<std::string> detector_types();

/// The path of each key that is accepted, `*` for the elements of a list, and `*(threshold)` for the elements of
/// one type, for example `/monitors/*/detectors/*(threshold)/rate`.
std::vector<std::string> known_paths();

/// The JSON Schema of the language (configs/schema.json is this text).
std::string schema_text();

} // namespace tocsin::io
