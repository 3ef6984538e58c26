#pragma once

#include "tools/alert_log/alert_record.hpp"
#include "tools/alert_log/alert_table.hpp"

#include <string>
#include <vector>

namespace tocsin::tools {

/// One incident in full, for a person: what its last record says, in words; its causes, error types and children; and
/// its history, a row of the table each record.
/// `records`: of the incident, in order of the log, at least one; `family`: records of its children.
std::string incident_text(const std::vector<alert_record>& records, const std::vector<alert_record>& family,
                          const alert_table& table);

} // namespace tocsin::tools
