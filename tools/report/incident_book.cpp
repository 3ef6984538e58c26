#include "tools/report/incident_book.hpp"

#include "tools/common/units.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <numeric>
#include <tuple>

namespace tocsin::tools {

namespace {

using json = nlohmann::ordered_json;

io::error broken(const std::string& line) {
  return {io::error_code::sink, fmt::format("no alert record: {}", line.substr(0, 80)), false, true};
}

std::string text_of(const json& object, const char* name) {
  const auto found = object.find(name);
  return found != object.end() && found->is_string() ? found->get<std::string>() : std::string();
}

double number_of(const json& object, const char* name) {
  const auto found = object.find(name);
  return found != object.end() && found->is_number() ? found->get<double>() : 0;
}

json list_of(const json& object, const char* name) {
  const auto found = object.find(name);
  return found != object.end() && found->is_array() ? *found : json::array();
}

/// `cdn=fastly, country=DE`; a missing value is `(none)`.
std::string in_words(const json& dimensions) {
  std::string text;
  for (const auto& [name, value] : dimensions.items())
    text +=
        fmt::format("{}{}={}", text.empty() ? "" : ", ", name, value.is_string() ? value.get<std::string>() : "(none)");
  return text;
}

/// What never changes.
void identify(reported_incident& incident, const json& record) {
  incident.monitor = text_of(record, "monitor");
  incident.detector = text_of(record, "detector");
  incident.shadow = record.value("shadow", false);
  incident.is_volume = text_of(record, "measurement") == "volume";
  for (const auto& name : list_of(record, "level"))
    if (name.is_string())
      incident.level.push_back(name.get<std::string>());
  if (const auto key = record.find("key"); key != record.end())
    for (const auto& [dimension, value] : key->items())
      incident.key.emplace_back(dimension, value.is_string() ? std::optional(value.get<std::string>()) : std::nullopt);
}

void update(reported_incident& incident, const json& record, time_ms tick) {
  incident.parent = text_of(record, "parent_id");
  const auto severity = text_of(record, "severity");
  if (rank_of_severity(severity) >= rank_of_severity(incident.severity))
    incident.severity = severity;
  incident.last_kind = text_of(record, "kind");
  incident.is_open = text_of(record, "status") == "open";
  incident.ended = incident.is_open ? std::nullopt : std::optional(tick);
  incident.onset = parse_rfc3339(text_of(record, "onset")).value_or(tick);
  incident.detected_at = parse_rfc3339(text_of(record, "detected_at")).value_or(tick);
  incident.rate = number_of(record, "measured_value");
  // Over the whole incident, as rate and excess are: what is expected now may be something else by day and by night.
  const auto events = number_of(record, "sample_size");
  incident.baseline = incident.is_volume || events <= 0 ? number_of(record, "baseline_value")
                                                        : number_of(record, "expected_failures") / events;
  incident.excess = incident.is_volume ? number_of(record, "expected_events") - number_of(record, "sample_size")
                                       : number_of(record, "excess_failures");
  const auto contributors = list_of(record, "contributors");
  if (!contributors.empty() && contributors[0].contains("set"))
    incident.cause = in_words(contributors[0]["set"]);
  incident.children = static_cast<std::uint64_t>(std::max(0.0, number_of(record, "children_count")));
}

void remember(reported_incident& incident, history_entry entry) {
  auto& history = incident.history;
  if (history.size() == incident_book::max_history) {
    history.erase(history.begin() + incident_book::max_history / 2);
    ++incident.history_left_out;
  }
  history.push_back(std::move(entry));
}

} // namespace

int rank_of_severity(const std::string& name) {
  return name == "critical" ? 2 : name == "major" ? 1 : 0;
}

io::result<void> incident_book::add(const std::string& line) {
  const auto record = json::parse(line, nullptr, false);
  if (record.is_discarded() || !record.is_object())
    return broken(line);
  const auto id = text_of(record, "id");
  const auto tick = parse_rfc3339(text_of(record, "tick"));
  if (id.empty() || !tick)
    return broken(line);
  const auto revision = static_cast<std::int64_t>(number_of(record, "revision"));

  const auto [place, is_new] = by_id_.emplace(id, incidents_.size());
  if (is_new) {
    incidents_.emplace_back();
    incidents_.back().id = id;
    incidents_.back().opening = line;
    identify(incidents_.back(), record);
  }
  auto& incident = incidents_[place->second];
  if (!incident.history.empty() && revision <= incident.history.back().revision)
    return {};
  ++records_;
  update(incident, record, *tick);
  incident.latest = line;
  if (!list_of(record, "contributors").empty() || !list_of(record, "error_types").empty())
    incident.causes = line;
  remember(incident,
           {*tick, revision, incident.last_kind, text_of(record, "severity"), text_of(record, "description")});
  return {};
}

std::vector<std::size_t> incident_book::worst_first() const {
  std::vector<std::size_t> order(incidents_.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  const auto badness = [this](std::size_t i) {
    const auto& one = incidents_[i];
    return std::tuple(one.shadow, !one.parent.empty(), -rank_of_severity(one.severity), -one.excess);
  };
  std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) { return badness(a) < badness(b); });
  return order;
}

} // namespace tocsin::tools
