#include "tools/alert_log/alert_filter.hpp"

#include <algorithm>

namespace tocsin::tools {

namespace {

bool accepts(const std::string& wanted, const std::string& value) {
  return wanted.empty() || wanted == value;
}

bool accepts(const std::vector<std::string>& wanted, const std::string& value) {
  return wanted.empty() || std::find(wanted.begin(), wanted.end(), value) != wanted.end();
}

} // namespace

bool alert_filter::matches(const alert_record& record) const {
  const auto in_key = [&](const auto& pair) {
    return std::find(record.key.begin(), record.key.end(), pair) != record.key.end();
  };
  return accepts(monitor, record.monitor) && accepts(detector, record.detector) && accepts(kinds, record.kind) &&
         accepts(severities, record.severity) && (!since || record.tick >= *since) &&
         record.id.compare(0, id_prefix.size(), id_prefix) == 0 && std::all_of(key.begin(), key.end(), in_key);
}

} // namespace tocsin::tools
