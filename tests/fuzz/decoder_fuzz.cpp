// Any bytes decode to events that keep their promises, and cutting them into blocks at line ends changes nothing.

#include "detectors/values/key.hpp"
#include "io/decode/decode_plan.hpp"
#include "io/decoder.hpp"

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

using namespace tocsin;
using namespace tocsin::io;

namespace {

void require(bool holds) {
  if (!holds)
    std::abort();
}

expression condition(const char* text) {
  auto compiled = expression::compile(text);
  require(compiled.ok());
  return *compiled;
}

monitor_plan monitor(std::vector<std::string> dimensions, std::uint32_t scope_size) {
  monitor_plan m;
  m.dimensions = std::move(dimensions);
  m.scope_size = scope_size;
  return m;
}

constexpr std::size_t formats = 3;
constexpr std::size_t variants = 3;

/// The plans that the first byte chooses from: every format with conditions, counts and viewers.
std::shared_ptr<const decode_plan> make_plan(std::size_t format, std::size_t variant) {
  auto plan = std::make_shared<decode_plan>();
  plan->format = static_cast<input_format>(format);
  plan->time_field = "ts";
  plan->max_record_bytes = 4096;
  const bool log = plan->format == input_format::combined_log;
  const std::string a = log ? "method" : "a";
  const std::string b = log ? "path" : "b";
  const std::string c = log ? "status" : "n.c";
  plan->monitors.push_back(monitor({a, b}, 1));
  if (variant == 0) {
    plan->time = time_unit::ms;
    plan->monitors[0].error_when = condition(log ? "status >= 500" : "bad = TRUE OR a IS NULL");
  } else if (variant == 1) {
    plan->time = time_unit::s;
    plan->total_field = log ? "bytes" : "total";
    plan->failed_field = log ? "status" : "failed";
    plan->viewer_field = log ? "remote_host" : "viewer";
    plan->monitors.push_back(monitor({a, b}, 1));
    plan->monitors.push_back(monitor({c, a}, 2));
    plan->monitors[2].where = condition(log ? "method LIKE '%E%T_'" : "b LIKE '%x_' OR n.c > 3");
  } else {
    plan->time = time_unit::rfc3339;
    plan->time_zone = "Europe/Berlin";
    plan->where = condition(log ? "user_agent NOT LIKE '%bot%' OR referer IS NULL" : "NOT kind = 'ad' OR kind IS NULL");
    plan->monitors[0] = monitor({}, 0);
    plan->monitors[0].error_when = condition(log ? "status NOT BETWEEN 200 AND 399" : "state IN ('down', 5, NULL)");
  }
  return plan;
}

const std::shared_ptr<const decode_plan>& plan_number(std::size_t choice) {
  static const auto plans = [] {
    std::array<std::shared_ptr<const decode_plan>, formats * variants> all;
    for (std::size_t i = 0; i < all.size(); ++i)
      all[i] = make_plan(i % formats, i / formats);
    return all;
  }();
  return plans[choice % plans.size()];
}

raw_block block_of(std::string_view text, stream_offset begin, std::shared_ptr<const std::string> header) {
  raw_block block;
  block.begin = begin;
  block.next_offset = begin + static_cast<stream_offset>(text.size());
  block.size = text.size();
  block.data = std::string(text) + std::string(block_padding, '\0');
  block.header = std::move(header);
  return block;
}

void check_observation(const observation& seen, const event_batch& batch) {
  require(seen.total >= 0 && seen.failed >= 0 && seen.failed <= seen.total);
  require(seen.viewer_bit < 64 && (seen.has_viewer || seen.viewer_bit == 0));
  require(seen.scope_size <= seen.key_size);
  require(std::size_t{seen.key_begin} + seen.key_size <= batch.key_bytes.size());
  if (seen.total == 0)
    return;
  const auto key = std::string_view(batch.key_bytes).substr(seen.key_begin, seen.key_size);
  require(seen.leaf == hash_key(key));
  key_reader reader(key);
  key_value value;
  bool scope_ends_between_values = seen.scope_size == 0;
  for (std::size_t read = 0; reader.next(value);) {
    read += value.encoded.size();
    scope_ends_between_values = scope_ends_between_values || read == seen.scope_size;
    require(value.tag != value_tag::pooled);
  }
  require(reader.valid() && scope_ends_between_values);
}

void check_batch(const event_batch& batch, const decode_plan& plan) {
  require(batch.observations.size() == plan.monitors.size());
  for (std::size_t i = 0; i < batch.events.size(); ++i) {
    require(i == 0 || batch.events[i - 1].offset < batch.events[i].offset);
    require(batch.events[i].offset >= batch.begin && batch.events[i].offset < batch.next_offset);
    require(batch.events[i].time >= 0);
  }
  for (const auto& column : batch.observations) {
    require(column.size() == batch.events.size());
    for (const auto& seen : column)
      check_observation(seen, batch);
  }
  for (std::size_t i = 0; i < batch.rejects.size(); ++i) {
    require(i == 0 || batch.rejects[i - 1].offset < batch.rejects[i].offset);
    require(batch.rejects[i].excerpt.size() <= 200 && !batch.rejects[i].detail.empty());
  }
}

/// `part` begins at event `events` and reject `rejects` of `whole`; moves both on.
void check_part(const event_batch& part, const event_batch& whole, std::size_t& events, std::size_t& rejects) {
  for (std::size_t i = 0; i < part.events.size(); ++i, ++events) {
    require(events < whole.events.size());
    require(part.events[i].time == whole.events[events].time && part.events[i].offset == whole.events[events].offset);
    for (std::size_t m = 0; m < part.observations.size(); ++m) {
      const auto& a = part.observations[m][i];
      const auto& b = whole.observations[m][events];
      require(a.leaf == b.leaf && a.key_size == b.key_size && a.scope_size == b.scope_size && a.total == b.total &&
              a.failed == b.failed && a.has_viewer == b.has_viewer && a.viewer_bit == b.viewer_bit);
    }
  }
  for (const auto& r : part.rejects) {
    require(rejects < whole.rejects.size());
    const auto& w = whole.rejects[rejects++];
    require(r.offset == w.offset && r.reason == w.reason && r.detail == w.detail && r.excerpt == w.excerpt);
  }
}

} // namespace

