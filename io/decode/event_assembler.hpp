#pragma once

#include "detectors/values/event_batch.hpp"
#include "io/decode/decode_plan.hpp"
#include "io/decode/field_layout.hpp"
#include "io/decode/key_builder.hpp"
#include "io/decode/time_parser.hpp"

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace tocsin::io {

/// Counts above this are refused, so that no sum of counts can overflow.
inline constexpr std::int64_t max_count = 1'000'000'000'000;

/// Turns one record's values into an event and what each monitor sees of it, or into a reject: the part of decoding
/// that all formats share. Belongs to one decoder; allocates only for rejects.
class event_assembler {
public:
  explicit event_assembler(std::shared_ptr<const decode_plan> plan);

  const field_layout& layout() const { return layout_; }
  /// The table that a reader fills; values()[s] belongs to layout().paths[s].
  std::vector<field_value>& values() { return values_; }
  /// Makes every value null.
  void reset() {
    for (auto& value : values_)
      value.type = field_value::kind::null;
  }

  /// Appends the event, or counts it as filtered, or appends a reject.
  void assemble(stream_offset offset, std::string_view record, event_batch& out);

private:
  /// A leaf key of the record at hand, built for the first monitor that needs it.
  struct built_key {
    bool built = false;
    key_hash hash;
    std::uint32_t begin = 0;
    std::uint16_t size = 0;
    std::uint16_t scope_size = 0;
  };

  bool read_time(time_ms& time);
  bool read_total(std::int64_t& total);
  bool read_failed(std::int64_t total, std::int64_t& failed);
  bool read_rate(std::int64_t total, std::int64_t& failed);
  bool read_viewer(observation& seen);
  bool observe(std::size_t monitor, std::int64_t total, const observation& viewer, event_batch& out);
  bool name_type(observation& seen, event_batch& out);
  bool build_key(const field_layout::key_layout& layout, built_key& key, event_batch& out);
  std::string found(std::uint32_t slot) const;
  bool refuse(reject_reason reason, std::string detail);

  std::shared_ptr<const decode_plan> plan_;
  field_layout layout_;
  time_parser clock_;
  std::vector<field_value> values_;
  std::vector<built_key> keys_;
  key_builder leaf_; ///< scratch
  /// Error type of the record at hand, written for the first monitor for which it failed; type_size 0: not yet.
  observation type_;
  std::vector<observation> seen_; ///< of the record at hand, by monitor
  std::uint64_t hashed_ = 0;      ///< of the record at hand
  reject_reason reason_ = reject_reason::malformed;
  std::string detail_;
};

} // namespace tocsin::io
