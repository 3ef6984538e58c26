#pragma once

#include <nlohmann/json.hpp>

#include <string>
#include <vector>

namespace tocsin::tools {

/// A condition of the monitor that had to hold, with what it was compared with.
struct gate_line {
  std::string name;
  std::string found;
  std::string needed;
  bool passes = false;
};

/// Why an incident opened, from the numbers of its first record alone.
struct proof {
  std::vector<std::string> sentences;
  std::vector<gate_line> gates; ///< of detectors whose records hold them
};

/// `record`: an alert record (docs/alerts.md). What it does not tell is left out.
proof proof_of(const nlohmann::ordered_json& record);

} // namespace tocsin::tools
