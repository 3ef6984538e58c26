#include "io/decode/ndjson_reader.hpp"

#include "io/expression/number.hpp"

#include <algorithm>
#include <cstring>

namespace tocsin::io {

namespace {

constexpr std::uint32_t root = 0;
/// At the beginning of a file, hence also in the middle of concatenated ones.
constexpr std::string_view byte_order_mark = "\xEF\xBB\xBF";
/// Keys and positions beyond these are found the slow way. A learned key is compared without a look at the line's end,
/// so it must fit into the block's padding.
constexpr std::size_t max_learned_key = block_padding - 2;
constexpr std::size_t max_learned_position = 256;

/// A scalar's characters: the token without the blanks behind it.
std::string_view without_blanks(std::string_view token) {
  while (!token.empty() &&
         (token.back() == ' ' || token.back() == '\t' || token.back() == '\r' || token.back() == '\n'))
    token.remove_suffix(1);
  return token;
}

bool read_number(std::string_view token, field_value& out) {
  const auto parsed = parse_number(token, number_syntax::json);
  if (!parsed)
    return false;
  out.type = parsed->whole ? field_value::kind::integer : field_value::kind::real;
  out.integer = parsed->integer;
  out.real = parsed->real;
  out.text = token;
  return true;
}

/// Everything but objects and texts with escapes.
simdjson::error_code read_plain(std::string_view token, field_value& out) {
  using kind = field_value::kind;
  token = without_blanks(token);
  switch (token.empty() ? '\0' : token[0]) {
  case '"':
    if (token.size() < 2 || token.back() != '"')
      return simdjson::STRING_ERROR;
    out.type = kind::text;
    out.text = token.substr(1, token.size() - 2);
    return simdjson::SUCCESS;
  case '[': out.type = kind::nested; return simdjson::SUCCESS;
  case 't':
    out.type = kind::boolean;
    out.boolean = true;
    out.text = token;
    return token == "true" ? simdjson::SUCCESS : simdjson::T_ATOM_ERROR;
  case 'f':
    out.type = kind::boolean;
    out.boolean = false;
    out.text = token;
    return token == "false" ? simdjson::SUCCESS : simdjson::F_ATOM_ERROR;
  case 'n': out.type = kind::null; return token == "null" ? simdjson::SUCCESS : simdjson::N_ATOM_ERROR;
  default: return read_number(token, out) ? simdjson::SUCCESS : simdjson::NUMBER_ERROR;
  }
}

} // namespace

void ndjson_reader::expected_key::learn(std::string_view quoted, std::uint32_t step) {
  quoted_.assign(quoted);
  step_ = step;
  head_ = mask_ = 0;
  const auto size = std::min(quoted.size(), sizeof head_);
  std::memcpy(&head_, quoted.data(), size);
  std::memset(&mask_, 0xFF, size);
}

bool ndjson_reader::expected_key::matches(const char* key) const {
  std::uint64_t head = 0;
  std::memcpy(&head, key, sizeof head);
  if (((head ^ head_) & mask_) != 0)
    return false;
  return quoted_.size() <= sizeof head ||
         std::memcmp(key + sizeof head, quoted_.data() + sizeof head, quoted_.size() - sizeof head) == 0;
}

ndjson_reader::ndjson_reader(const std::vector<std::string>& paths) : steps_(1) {
  for (std::uint32_t slot = 0; slot < paths.size(); ++slot)
    add_path(paths[slot], slot);
}

void ndjson_reader::add_path(const std::string& path, std::uint32_t slot) {
  steps_[add_child(root, path)].slot = slot;
  std::uint32_t at = root;
  for (std::size_t from = 0; from <= path.size();) {
    const auto dot = std::min(path.find('.', from), path.size());
    at = add_child(at, std::string_view(path).substr(from, dot - from));
    from = dot + 1;
  }
  steps_[at].slot = slot;
}

std::uint32_t ndjson_reader::child_of(std::uint32_t parent, std::string_view name) const {
  for (const auto child : steps_[parent].below)
    if (steps_[child].name == name)
      return child;
  return none;
}

std::uint32_t ndjson_reader::add_child(std::uint32_t parent, std::string_view name) {
  const auto known = child_of(parent, name);
  if (known != none)
    return known;
  const auto child = static_cast<std::uint32_t>(steps_.size());
  steps_.emplace_back();
  steps_.back().name = std::string(name);
  steps_[parent].below.push_back(child);
  return child;
}

bool ndjson_reader::read(std::string_view line, std::size_t readable, std::vector<field_value>& values) {
  const auto error = read_line(line, readable, values);
  if (error == simdjson::SUCCESS)
    return true;
  problem_ = std::string("found text that is no JSON object (") + simdjson::error_message(error) +
             "), expected one JSON object a line";
  return false;
}

simdjson::error_code ndjson_reader::read_line(std::string_view line, std::size_t readable,
                                              std::vector<field_value>& values) {
  if (line.substr(0, byte_order_mark.size()) == byte_order_mark) {
    line.remove_prefix(byte_order_mark.size());
    readable -= byte_order_mark.size();
  }
  simdjson::ondemand::document document;
  if (const auto error = parser_.iterate(line.data(), line.size(), readable).get(document))
    return error;
  simdjson::ondemand::object object;
  if (const auto error = document.get_object().get(object))
    return error;
  if (const auto error = read_object(object, root, values))
    return error;
  const bool complete = document.current_location().error() == simdjson::OUT_OF_BOUNDS;
  return complete ? simdjson::SUCCESS : simdjson::TRAILING_CONTENT;
}

simdjson::error_code ndjson_reader::read_object(simdjson::ondemand::object& object, std::uint32_t parent,
                                                std::vector<field_value>& values) {
  std::size_t position = 0;
  for (auto item : object) {
    if (const auto error = item.error())
      return error;
    // The parser's small objects stay in registers only while no other function sees them (a copy through memory costs
    // more than all the rest here): hence no `get`, raw pointers, and copies only for the rare cases below.
    auto&& field = std::move(item).value_unsafe();
    const char* key = field.key().raw();
    auto step = expected_step(parent, position, key);
    if (step == unexpected) {
      auto copy = field;
      if (const auto error = find_step(parent, position, copy, step))
        return error;
    }
    ++position;
    if (step == none)
      continue;
    auto value = field.value();
    const auto token = value.raw_json_token();
    const char first = token.empty() ? '\0' : token[0];
    if (first == '{' || !steps_[step].below.empty()) {
      auto copy = value;
      if (const auto error = read_nested(copy, step, values))
        return error;
    }
    if (first == '{' || steps_[step].slot == none)
      continue;
    auto& out = values[steps_[step].slot];
    if (first == '"' && std::memchr(token.data(), '\\', token.size()) != nullptr) {
      auto copy = value;
      out.type = field_value::kind::text;
      if (const auto error = copy.get_string().get(out.text))
        return error;
      // The copy has moved the parser behind the text; the original must not skip it again.
    } else if (const auto error = read_plain(token, out)) {
      return error;
    }
  }
  return simdjson::SUCCESS;
}

std::uint32_t ndjson_reader::expected_step(std::uint32_t parent, std::size_t position, const char* key) const {
  const auto& expected = steps_[parent].expected;
  if (position >= expected.size())
    return unexpected;
  const auto& guess = expected[position];
  return guess.matches(key) ? guess.step() : unexpected;
}

simdjson::error_code ndjson_reader::find_step(std::uint32_t parent, std::size_t position,
                                              simdjson::ondemand::field& field, std::uint32_t& found) {
  const char* key = field.key().raw();
  // The parser has found the closing quote already, so the search ends within the line.
  const char* end = key;
  while (*end != '"' && *end != '\\')
    ++end;
  if (*end == '\\') {
    std::string_view name;
    if (const auto error = field.unescaped_key().get(name))
      return error;
    found = child_of(parent, name);
    return simdjson::SUCCESS;
  }
  const std::string_view name(key, static_cast<std::size_t>(end - key));
  found = child_of(parent, name);
  // Positions are learned one after the other, so that each has a key.
  auto& expected = steps_[parent].expected;
  if (name.size() <= max_learned_key && position <= expected.size() && position < max_learned_position) {
    if (position == expected.size())
      expected.emplace_back();
    expected[position].learn({key, name.size() + 1}, found);
  }
  return simdjson::SUCCESS;
}

/// A value for a step that has others below it, or any object.
simdjson::error_code ndjson_reader::read_nested(simdjson::ondemand::value& value, std::uint32_t step,
                                                std::vector<field_value>& values) {
  // A repeated name replaces what was there, with all that was below it.
  forget_below(step, values);
  const auto token = value.raw_json_token();
  if (token.empty() || token[0] != '{')
    return simdjson::SUCCESS;
  if (steps_[step].slot != none)
    values[steps_[step].slot].type = field_value::kind::nested;
  if (steps_[step].below.empty())
    return simdjson::SUCCESS;
  simdjson::ondemand::object object;
  if (const auto error = value.get_object().get(object))
    return error;
  return read_object(object, step, values);
}

void ndjson_reader::forget_below(std::uint32_t step, std::vector<field_value>& values) const {
  for (const auto child : steps_[step].below) {
    if (steps_[child].slot != none)
      values[steps_[child].slot].type = field_value::kind::null;
    forget_below(child, values);
  }
}

} // namespace tocsin::io
