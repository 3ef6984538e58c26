#include "detectors/values/alert.hpp"

#include <algorithm>
#include <tuple>
#include <utility>

namespace tocsin {

const char* name_of(alert_kind kind) {
  switch (kind) {
  case alert_kind::open: return "open";
  case alert_kind::update: return "update";
  case alert_kind::resolve: return "resolve";
  case alert_kind::expire: return "expire";
  case alert_kind::rebase: return "rebase";
  case alert_kind::retract: return "retract";
  }
  return "unknown";
}

const char* name_of(alert_status status) {
  switch (status) {
  case alert_status::open: return "open";
  case alert_status::closed: return "closed";
  case alert_status::expired: return "expired";
  }
  return "unknown";
}

const char* name_of(severity value) {
  switch (value) {
  case severity::warning: return "warning";
  case severity::major: return "major";
  case severity::critical: return "critical";
  }
  return "unknown";
}

const char* name_of(measurement value) {
  switch (value) {
  case measurement::error_rate: return "error_rate";
  case measurement::volume: return "volume";
  }
  return "unknown";
}

bool precedes(const alert& a, const alert& b) {
  return std::tie(a.tick, a.monitor_index, a.detector_index, a.key_bytes, a.revision) <
         std::tie(b.tick, b.monitor_index, b.detector_index, b.key_bytes, b.revision);
}

void sort_alerts(std::vector<alert>& all, std::size_t first) {
  // Records are large: they are moved once, however many there are.
  std::vector<alert*> order;
  for (auto i = first; i < all.size(); ++i)
    order.push_back(&all[i]);
  std::sort(order.begin(), order.end(), [](const alert* a, const alert* b) { return precedes(*a, *b); });
  std::vector<alert> sorted;
  sorted.reserve(order.size());
  for (auto* one : order)
    sorted.push_back(std::move(*one));
  std::move(sorted.begin(), sorted.end(), all.begin() + static_cast<std::ptrdiff_t>(first));
}

} // namespace tocsin
