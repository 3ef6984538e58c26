#include "detectors/judging/words.hpp"
#include "io/words.hpp"
#include "tools/explaining/answer.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace tocsin::tools {

namespace {

/// The gates that do not pass, each once.
std::vector<std::string> closed_gates(const gate_view& gates) {
  std::vector<std::string> names;
  for (const auto& gate : gates.failures)
    if (!gate.passes)
      names.emplace_back(gate.name);
  if (gates.viewers)
    for (const auto& gate : *gates.viewers)
      if (!gate.passes && std::find(names.begin(), names.end(), gate.name) == names.end())
        names.push_back(std::string(gate.name) + " (of distinct viewers)");
  return names;
}

bool was_told(const watched_judgement* judged, alert_kind kind) {
  return judged != nullptr && std::find(judged->told.begin(), judged->told.end(), kind) != judged->told.end();
}

std::string of_incident(const incident_view& incident) {
  auto text = fmt::format("{} of {} events failed since {} instead of {}", incident.failed, incident.total,
                          format_rfc3339(incident.onset), in_words(incident.expected));
  if (incident.evidence)
    text += fmt::format("; it opened at evidence {}", in_words(*incident.evidence));
  if (incident.once_in_days)
    text += fmt::format(", which chance alone would reach {} on this key", io::how_often(*incident.once_in_days));
  return text + ".";
}

std::string of_model(const detector_view& detector) {
  const auto& model = *detector.model;
  switch (model.state) {
  case standing::unseen:
    return fmt::format("No incident: this key was never seen. A new one inherits an expected rate of {} and is judged "
                       "from its first event, against {}.",
                       in_percent(model.expected_rate), in_percent(model.guarded_rate));
  case standing::held_back:
    return fmt::format("No incident: the evidence is enough, but gates keep it quiet: {}.",
                       detector.gates ? fmt::format("{}", fmt::join(closed_gates(*detector.gates), ", "))
                                      : "there is no excess at present");
  case standing::calibrated:
    return fmt::format("No incident: the evidence {} is above 1, but keys like this one have reached as much on quiet "
                       "days, so that {} is needed.",
                       in_words(model.evidence), in_words(model.threshold));
  case standing::newcomer:
  case standing::watching:
  case standing::open: break;
  }
  const auto evidence = fmt::format("the evidence is {} of {}", in_words(model.evidence), in_words(model.threshold));
  if (!model.excess)
    return fmt::format("No incident: there are no more failures than expected; {}.", evidence);
  return fmt::format("No incident: of the last {} events {} failed instead of {}, but {}.", model.excess->total,
                     model.excess->failed, in_words(model.excess->expected), evidence);
}

} // namespace

std::string reason(const detector_view& detector, const watched_judgement* judged) {
  if (was_told(judged, alert_kind::resolve))
    return "An incident ended in this tick: the rate is normal again.";
  if (was_told(judged, alert_kind::rebase))
    return detector.incident
               ? "An incident has been open at a stable rate for so long that it may be the new normal: " +
                     of_incident(*detector.incident)
               : "An incident ended in this tick: it has lasted so long that its rate is the new normal.";
  if (was_told(judged, alert_kind::retract))
    return "An incident was taken back in this tick: with its late events it no longer passes the gates.";
  if (was_told(judged, alert_kind::expire))
    return "An incident ended in this tick: the key had no events for too long.";
  if (detector.incident)
    return (was_told(judged, alert_kind::open) ? "It fired in this tick: " : "An incident is open: ") +
           of_incident(*detector.incident);
  if (detector.model)
    return of_model(detector);
  return "No incident is open.";
}

std::vector<std::string> happenings(const watched_judgement& judged) {
  std::vector<std::string> out;
  for (const auto kind : judged.told) {
    switch (kind) {
    case alert_kind::open: out.emplace_back("opened"); break;
    case alert_kind::update: out.emplace_back("updated"); break;
    case alert_kind::resolve: out.emplace_back("resolved"); break;
    case alert_kind::expire: out.emplace_back("expired"); break;
    case alert_kind::rebase:
      out.emplace_back(judged.view.incident ? "proposed as the new normal" : "accepted as the new normal");
      break;
    case alert_kind::retract: out.emplace_back("retracted"); break;
    }
  }
  if (judged.asked && !judged.view.incident && judged.view.gates)
    out.push_back(fmt::format("held back by {}", fmt::join(closed_gates(*judged.view.gates), ", ")));
  else if (judged.view.model && judged.view.model->state == standing::calibrated)
    out.emplace_back("held back by the calibrated threshold");
  return out;
}

std::string shown_key(const std::vector<dimension_value>& key) {
  std::string text;
  for (const auto& one : key)
    text += fmt::format("{}{}={}", text.empty() ? "" : ", ", one.dimension, one.value.value_or("(none)"));
  return text.empty() ? "the whole stream" : text;
}

} // namespace tocsin::tools
