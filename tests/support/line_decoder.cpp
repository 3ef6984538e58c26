#include "tests/support/line_decoder.hpp"

#include "detectors/values/key.hpp"

#include <charconv>
#include <optional>
#include <string_view>
#include <utility>

namespace tocsin::test {

namespace {

template <class Number>
std::optional<Number> number_in(std::string_view text) {
  Number value = 0;
  const auto [end, problem] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (problem != std::errc() || end != text.data() + text.size())
    return std::nullopt;
  return value;
}

class line_decoder : public io::decoder {
public:
  line_decoder(std::shared_ptr<const world_spec> spec, std::function<void()> on_block)
      : spec_(std::move(spec)), on_block_(std::move(on_block)) {}

  void decode(const io::raw_block& block, event_batch& out) override {
    if (on_block_)
      on_block_();
    out.clear();
    out.observations.resize(spec_->monitors.size());
    std::string_view rest(block.data.data(), block.size);
    auto offset = block.begin;
    while (!rest.empty()) {
      const auto end = std::min(rest.find('\n'), rest.size());
      take_line(rest.substr(0, end), block.partition, offset, out);
      const auto step = std::min(end + 1, rest.size());
      rest.remove_prefix(step);
      offset += static_cast<stream_offset>(step);
    }
  }

private:
  void take_line(std::string_view line, partition_id partition, stream_offset offset, event_batch& out) {
    std::vector<std::string_view> fields;
    for (std::size_t from = 0; from <= line.size();) {
      const auto comma = std::min(line.find(',', from), line.size());
      fields.push_back(line.substr(from, comma - from));
      from = comma + 1;
    }
    const auto time = fields.size() < 4 ? std::nullopt : number_in<time_ms>(fields[0]);
    const auto total = fields.size() < 4 ? std::nullopt : number_in<std::int64_t>(fields[1]);
    const auto failed = fields.size() < 4 ? std::nullopt : number_in<std::int64_t>(fields[2]);
    if (!time || !total || !failed) {
      out.rejects.push_back({partition, offset, reject_reason::malformed, "not a test line", std::string(line)});
      return;
    }
    out.events.push_back({*time, offset});
    const auto viewer = number_in<std::uint8_t>(fields[3]);
    for (std::size_t m = 0; m < spec_->monitors.size(); ++m) {
      observation seen;
      seen.total = *total;
      seen.failed = *failed;
      seen.has_viewer = viewer.has_value();
      seen.viewer_bit = viewer.value_or(0);
      add_key(spec_->monitors[m], fields, seen, out.key_bytes);
      out.observations[m].push_back(seen);
    }
  }

  static void add_key(const monitor_spec& monitor, const std::vector<std::string_view>& fields, observation& seen,
                      std::string& key_bytes) {
    std::string key;
    for (std::size_t d = 0; d < monitor.dimensions.size(); ++d) {
      if (4 + d >= fields.size() || fields[4 + d].empty())
        append_null(key);
      else
        append_text(key, fields[4 + d]);
      if (d + 1 == monitor.scope_size)
        seen.scope_size = static_cast<std::uint16_t>(key.size());
    }
    seen.leaf = hash_key(key);
    seen.key_begin = static_cast<std::uint32_t>(key_bytes.size());
    seen.key_size = static_cast<std::uint16_t>(key.size());
    key_bytes += key;
  }

  std::shared_ptr<const world_spec> spec_;
  std::function<void()> on_block_;
};

} // namespace

std::string to_line(const test_event& event) {
  auto line = std::to_string(event.time) + "," + std::to_string(event.total) + "," + std::to_string(event.failed) + ",";
  if (event.viewer)
    line += std::to_string(*event.viewer);
  for (const auto& value : event.values)
    line += "," + value.value_or("");
  return line + "\n";
}

std::string to_text(const std::vector<test_event>& events) {
  std::string text;
  for (const auto& event : events)
    text += to_line(event);
  return text;
}

std::unique_ptr<io::decoder> make_line_decoder(std::shared_ptr<const world_spec> spec, std::function<void()> on_block) {
  return std::make_unique<line_decoder>(std::move(spec), std::move(on_block));
}

} // namespace tocsin::test
