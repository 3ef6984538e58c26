#include "tools/report/report_data.hpp"

#include "detectors/values/event_batch.hpp"
#include "tools/common/units.hpp"
#include "tools/report/proof.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <array>
#include <numeric>
#include <set>

namespace tocsin::tools {

namespace {

using json = nlohmann::ordered_json;

/// A page needs no more digits, and is smaller without.
json few_digits(double value) {
  return parse_number(fmt::format("{:.4g}", value)).value_or(0);
}

json or_null(const std::optional<time_ms>& value) {
  return value ? json(*value) : json(nullptr);
}

/// Points are `[number, events, failures, expected, guarded]`, without the last two where there is no model.
json chart_of(const rate_series& series, double unit) {
  auto points = json::array();
  for (const auto& [index, counts] : series.buckets()) {
    json point{index};
    for (const auto count : {counts.total, counts.failed})
      point.push_back(unit == 1 ? json(count) : few_digits(static_cast<double>(count) / unit));
    if (counts.expected && counts.guarded) {
      point.push_back(few_digits(*counts.expected));
      point.push_back(few_digits(*counts.guarded));
    }
    points.push_back(std::move(point));
  }
  return {{"begin", series.origin()}, {"bucket", series.bucket()}, {"points", std::move(points)}};
}

json monitors_of(const io::config& config, const std::optional<recorded_counts>& counts) {
  auto out = json::array();
  for (std::size_t m = 0; m < config.world.monitors.size(); ++m) {
    const auto& monitor = config.world.monitors[m];
    json one{{"name", monitor.name}, {"tick", monitor.tick}, {"detectors", json::array()}};
    for (const auto& detector : monitor.detectors)
      one["detectors"].push_back(detector.name);
    if (counts) {
      // Rates without denominator count as what they stand for; a page counts the records.
      const double unit = monitor.has_rates ? static_cast<double>(rate_units) : 1;
      const auto sum = counts->whole[m].sum();
      one["events"] = static_cast<double>(sum.total) / unit;
      one["failures"] = static_cast<double>(sum.failed) / unit;
      one["has_rates"] = monitor.has_rates;
      one["chart"] = chart_of(counts->whole[m], unit);
    }
    out.push_back(std::move(one));
  }
  return out;
}

/// Pages by severity, and the others.
json incidents_counted(const incident_book& book) {
  std::array<std::uint64_t, 3> pages{};
  std::uint64_t children = 0;
  std::uint64_t shadow = 0;
  std::uint64_t open = 0;
  for (const auto& one : book.incidents()) {
    open += one.is_open ? 1 : 0;
    if (one.shadow)
      ++shadow;
    else if (!one.parent.empty())
      ++children;
    else
      ++pages[static_cast<std::size_t>(rank_of_severity(one.severity))];
  }
  return {{"critical", pages[2]}, {"major", pages[1]}, {"warning", pages[0]},      {"children", children},
          {"shadow", shadow},     {"open", open},      {"records", book.records()}};
}

json key_of(const reported_incident& incident) {
  auto key = json::array();
  for (const auto& [dimension, value] : incident.key)
    key.push_back({dimension, value ? json(*value) : json(nullptr)});
  return key;
}

json row_of(const reported_incident& one) {
  return {{"id", one.id},
          {"parent", one.parent.empty() ? json(nullptr) : json(one.parent)},
          {"monitor", one.monitor},
          {"detector", one.detector},
          {"shadow", one.shadow},
          {"key", key_of(one)},
          {"scope", one.key.size() - std::min(one.key.size(), one.level.size())},
          {"severity", one.severity},
          {"last", one.last_kind},
          {"open", one.is_open},
          {"volume", one.is_volume},
          {"onset", one.onset},
          {"detected", one.detected_at},
          {"ended", or_null(one.ended)},
          {"rate", few_digits(one.rate)},
          {"baseline", few_digits(one.baseline)},
          {"excess", few_digits(one.excess)},
          {"cause", one.cause},
          {"children", one.children}};
}

/// Where the failures are, and of which kind.
void put_causes(json& panel, const std::string& line) {
  const auto record = json::parse(line, nullptr, false);
  if (!record.is_object())
    return;
  for (const auto* name : {"contributors", "error_types"})
    if (const auto found = record.find(name); found != record.end() && found->is_array())
      panel[name] = *found;
}

json proof_in_words(const json& record) {
  const auto told = proof_of(record);
  json out{{"sentences", told.sentences}, {"gates", json::array()}};
  for (const auto& gate : told.gates)
    out["gates"].push_back({gate.name, gate.found, gate.needed, gate.passes});
  return out;
}

json panel_of(const reported_incident& one, const rate_series* series) {
  json panel = json::object();
  const auto opening = json::parse(one.opening, nullptr, false);
  const auto latest = json::parse(one.latest, nullptr, false);
  if (opening.is_object()) {
    panel["proof"] = proof_in_words(opening);
    panel["model"] = opening.value("model", json::object());
    panel["offsets"] = opening.value("source_offsets", json::object());
  }
  if (latest.is_object()) {
    panel["closes_when"] = latest.value("closes_when", std::string());
    panel["reopened"] = latest.value("reopen_count", 0);
  }
  put_causes(panel, one.causes);
  auto history = json::array();
  for (const auto& entry : one.history)
    history.push_back({entry.tick, entry.revision, entry.kind, entry.severity, entry.description});
  panel["history"] = std::move(history);
  panel["history_left_out"] = one.history_left_out;
  if (series != nullptr && !series->buckets().empty())
    panel["chart"] = chart_of(*series, 1);
  return panel;
}

/// The pages first, so that no child stands without its parent.
std::vector<std::size_t> listed(const incident_book& book) {
  auto order = book.worst_first();
  if (order.size() > max_listed_incidents)
    order.resize(max_listed_incidents);
  return order;
}

json left_out_of(const incident_book& book, std::size_t rows, std::size_t panels, const std::string& no_charts) {
  auto out = json::array();
  const auto all = book.incidents().size();
  if (rows < all)
    out.push_back(fmt::format("{} of {} incidents are listed, the worst; all count in the numbers above.", rows, all));
  if (panels < all)
    out.push_back(fmt::format("{} of {} incidents have a panel with chart, proof and records, the worst; more with "
                              "--report-incidents.",
                              panels, all));
  if (!no_charts.empty())
    out.push_back(no_charts);
  return out;
}

} // namespace

std::string report_data(const replay_facts& facts, const io::config& config, const incident_book& book,
                        const std::vector<std::size_t>& chosen, const std::optional<recorded_counts>& counts,
                        const std::string& no_charts) {
  const auto rows = listed(book);
  const std::set<std::size_t> with_panel(chosen.begin(), chosen.end());
  json out{
      {"config", config.file},
      {"fingerprint", config.world.fingerprint},
      {"inputs", facts.inputs},
      {"begin", nullptr},
      {"end", facts.judged_through > beginning_of_time ? json(facts.judged_through) : json(nullptr)},
      {"events", facts.counting.events},
      {"rejected", std::accumulate(facts.counting.rejected.begin(), facts.counting.rejected.end(), std::uint64_t{0})},
      {"keys", facts.state.keys},
      {"keys_created", facts.state.keys_created},
      {"counts", incidents_counted(book)},
      {"monitors", monitors_of(config, counts)},
      {"left_out", left_out_of(book, rows.size(), chosen.size(), no_charts)},
      {"incidents", json::array()}};
  if (counts && counts->first_event < end_of_time)
    out["begin"] = counts->first_event;
  for (const auto index : rows) {
    const auto& one = book.incidents()[index];
    auto row = row_of(one);
    if (with_panel.count(index) != 0) {
      const rate_series* series = nullptr;
      if (counts)
        if (const auto found = counts->incidents.find(index); found != counts->incidents.end())
          series = &found->second;
      row["panel"] = panel_of(one, series);
    }
    out["incidents"].push_back(std::move(row));
  }
  return out.dump(-1, ' ', false, json::error_handler_t::replace);
}

} // namespace tocsin::tools
