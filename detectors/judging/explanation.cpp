#include "detectors/judging/explanation.hpp"

#include "detectors/judging/words.hpp"

namespace tocsin {

const char* name_of(standing value) {
  switch (value) {
  case standing::unseen: return "never seen";
  case standing::newcomer: return "new";
  case standing::watching: return "watching";
  case standing::calibrated: return "held back by the calibrated threshold";
  case standing::held_back: return "held back by a gate";
  case standing::open: return "incident open";
  }
  return "";
}

std::string in_words(const std::vector<time_to_detect>& times) {
  std::string text;
  for (const auto& one : times) {
    text += (text.empty() ? "" : "; ") + one.outage + ": ";
    if (!one.events) {
      text += "never, the gates keep it quiet";
      continue;
    }
    text += in_count(*one.events) + " events";
    if (one.seconds)
      text += ", " + in_time(*one.seconds);
  }
  return text.empty() ? "no outage would be found" : text;
}

std::vector<std::pair<std::string, std::string>> facts_of(const explanation& what) {
  std::vector<std::pair<std::string, std::string>> facts;
  facts.emplace_back("state", name_of(what.state));
  facts.emplace_back("expected", in_percent(what.expected_rate));
  facts.emplace_back("taken_for_normal", "up to " + in_percent(what.guarded_rate));
  facts.emplace_back("evidence", in_words(what.evidence) + " of " + in_words(what.threshold));
  if (what.excess)
    facts.emplace_back("excess", std::to_string(what.excess->failed) + " of " + std::to_string(what.excess->total) +
                                     " failed, expected " + in_words(what.excess->expected));
  facts.emplace_back("budget_per_day", in_words(what.budget_per_day));
  facts.emplace_back("events_an_hour", in_count(what.events_an_hour));
  facts.emplace_back("time_to_detect", in_words(what.to_detect));
  return facts;
}

} // namespace tocsin
