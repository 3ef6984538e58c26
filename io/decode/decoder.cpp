#include "io/decoder.hpp"

#include "io/decode/csv_reader.hpp"
#include "io/decode/decode_plan.hpp"
#include "io/decode/event_assembler.hpp"
#include "io/decode/excerpt.hpp"
#include "io/decode/log_reader.hpp"
#include "io/decode/ndjson_reader.hpp"

#include <algorithm>
#include <cstring>
#include <utility>

namespace tocsin::io {

namespace {

/// Cuts a block into lines, lets a format's reader fill the table of values and the assembler make the event.
template <class Reader>
class line_decoder final : public decoder {
public:
  explicit line_decoder(const std::shared_ptr<const decode_plan>& plan)
      : max_record_bytes_(plan->max_record_bytes), monitors_(plan->monitors.size()), assembler_(plan),
        reader_(assembler_.layout().paths) {}

  void decode(const raw_block& block, event_batch& out) override {
    begin(block, out);
    if (block.oversized) {
      refuse_oversized(block.begin, block.next_offset - block.begin, block.data.substr(0, block.size), out);
      return;
    }
    reader_.begin(block);
    const std::string_view records(block.data.data(), std::min(block.size, block.data.size()));
    for (std::size_t at = 0; at < records.size();) {
      const void* newline = std::memchr(records.data() + at, '\n', records.size() - at);
      const auto end = newline == nullptr
                           ? records.size()
                           : static_cast<std::size_t>(static_cast<const char*>(newline) - records.data());
      auto line = records.substr(at, end - at);
      if (!line.empty() && line.back() == '\r')
        line.remove_suffix(1);
      if (!line.empty())
        decode_line(line, block.begin + static_cast<stream_offset>(at), block.data.size() - at, out);
      at = end + 1;
    }
  }

private:
  void begin(const raw_block& block, event_batch& out) const {
    out.clear();
    out.partition = block.partition;
    out.sequence = block.sequence;
    out.incarnation = block.incarnation;
    out.begin = block.begin;
    out.next_offset = block.next_offset;
    out.raw_bytes = block.oversized ? static_cast<std::uint64_t>(block.next_offset - block.begin) : block.size;
    out.observations.resize(monitors_);
  }

  void decode_line(std::string_view line, stream_offset offset, std::size_t readable, event_batch& out) {
    if (line.size() > max_record_bytes_) {
      refuse_oversized(offset, static_cast<stream_offset>(line.size()), line, out);
      return;
    }
    assembler_.reset();
    if (reader_.read(line, readable, assembler_.values()))
      assembler_.assemble(offset, line, out);
    else
      out.refuse(offset, reject_reason::malformed, [&](reject& told) {
        told.detail = reader_.problem();
        told.excerpt = excerpt_of(line);
      });
  }

  void refuse_oversized(stream_offset offset, stream_offset size, std::string_view record, event_batch& out) const {
    out.refuse(offset, reject_reason::too_long, [&](reject& told) {
      told.detail =
          "found a record of " + std::to_string(size) + " bytes, expected at most " + std::to_string(max_record_bytes_);
      told.excerpt = excerpt_of(record);
    });
  }

  std::size_t max_record_bytes_;
  std::size_t monitors_;
  event_assembler assembler_;
  Reader reader_;
};

} // namespace

std::unique_ptr<decoder> make_decoder(const std::shared_ptr<const decode_plan>& plan) {
  switch (plan->format) {
  case input_format::csv: return std::make_unique<line_decoder<csv_reader>>(plan);
  case input_format::combined_log: return std::make_unique<line_decoder<log_reader>>(plan);
  case input_format::ndjson: break;
  }
  return std::make_unique<line_decoder<ndjson_reader>>(plan);
}

} // namespace tocsin::io
