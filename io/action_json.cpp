#include "io/action_json.hpp"

#include "io/decode/time_parser.hpp"
#include "io/key_json.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <optional>

namespace tocsin::io {
namespace {

using json = nlohmann::ordered_json;

error wrong(std::string what) {
  return {error_code::source, std::move(what), false, true};
}

std::optional<time_ms> time_of(const std::string& text) {
  field_value value;
  value.type = field_value::kind::text;
  value.text = text;
  return time_parser(time_unit::rfc3339, {}).parse(value);
}

/// Takes fields out of an object; remembers the first that is wrong.
class fields {
public:
  explicit fields(const json& object) : object_(object) {}

  std::string text(const char* name, bool required) {
    const auto found = object_.find(name);
    if (found == object_.end() && !required)
      return {};
    if (found == object_.end() || !found->is_string() || (required && found->get_ref<const std::string&>().empty()))
      return complain(name, "text"), std::string();
    return found->get<std::string>();
  }
  std::optional<time_ms> time(const char* name, bool required) {
    const auto shown = text(name, required);
    if (shown.empty())
      return std::nullopt;
    const auto parsed = time_of(shown);
    if (!parsed)
      complain(name, "a time such as 2016-05-04T12:00:00Z");
    return parsed;
  }
  named_values key() {
    std::optional<key_mistake> mistake;
    auto out = read_key(object_, mistake);
    if (mistake)
      complain(mistake->pointer.c_str(), mistake->expected.c_str());
    return out;
  }
  void complain(const char* name, const char* expected) {
    if (wrong_.empty())
      wrong_ = fmt::format("\"{}\" is missing or not right, expected {}", name, expected);
  }
  const std::string& mistake() const { return wrong_; }

private:
  const json& object_;
  std::string wrong_;
};

} // namespace

std::string to_json(const operator_action& action) {
  json out;
  out["kind"] = name_of(action.kind);
  out["monitor"] = action.monitor;
  out["key"] = json::object();
  for (const auto& [dimension, value] : action.key)
    out["key"][dimension] = value;
  if (action.kind == action_kind::exclude) {
    out["from"] = format_rfc3339(action.from);
    out["to"] = format_rfc3339(action.to);
  } else if (!action.incident.empty()) {
    out["incident"] = action.incident;
  }
  out["author"] = action.author;
  out["comment"] = action.comment;
  if (action.in_force > beginning_of_time)
    out["in_force"] = format_rfc3339(action.in_force);
  return out.dump(-1, ' ', false, json::error_handler_t::replace);
}

result<operator_action> parse_action(std::string_view line) {
  const auto object = json::parse(line, nullptr, false);
  if (!object.is_object())
    return wrong("found text that is no JSON object, expected an operator's action");
  fields in(object);
  operator_action out;
  const auto kind = in.text("kind", true);
  if (kind != name_of(action_kind::exclude) && kind != name_of(action_kind::accept))
    return wrong(fmt::format("found kind \"{}\", expected \"exclude\" or \"accept\"", kind));
  out.kind = kind == name_of(action_kind::exclude) ? action_kind::exclude : action_kind::accept;
  out.monitor = in.text("monitor", true);
  out.key = in.key();
  out.author = in.text("author", false);
  out.comment = in.text("comment", false);
  out.in_force = in.time("in_force", false).value_or(beginning_of_time);
  if (out.kind == action_kind::exclude) {
    out.from = in.time("from", true).value_or(0);
    out.to = in.time("to", true).value_or(0);
    if (out.from >= out.to)
      in.complain("to", "a time behind \"from\"");
  } else {
    out.incident = in.text("incident", false);
  }
  if (!in.mistake().empty())
    return wrong(in.mistake());
  return out;
}

} // namespace tocsin::io
