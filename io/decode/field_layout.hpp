#pragma once

#include "io/decode/decode_plan.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace tocsin::io {

/// Where each field that a plan needs lies in the table of values that a reader fills for every record: each field has
/// one slot, however many monitors and conditions use it. Value; built once for a decoder.
struct field_layout {
  explicit field_layout(const decode_plan& plan);

  /// A leaf key; monitors with the same dimensions and scope share one.
  struct key_layout {
    std::vector<std::uint32_t> dimensions; ///< slots in the order of the monitor's dimensions
    std::uint32_t scope_size = 0;
  };
  struct monitor_layout {
    std::uint32_t key = 0; ///< index into keys
    std::vector<std::uint32_t> where;
    std::vector<std::uint32_t> error_when;
  };

  std::vector<std::string> paths; ///< paths[s] is the field of slot s
  std::uint32_t time = 0;
  std::optional<std::uint32_t> total;
  std::optional<std::uint32_t> failed;
  std::optional<std::uint32_t> rate;
  std::optional<std::uint32_t> viewer;
  std::optional<std::uint32_t> error_type;
  std::vector<std::uint32_t> where;
  std::vector<key_layout> keys;
  std::vector<monitor_layout> monitors;

private:
  std::uint32_t slot_of(const std::string& path);
  std::vector<std::uint32_t> slots_of(const std::optional<expression>& condition);
  std::uint32_t key_of(const monitor_plan& monitor);
};

} // namespace tocsin::io
