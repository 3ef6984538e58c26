#include "detectors/judging/words.hpp"
#include "tools/explaining/answer.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <iterator>

namespace tocsin::tools {

namespace {

/// Lines of a label and a text.
class sheet {
public:
  template <class... Values>
  void line(const char* label, const char* format, const Values&... values) {
    fmt::format_to(std::back_inserter(text_), "{:<11}{}\n", label, fmt::format(format, values...));
  }
  void blank() { text_ += '\n'; }
  std::string take() { return std::move(text_); }

private:
  std::string text_;
};

std::string plural(std::int64_t count, const char* noun) {
  return fmt::format("{} {}{}", count, noun, count == 1 ? "" : "s");
}

/// Logarithmic, from a millionth to what opens.
std::string bar(double evidence, double threshold) {
  constexpr double width = 24, decades = 6;
  const auto share = evidence > 0 ? 1 + std::log10(evidence / threshold) / decades : 0;
  const auto filled = static_cast<std::size_t>(std::clamp(std::round(share * width), 0.0, width));
  return std::string(filled, '#') + std::string(static_cast<std::size_t>(width) - filled, '.');
}

std::string factors_of(const explanation& model) {
  if (model.shaped)
    return fmt::format("{} = level {} x season {}{}", in_percent(model.expected_rate), in_percent(model.level),
                       in_words(model.season), model.seasonal ? "" : " (of like hours: this one is not learned yet)");
  if (model.parent_rate)
    return fmt::format("{} = {} x the scope's {}", in_percent(model.expected_rate), in_words(model.level),
                       in_percent(model.season));
  return in_percent(model.expected_rate) + ", no season is learned yet";
}

void put_expectation(sheet& out, const explanation& model) {
  out.line("expected", "{}{}", factors_of(model),
           model.parent_rate ? "; its parent expects " + in_percent(*model.parent_rate) : std::string());
  out.line("guard", "x{}: rates up to {} are taken for normal (uncertainty {}, of it misfit {}; dispersion {})",
           in_words(model.guard), in_percent(model.guarded_rate), in_percent(model.uncertainty),
           in_percent(model.misfit), in_words(model.dispersion));
}

void put_evidence(sheet& out, const explanation& model) {
  if (model.state == standing::open && model.evidence < model.threshold)
    out.line("evidence", "gathers again when the incident has closed; {} opens", in_words(model.threshold));
  else
    out.line("evidence", "{} of {} that opens", in_words(model.evidence), in_words(model.threshold));
  for (const auto& one : model.alternatives)
    if (model.evidence > 0)
      out.line("", "{}  {:>8} at {} (odds x{})", bar(one.evidence, model.threshold), in_words(one.evidence),
               in_percent(one.rate), in_words(one.odds_ratio));
  out.line("budget", "{} of the scope's {} false alarms a day: one in {}", in_words(model.budget_per_day),
           in_words(model.scope_budget_per_day), in_time(86400 / std::max(model.budget_per_day, 1e-12)));
}

void put_gates(sheet& out, const gate_results& gates, const char* whose) {
  for (const auto& gate : gates)
    out.line(whose[0] == 0 && &gate == &gates.front() ? "gates" : "", "{:<16} {:>9} of {:<6} {}{}", gate.name,
             in_words(gate.value), in_words(gate.limit), gate.passes ? "passes" : "holds back", whose);
}

void put_excess(sheet& out, const key_explanation& about, const explanation& model) {
  if (!model.excess)
    return;
  out.line("excess", "{} of {} failed since {}, expected {}", model.excess->failed,
           plural(model.excess->total, "event"), format_rfc3339(tick_start(model.excess->onset, about.tick)),
           in_words(model.excess->expected));
}

void put_closing(sheet& out, const key_explanation& about, const explanation& model) {
  if (!model.closing)
    return;
  const auto& closing = *model.closing;
  out.line("closes",
           "when the rate ({} since the onset) is below {} with evidence {} of {}; after {} it is the new normal",
           in_percent(closing.observed_rate), in_percent(closing.closing_rate), in_words(closing.evidence),
           in_words(closing.threshold), format_rfc3339(tick_start(closing.accept_at, about.tick)));
}

void put_times(sheet& out, const key_explanation& about, const explanation& model) {
  if (model.events_an_hour > 0)
    out.line("events", "{} an hour", in_count(model.events_an_hour));
  const char* label = "to detect";
  for (const auto& one : model.to_detect) {
    if (!one.events)
      out.line(label, "an outage of {}: never, the gates keep it quiet", one.outage);
    else if (one.seconds)
      out.line(label, "an outage of {}: {} events, {}", one.outage, in_count(*one.events), in_time(*one.seconds));
    else
      out.line(label, "an outage of {}: {} events", one.outage, in_count(*one.events));
    label = "";
  }
  if (!model.to_detect.empty())
    out.line("", "on average, in event time; told {} later", format_duration(about.told_after));
}

void put_detector(sheet& out, const key_explanation& about, const detector_view& detector,
                  const watched_judgement* judged) {
  out.blank();
  out.line("detector", "{}{}{}", detector.name, detector.name == detector.type ? "" : " (" + detector.type + ")",
           detector.shadow ? ", in shadow" : "");
  if (detector.model) {
    const auto& model = *detector.model;
    out.line("state", "{}", name_of(model.state));
    put_expectation(out, model);
    put_evidence(out, model);
    put_excess(out, about, model);
    put_closing(out, about, model);
  } else {
    for (const auto& [name, value] : detector.facts)
      out.line("", "{}: {}", name, value);
  }
  if (detector.gates) {
    put_gates(out, detector.gates->failures, "");
    if (detector.gates->viewers)
      put_gates(out, *detector.gates->viewers, ", one failure a viewer");
  }
  if (detector.incident)
    out.line("incident", "{}, {}, detected at {}", detector.incident->id, name_of(detector.incident->harm),
             format_rfc3339(detector.incident->detected_at));
  if (detector.model)
    put_times(out, about, *detector.model);
  out.line("why", "{}", reason(detector, judged));
}

void put_path(sheet& out, const answer& what, std::size_t detector) {
  out.line("path", "{:<24} {:>8} {:>8} {:>9} {:>9} {:>9}  {}", "end of tick", "events", "failures", "expected",
           "guarded", "evidence", "what happened");
  for (const auto& tick : what.path) {
    const auto& judged = tick.judgements[detector];
    const auto& model = judged.view.model;
    out.line("", "{:<24} {:>8} {:>8} {:>9} {:>9} {:>9}  {}", format_rfc3339(tick.end), tick.total, tick.failed,
             model ? in_percent(model->expected_rate) : "-", model ? in_percent(model->guarded_rate) : "-",
             model ? in_words(model->evidence) : "-", fmt::format("{}", fmt::join(happenings(judged), ", ")));
  }
}

} // namespace

std::string as_text(const answer& what) {
  sheet out;
  const auto& about = what.about;
  out.line("monitor", "{}, level [{}]", about.monitor, fmt::format("{}", fmt::join(about.level, ", ")));
  out.line("key", "{}", shown_key(about.key));
  if (what.at)
    out.line("at", "{}", format_rfc3339(*what.at));
  const auto* tick = what.path.empty() ? nullptr : &what.path.back();
  if (about.known)
    out.line("last seen", "{}", format_rfc3339(about.last_seen));
  else
    out.line("last seen", "never{}: it has no state", what.at ? " until then" : "");
  if (tick != nullptr)
    out.line("observed", "{} of {} failed in the tick until {}", tick->failed, plural(tick->total, "event"),
             format_rfc3339(tick->end));
  for (std::size_t d = 0; d < about.detectors.size(); ++d) {
    put_detector(out, about, about.detectors[d], tick != nullptr ? &tick->judgements[d] : nullptr);
    if (tick != nullptr)
      put_path(out, what, d);
  }
  if (what.ancestor) {
    out.blank();
    out.line("above it", "{}, last seen {}", shown_key(what.ancestor->key), format_rfc3339(what.ancestor->last_seen));
    for (const auto& detector : what.ancestor->detectors)
      if (detector.model)
        out.line("", "{}: expects {}, which a new key inherits; {} events an hour", detector.name,
                 in_percent(detector.model->expected_rate), in_count(detector.model->events_an_hour));
  }
  return out.take();
}

} // namespace tocsin::tools
