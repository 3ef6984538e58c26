#include "tools/report/proof.hpp"

#include "tools/common/units.hpp"
#include "tools/report/words.hpp"

#include <fmt/format.h>

#include <optional>

namespace tocsin::tools {

namespace {

using json = nlohmann::ordered_json;

std::optional<double> number(const json& object, const char* name) {
  const auto found = object.find(name);
  return found != object.end() && found->is_number() ? std::optional(found->get<double>()) : std::nullopt;
}

std::string text(const json& object, const char* name) {
  const auto found = object.find(name);
  return found != object.end() && found->is_string() ? found->get<std::string>() : std::string();
}

std::string time_in(const json& record, const char* name) {
  const auto time = parse_rfc3339(text(record, name));
  return time ? clock_time(*time) : std::string("?");
}

const json& model_of(const json& record) {
  static const json nothing = json::object();
  const auto found = record.find("model");
  return found != record.end() && found->is_object() ? *found : nothing;
}

std::string interval_of(const json& record, bool is_volume) {
  const auto found = record.find("interval");
  if (found == record.end() || !found->is_array() || found->size() != 2 || !(*found)[0].is_number() ||
      !(*found)[1].is_number())
    return "";
  const auto low = (*found)[0].get<double>();
  const auto high = (*found)[1].get<double>();
  return is_volume ? fmt::format(" (95 % interval {} to {})", quantity(low), quantity(high))
                   : fmt::format(" (95 % interval {} to {})", percent(low), percent(high));
}

std::string volume_sentence(const json& record) {
  return fmt::format(
      "From {} to {}: {} events where {} were expected, {} an hour{} instead of {}.", time_in(record, "onset"),
      time_in(record, "tick"), quantity(number(record, "sample_size").value_or(0)),
      quantity(number(record, "expected_events").value_or(0)), quantity(number(record, "measured_value").value_or(0)),
      interval_of(record, true), quantity(number(record, "baseline_value").value_or(0)));
}

std::string rate_sentence(const json& record) {
  const auto rate = percent(number(record, "measured_value").value_or(0)) + interval_of(record, false);
  const auto expected = percent(number(record, "baseline_value").value_or(0));
  if (record.value("effective", false))
    return fmt::format(
        "From {} to {}: a rate of {}, expected {}. It has no denominator; it scatters like one of {} events.",
        time_in(record, "onset"), time_in(record, "tick"), rate, expected,
        quantity(number(record, "sample_size").value_or(0)));
  return fmt::format(
      "From {} to {}: {} of {} events failed, {}. At the expected rate of {} it would have been {} failures: "
      "{} too many.",
      time_in(record, "onset"), time_in(record, "tick"), quantity(number(record, "failures").value_or(0)),
      quantity(number(record, "sample_size").value_or(0)), rate, expected,
      quantity(number(record, "expected_failures").value_or(0)),
      quantity(number(record, "excess_failures").value_or(0)));
}

std::optional<std::string> guard_sentence(const json& model, bool is_volume) {
  const auto guard = number(model, "guard");
  if (!guard)
    return std::nullopt;
  if (is_volume)
    return fmt::format("The expectation is not exact: volumes down to a factor of {} below it were taken for normal.",
                       quantity(*guard));
  const auto rate = number(model, "expected_rate_on_open");
  return fmt::format("The expectation is not exact: rates up to {} times as high{} were taken for normal.",
                     quantity(*guard),
                     rate ? fmt::format(" ({})", percent(std::min(1.0, *guard * *rate))) : std::string());
}

std::optional<std::string> chance_sentence(const json& model) {
  const auto tail = number(model, "tail_probability");
  if (!tail)
    return std::nullopt;
  return fmt::format("If nothing had changed, the probability of so many failures would have been {}.",
                     quantity(*tail));
}

std::string evidence_sentence(const json& record, const json& model) {
  const auto evidence = number(record, "evidence");
  if (!evidence)
    return fmt::format("The detector {} weighs no evidence: it opened because its own rule held.",
                       text(record, "detector"));
  auto out = fmt::format("The evidence was {}; {} opens.", quantity(*evidence),
                         quantity(number(model, "threshold").value_or(1)));
  if (const auto days = number(record, "once_in_days")) {
    out += fmt::format(" Chance alone would do this {}", how_often(*days));
    if (const auto budget = number(model, "budget_per_day"))
      out += fmt::format(", at this key's budget of {} false alarms a day", quantity(*budget));
    out += ".";
  }
  return out;
}

std::optional<std::string> confidence_sentence(const json& record, const json& model) {
  const auto confidence = number(record, "confidence");
  if (!confidence)
    return std::nullopt;
  const auto prior = number(model, "incidents_per_day");
  const auto shown = *confidence > 0.999 ? std::string("more than 99.9 %") : percent(*confidence);
  return fmt::format("So it is real with a probability of {}{}.", shown,
                     prior ? fmt::format(", where {} real incidents a day are usual", quantity(*prior))
                           : std::string());
}

std::optional<std::string> viewers_sentence(const json& record, const json& model) {
  const auto viewers = number(record, "affected_viewers");
  if (!viewers)
    return std::nullopt;
  auto out = fmt::format("{}{} distinct viewers had a failure",
                         record.value("affected_viewers_at_least", false) ? "At least " : "", quantity(*viewers));
  if (const auto capped = number(model, "capped_failures_on_open"))
    out += fmt::format("; with one failure for each of them in a tick, {} failures remain", quantity(*capped));
  return out + ".";
}

/// The gates on one count of failures.
void add_gates(std::vector<gate_line>& out, const json& model, const char* count, const char* suffix) {
  const auto failures = number(model, count);
  const auto events = number(model, "events_on_open");
  const auto rate = number(model, "expected_rate_on_open");
  if (!failures || !events || !rate || *events <= 0 || *rate <= 0)
    return;
  const auto observed = *failures / *events;
  if (const auto least = number(model, "min_ratio"))
    out.push_back({fmt::format("times the expected rate{}", suffix), quantity(observed / *rate), quantity(*least),
                   observed >= *least * *rate});
  if (const auto least = number(model, "min_difference"))
    out.push_back({fmt::format("percentage points above it{}", suffix), quantity(100 * (observed - *rate)),
                   quantity(100 * *least), observed - *rate >= *least});
  const auto expected = number(model, "expected_failures_on_open");
  if (const auto least = number(model, "min_excess_failures"); least && expected)
    out.push_back({fmt::format("excess failures{}", suffix), quantity(*failures - *expected), quantity(*least),
                   *failures - *expected >= *least});
}

} // namespace

proof proof_of(const json& record) {
  const auto& model = model_of(record);
  const bool is_volume = text(record, "measurement") == "volume";
  proof out;
  out.sentences.push_back(is_volume ? volume_sentence(record) : rate_sentence(record));
  for (auto sentence :
       {guard_sentence(model, is_volume), chance_sentence(model), std::optional(evidence_sentence(record, model)),
        confidence_sentence(record, model), viewers_sentence(record, model)})
    if (sentence)
      out.sentences.push_back(std::move(*sentence));
  if (!is_volume) {
    add_gates(out.gates, model, "failures_on_open", "");
    add_gates(out.gates, model, "capped_failures_on_open", ", one failure a viewer");
  }
  return out;
}

} // namespace tocsin::tools
