#pragma once

#include "io/expression/expression.hpp"
#include "io/source.hpp"

#include <simdjson.h>

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace tocsin::io {

/// Reads one line of NDJSON into the table of values, in one pass over the object. A path `a.b` means field b of the
/// object a, or a field whose own name is `a.b`; of a repeated name the last one counts. Text that needs no unescaping
/// stays in the block. Belongs to one decoder; allocates only while it learns the shape of the records.
class ndjson_reader {
public:
  explicit ndjson_reader(const std::vector<std::string>& paths);
  void begin(const raw_block&) {}
  /// `readable`: bytes that may be read from the line's beginning, at least 64 more than the line has.
  bool read(std::string_view line, std::size_t readable, std::vector<field_value>& values);
  const std::string& problem() const { return problem_; }

private:
  static constexpr std::uint32_t none = UINT32_MAX;           ///< nothing wanted
  static constexpr std::uint32_t unexpected = UINT32_MAX - 1; ///< not the key that stood here last time

  /// The key that stood at some position of the last object.
  class expected_key {
  public:
    /// `quoted`: the key with the quote that ends it.
    void learn(std::string_view quoted, std::uint32_t step);
    /// Reads up to block_padding bytes from `key`, whatever the record's length.
    bool matches(const char* key) const;
    std::uint32_t step() const { return step_; }

  private:
    std::string quoted_;
    std::uint64_t head_ = 0; ///< its first 8 bytes: most keys are no longer
    std::uint64_t mask_ = 0; ///< ones where head_ has bytes of the key
    std::uint32_t step_ = none;
  };
  /// A part of the wanted paths: the root, or a name below another step.
  struct path_step {
    std::string name;
    std::uint32_t slot = none; ///< of the path that ends here
    std::vector<std::uint32_t> below;
    std::vector<expected_key> expected; ///< by position in the object; makes finding a name one comparison
  };

  void add_path(const std::string& path, std::uint32_t slot);
  std::uint32_t child_of(std::uint32_t parent, std::string_view name) const;
  std::uint32_t add_child(std::uint32_t parent, std::string_view name);
  simdjson::error_code read_line(std::string_view line, std::size_t readable, std::vector<field_value>& values);
  simdjson::error_code read_object(simdjson::ondemand::object& object, std::uint32_t parent,
                                   std::vector<field_value>& values);
  std::uint32_t expected_step(std::uint32_t parent, std::size_t position, const char* key) const;
  simdjson::error_code find_step(std::uint32_t parent, std::size_t position, simdjson::ondemand::field& field,
                                 std::uint32_t& found);
  simdjson::error_code read_nested(simdjson::ondemand::value& value, std::uint32_t step,
                                   std::vector<field_value>& values);
  void forget_below(std::uint32_t step, std::vector<field_value>& values) const;

  simdjson::ondemand::parser parser_;
  std::vector<path_step> steps_;
  std::string problem_;
};

} // namespace tocsin::io
