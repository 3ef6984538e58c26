#include "tools/alert_log/incident_text.hpp"

#include "io/words.hpp"
#include "tools/alert_log/words.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <map>

namespace tocsin::tools {

namespace {

using json = nlohmann::ordered_json;

/// A record whose fields may be missing or of any type.
class fields {
public:
  explicit fields(const json& object) : object_(&object) {}
  std::optional<double> number(const char* name) const {
    const auto found = object_->find(name);
    return found != object_->end() && found->is_number() ? std::optional(found->get<double>()) : std::nullopt;
  }
  std::string text(const char* name) const {
    const auto found = object_->find(name);
    return found != object_->end() && found->is_string() ? printable(found->get<std::string>()) : std::string();
  }
  bool is_true(const char* name) const {
    const auto found = object_->find(name);
    return found != object_->end() && found->is_boolean() && found->get<bool>();
  }
  std::vector<json> list(const char* name) const {
    const auto found = object_->find(name);
    return found != object_->end() && found->is_array() ? found->get<std::vector<json>>() : std::vector<json>();
  }
  std::vector<std::pair<std::string, std::string>> values(const char* name) const {
    std::vector<std::pair<std::string, std::string>> out;
    const auto found = object_->find(name);
    if (found != object_->end() && found->is_object())
      for (const auto& [dimension, value] : found->items())
        out.emplace_back(dimension, value.is_null()     ? "(none)"
                                    : value.is_string() ? value.get<std::string>()
                                                        : value.dump());
    return out;
  }

private:
  const json* object_;
};

std::string row(const std::string& name, const std::string& text) {
  return text.empty() ? "" : fmt::format("  {:<13}{}\n", name, text);
}

std::string rate_of(const fields& record, bool is_volume) {
  auto text = shown_rate(record.number("measured_value"), is_volume);
  const auto interval = record.list("interval");
  if (interval.size() == 2 && interval[0].is_number() && interval[1].is_number())
    text += fmt::format(" (95 %: {} to {})", shown_rate(interval[0].get<double>(), is_volume),
                        shown_rate(interval[1].get<double>(), is_volume));
  text += ", expected " + shown_rate(record.number("baseline_value"), is_volume);
  if (const auto closing = record.number("measured_value_on_close"))
    text += ", at the end " + shown_rate(closing, is_volume);
  return text;
}

std::string events_of(const fields& record, bool is_volume) {
  const auto events = record.number("sample_size");
  if (!events)
    return {};
  if (is_volume)
    return fmt::format("{:.0f} instead of {}", *events, shown_count(record.number("expected_events")));
  return fmt::format("{:.0f}, {:.0f} failed instead of {}: {} too many", *events, record.number("failures").value_or(0),
                     shown_count(record.number("expected_failures")), shown_count(record.number("excess_failures")));
}

std::string impact_of(const fields& record, bool is_volume) {
  const auto now = record.number("affected_per_hour");
  if (!now)
    return {};
  auto text = fmt::format("{} {} an hour ({} when it opened)", shown_count(now),
                          is_volume ? "missing events" : "excess failures",
                          shown_count(record.number("affected_per_hour_on_open")));
  if (const auto viewers = record.number("affected_viewers"))
    text += fmt::format(", {}{:.0f} viewers", record.is_true("affected_viewers_at_least") ? "at least " : "", *viewers);
  return text;
}

std::string evidence_of(const fields& record) {
  const auto evidence = record.number("evidence");
  if (!evidence)
    return {};
  auto text = fmt::format("{} when it opened (1 opens)", shown_count(evidence));
  if (const auto days = record.number("once_in_days"))
    text += fmt::format("; chance alone would do this {}", io::how_often(*days));
  if (const auto confidence = record.number("confidence"))
    text += fmt::format("; {:.3g} % sure that it is real", *confidence * 100);
  return text;
}

std::string times_of(const alert_record& last, const fields& record) {
  auto text = last.onset ? shown_time(*last.onset) + " UTC" : std::string("-");
  const auto told = [&](const char* name) {
    const auto time = record.text(name);
    return time.size() > 19 ? time.substr(0, 10) + " " + time.substr(11, 8) : std::string();
  };
  if (const auto found = told("detected_at"); !found.empty())
    text += ", found " + found;
  if (const auto resolved = told("resolved_at"); !resolved.empty())
    text += ", ended " + resolved;
  return text;
}

std::string contributors_of(const fields& record) {
  std::string text;
  for (const auto& one : record.list("contributors")) {
    if (!one.is_object())
      continue;
    const fields cause(one);
    text += fmt::format("  {:<36}  {:>9} too many  {:>5.0f} %   {} without it   score {:.3g}\n",
                        printable(shown_values(cause.values("set"))), shown_count(cause.number("excess")),
                        cause.number("share").value_or(0) * 100, shown_rate(cause.number("rate_without"), false),
                        cause.number("score").value_or(0));
  }
  return text.empty() ? text : "\nCauses\n" + text;
}

std::string error_types_of(const fields& record) {
  std::string text;
  for (const auto& one : record.list("error_types")) {
    if (!one.is_object())
      continue;
    const fields type(one);
    const auto name = type.text("type");
    text += fmt::format("  {:<36}  {:>9.0f} failures, expected {}\n", name.empty() ? "(none)" : name,
                        type.number("failures").value_or(0), shown_count(type.number("expected")));
  }
  return text.empty() ? text : "\nError types\n" + text;
}

std::string children_of(const alert_record& last, const std::vector<alert_record>& family) {
  std::map<std::string, const alert_record*> known; // the last record of each
  for (const auto& record : family)
    known[record.id] = &record;
  std::string text;
  for (const auto& [id, child] : known)
    text += fmt::format("  {:<8}  {:<8}  {:<8}  {:>7}  {:>8}  {}\n", printable(id.substr(0, 8)),
                        printable(child->status), printable(child->severity), shown_rate(child->rate, child->is_volume),
                        shown_rate(child->baseline, child->is_volume), printable(shown_values(child->key)));
  for (const auto& id : last.children)
    if (known.count(id) == 0)
      text += fmt::format("  {:<8}  (not in this log)\n", printable(id.substr(0, 8)));
  const auto count = std::max(last.children_count, known.size());
  return text.empty() ? text : fmt::format("\nChildren ({})\n{}", count, text);
}

} // namespace

std::string incident_text(const std::vector<alert_record>& records, const std::vector<alert_record>& family,
                          const alert_table& table) {
  const auto& last = records.back();
  const auto object = json::parse(last.line, nullptr, false);
  const fields record(object);
  auto text = fmt::format("Incident {}\n", printable(last.id));
  text += row("what", printable(fmt::format("{} {}, {}/{}{}", last.status, last.severity, last.monitor, last.detector,
                                            last.shadow ? " (shadow)" : "")));
  text += row("key", printable(shown_values(last.key)));
  text += row("since", times_of(last, record));
  text += row("rate", rate_of(record, last.is_volume));
  text += row("events", events_of(record, last.is_volume));
  text += row("impact", impact_of(record, last.is_volume));
  text += row("evidence", evidence_of(record));
  text += row("closes when", record.text("closes_when"));
  if (const auto reopened = record.number("reopen_count"); reopened && *reopened > 0)
    text += row("reopened", fmt::format("{:.0f} times", *reopened));
  text += row("parent", printable(last.parent_id));
  text += row("in words", record.text("description"));
  text += contributors_of(record) + error_types_of(record) + children_of(last, family);
  text += "\nHistory\n" + table.head();
  for (const auto& one : records)
    text += table.row(one);
  return text;
}

} // namespace tocsin::tools
