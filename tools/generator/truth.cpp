#include "tools/generator/truth.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <cmath>

namespace tocsin::generator {

namespace {

using json = nlohmann::ordered_json;

double rounded(double value) {
  return std::round(value * 100) / 100;
}

json to_object(const planted_incident& planted, const incident_truth& found) {
  auto values = planted.where;
  std::sort(values.begin(), values.end());
  json where = json::object();
  for (const auto& [dimension, value] : values)
    where[dimension_names[dimension]] = value;
  json object;
  object["start"] = format_rfc3339(found.matcher.begin());
  object["end"] = format_rfc3339(found.matcher.end());
  object["where"] = where;
  if (planted.rate)
    object["rate"] = *planted.rate;
  if (planted.times)
    object["times"] = *planted.times;
  if (!planted.error_code.empty())
    object["error_code"] = planted.error_code;
  object["events"] = found.events;
  object["failures"] = found.failures;
  object["caused_failures"] = found.caused_failures;
  object["expected_failures"] = rounded(found.expected_failures);
  object["expected_excess"] = rounded(found.expected_excess);
  object["failing_viewers"] = found.failing_viewers.size();
  return object;
}

} // namespace

truth::truth(const stream_profile& profile) : profile_(profile) {
  for (const auto& planted : profile_.incidents)
    incidents_.push_back({incident_matcher(profile_, planted), 0, 0, 0, 0, 0, {}});
}

void truth::observe(const generated_event& view) {
  const bool failed = view.outcome == view_outcome::failed;
  ++events_;
  failures_ += failed ? 1 : 0;
  last_ = std::max(last_, view.time);
  for (auto& incident : incidents_) {
    if (!incident.matcher.matches(view))
      continue;
    ++incident.events;
    incident.expected_failures += view.expected;
    incident.expected_excess += view.extra;
    if (!failed)
      continue;
    ++incident.failures;
    incident.caused_failures += view.caused ? 1 : 0;
    incident.failing_viewers.insert(view.viewer);
  }
}

std::string truth::to_json(std::uint64_t seed) const {
  json object;
  object["schema"] = 1;
  object["scenario"] = profile_.name;
  object["seed"] = seed;
  object["start"] = format_rfc3339(profile_.start);
  object["last"] = events_ == 0 ? json() : json(format_rfc3339(last_));
  object["events"] = events_;
  object["failures"] = failures_;
  object["incidents"] = json::array();
  for (std::size_t i = 0; i < incidents_.size(); ++i)
    if (incidents_[i].matcher.begin() <= last_)
      object["incidents"].push_back(to_object(profile_.incidents[i], incidents_[i]));
  return object.dump(2, ' ', false, json::error_handler_t::replace) + "\n";
}

} // namespace tocsin::generator