/// First byte: the plan; second: where to cut. CSV takes its first line as the header.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 2)
    return 0;
  const auto& plan = plan_number(data[0]);
  std::string_view text(reinterpret_cast<const char*>(data) + 2, size - 2);
  std::shared_ptr<const std::string> header;
  if (plan->format == input_format::csv) {
    const auto end = std::min(text.find('\n'), text.size());
    header = std::make_shared<const std::string>(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  event_batch whole;
  make_decoder(plan)->decode(block_of(text, 7, header), whole);
  check_batch(whole, *plan);

  const auto newline = text.find('\n', text.size() * data[1] / 256);
  const auto cut = newline == std::string_view::npos ? text.size() : newline + 1;
  const auto decoder = make_decoder(plan);
  event_batch part;
  std::size_t events = 0;
  std::size_t rejects = 0;
  // The later part first: what a decoder learnt from one block must not show in another.
  decoder->decode(block_of(text.substr(cut), 7 + static_cast<stream_offset>(cut), header), part);
  require(part.events.size() <= whole.events.size() && part.rejects.size() <= whole.rejects.size());
  events = whole.events.size() - part.events.size();
  rejects = whole.rejects.size() - part.rejects.size();
  const auto filtered = part.filtered;
  const auto first_events = events;
  const auto first_rejects = rejects;
  check_part(part, whole, events, rejects);
  events = rejects = 0;
  decoder->decode(block_of(text.substr(0, cut), 7, header), part);
  check_part(part, whole, events, rejects);
  require(events == first_events && rejects == first_rejects && filtered + part.filtered == whole.filtered);
  return 0;
}
