#include "tools/explaining/answer.hpp"

#include <nlohmann/json.hpp>

namespace tocsin::tools {

namespace {

using json = nlohmann::ordered_json;

template <class T>
json or_null(const std::optional<T>& value) {
  return value ? json(*value) : json(nullptr);
}

json dimensions_of(const std::vector<dimension_value>& key) {
  auto out = json::object();
  for (const auto& one : key)
    out[one.dimension] = or_null(one.value);
  return out;
}

json of(const gate_results& gates) {
  auto out = json::object();
  for (const auto& gate : gates)
    out[gate.name] = {{"value", gate.value}, {"limit", gate.limit}, {"passes", gate.passes}};
  return out;
}

json of(const std::vector<time_to_detect>& times) {
  auto out = json::array();
  for (const auto& one : times)
    out.push_back({{"outage", one.outage},
                   {"rate", one.rate},
                   {"events", or_null(one.events)},
                   {"seconds", or_null(one.seconds)}});
  return out;
}

json of(const std::vector<alternative_evidence>& all) {
  auto out = json::array();
  for (const auto& one : all)
    out.push_back({{"odds_ratio", one.odds_ratio}, {"rate", one.rate}, {"evidence", one.evidence}});
  return out;
}

json of(const explanation& model, time_ms tick) {
  json out{{"state", name_of(model.state)},
           {"tick", format_rfc3339(tick_end(model.tick, tick))},
           {"expected_rate", model.expected_rate},
           {"level", model.level},
           {"season", model.season},
           {"shaped", model.shaped},
           {"seasonal", model.seasonal},
           {"parent_rate", or_null(model.parent_rate)},
           {"uncertainty", model.uncertainty},
           {"misfit", model.misfit},
           {"dispersion", model.dispersion},
           {"guard", model.guard},
           {"guarded_rate", model.guarded_rate},
           {"evidence", model.evidence},
           {"threshold", model.threshold},
           {"alternatives", of(model.alternatives)},
           {"budget_per_day", model.budget_per_day},
           {"scope_budget_per_day", model.scope_budget_per_day},
           {"events_an_hour", model.events_an_hour},
           {"excess", nullptr},
           {"closing", nullptr},
           {"time_to_detect", of(model.to_detect)}};
  if (model.excess)
    out["excess"] = {{"onset", format_rfc3339(tick_start(model.excess->onset, tick))},
                     {"events", model.excess->total},
                     {"failures", model.excess->failed},
                     {"capped_failures", model.excess->capped},
                     {"expected_failures", model.excess->expected}};
  if (model.closing)
    out["closing"] = {{"observed_rate", model.closing->observed_rate},
                      {"closing_rate", model.closing->closing_rate},
                      {"evidence", model.closing->evidence},
                      {"threshold", model.closing->threshold},
                      {"accept_at", format_rfc3339(tick_start(model.closing->accept_at, tick))}};
  return out;
}

json of(const incident_view& incident) {
  return {{"id", incident.id},
          {"severity", name_of(incident.harm)},
          {"onset", format_rfc3339(incident.onset)},
          {"detected_at", format_rfc3339(incident.detected_at)},
          {"events", incident.total},
          {"failures", incident.failed},
          {"expected_failures", incident.expected},
          {"evidence", or_null(incident.evidence)},
          {"once_in_days", or_null(incident.once_in_days)},
          {"closes_when", incident.closes_when}};
}

json of(const detector_view& detector, const key_explanation& about, const watched_judgement* judged) {
  json out{{"name", detector.name},     {"type", detector.type},
           {"shadow", detector.shadow}, {"why", reason(detector, judged)},
           {"model", nullptr},          {"facts", json::object()},
           {"gates", nullptr},          {"incident", nullptr}};
  if (detector.model)
    out["model"] = of(*detector.model, about.tick);
  for (const auto& [name, value] : detector.facts)
    out["facts"][name] = value;
  if (detector.gates) {
    out["gates"] = {{"pass", detector.gates->pass()}, {"failures", of(detector.gates->failures)}, {"viewers", nullptr}};
    if (detector.gates->viewers)
      out["gates"]["viewers"] = of(*detector.gates->viewers);
  }
  if (detector.incident)
    out["incident"] = of(*detector.incident);
  return out;
}

json path_of(const answer& what, std::size_t detector) {
  auto out = json::array();
  for (const auto& tick : what.path) {
    const auto& judged = tick.judgements[detector];
    json step{{"tick", format_rfc3339(tick.end)}, {"events", tick.total},    {"failures", tick.failed},
              {"expected_rate", nullptr},         {"guarded_rate", nullptr}, {"evidence", nullptr},
              {"happened", happenings(judged)}};
    if (judged.view.model) {
      step["expected_rate"] = judged.view.model->expected_rate;
      step["guarded_rate"] = judged.view.model->guarded_rate;
      step["evidence"] = judged.view.model->evidence;
    }
    out.push_back(std::move(step));
  }
  return out;
}

json of(const key_explanation& about, const answer& what) {
  json out{{"monitor", about.monitor},
           {"level", about.level},
           {"key", dimensions_of(about.key)},
           {"known", about.known},
           {"last_seen", about.known ? json(format_rfc3339(about.last_seen)) : json(nullptr)},
           {"told_after_s", static_cast<double>(about.told_after) / second_ms},
           {"detectors", json::array()}};
  const bool has_path = &about == &what.about && !what.path.empty();
  for (std::size_t d = 0; d < about.detectors.size(); ++d) {
    auto one = of(about.detectors[d], about, has_path ? &what.path.back().judgements[d] : nullptr);
    if (has_path)
      one["path"] = path_of(what, d);
    out["detectors"].push_back(std::move(one));
  }
  return out;
}

} // namespace

std::string as_json(const answer& what) {
  auto out = of(what.about, what);
  out["at"] = what.at ? json(format_rfc3339(*what.at)) : json(nullptr);
  out["above"] = what.ancestor ? of(*what.ancestor, what) : json(nullptr);
  return out.dump(-1, ' ', false, json::error_handler_t::replace);
}

} // namespace tocsin::tools
