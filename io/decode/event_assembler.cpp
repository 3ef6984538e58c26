#include "io/decode/event_assembler.hpp"

#include "detectors/values/key.hpp"
#include "io/decode/excerpt.hpp"
#include "io/expression/number.hpp"

#include <xxhash.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>

namespace tocsin::io {

namespace {

using kind = field_value::kind;

/// A whole number, however it is written (12, "12", 12.0, 1.2e1).
std::optional<std::int64_t> whole_number(const field_value& value) {
  number n;
  switch (value.type) {
  case kind::integer: return value.integer;
  case kind::real: n.real = value.real; break;
  case kind::text: {
    const auto parsed = parse_number(value.text, number_syntax::lenient);
    if (!parsed)
      return std::nullopt;
    n = *parsed;
    break;
  }
  default: return std::nullopt;
  }
  if (n.whole)
    return n.integer;
  constexpr double exact = 9007199254740992.0; // 2^53
  if (std::floor(n.real) != n.real || std::fabs(n.real) > exact)
    return std::nullopt;
  return static_cast<std::int64_t>(n.real);
}

/// A number, however it is written.
std::optional<double> real_number(const field_value& value) {
  if (value.type == kind::integer)
    return static_cast<double>(value.integer);
  if (value.type == kind::real)
    return value.real;
  if (value.type != kind::text)
    return std::nullopt;
  const auto parsed = parse_number(value.text, number_syntax::lenient);
  if (!parsed)
    return std::nullopt;
  return parsed->whole ? static_cast<double>(parsed->integer) : parsed->real;
}

std::size_t most_dimensions(const field_layout& layout) {
  std::size_t most = 0;
  for (const auto& key : layout.keys)
    most = std::max(most, key.dimensions.size());
  return std::max<std::size_t>(most, 1);
}

} // namespace

event_assembler::event_assembler(std::shared_ptr<const decode_plan> plan)
    : plan_(std::move(plan)), layout_(*plan_), clock_(plan_->time, plan_->time_zone), values_(layout_.paths.size()),
      keys_(layout_.keys.size()), leaf_(most_dimensions(layout_)), seen_(layout_.monitors.size()) {}

void event_assembler::assemble(stream_offset offset, std::string_view record, event_batch& out) {
  if (plan_->where && !plan_->where->evaluate(values_.data(), layout_.where.data())) {
    ++out.filtered;
    return;
  }
  const auto key_bytes_before = out.key_bytes.size();
  hashed_ = 0;
  for (auto& key : keys_)
    key.built = false;
  event made;
  made.offset = offset;
  std::int64_t total = 1;
  observation viewer;
  type_ = {};
  bool usable = read_time(made.time) && read_total(total) && read_viewer(viewer);
  for (std::size_t m = 0; usable && m < seen_.size(); ++m)
    usable = observe(m, total, viewer, out);

  if (!usable) {
    out.key_bytes.resize(key_bytes_before);
    out.refuse(offset, reason_, [&](reject& told) {
      told.detail = std::move(detail_);
      told.excerpt = excerpt_of(record);
    });
    return;
  }
  out.events.push_back(made);
  for (std::size_t m = 0; m < seen_.size(); ++m)
    out.observations[m].push_back(seen_[m]);
  out.hashed_values += hashed_;
}

bool event_assembler::read_time(time_ms& time) {
  const auto& value = values_[layout_.time];
  if (value.type == kind::null)
    return refuse(reject_reason::missing_time, found(layout_.time) + ", expected " + clock_.expected());
  const bool from_log = plan_->format == input_format::combined_log;
  const auto parsed = from_log ? parse_log_time(value.text) : clock_.parse(value);
  if (!parsed)
    return refuse(reject_reason::bad_time,
                  found(layout_.time) + ", expected " +
                      (from_log ? "a time such as 10/Oct/2000:13:55:36 -0700" : clock_.expected()));
  time = *parsed;
  return true;
}

bool event_assembler::read_total(std::int64_t& total) {
  if (!layout_.total) {
    if (layout_.rate)
      total = rate_units;
    return true;
  }
  const auto slot = *layout_.total;
  if (values_[slot].type == kind::null)
    return refuse(reject_reason::missing_outcome, found(slot) + ", expected the number of events");
  const auto count = whole_number(values_[slot]);
  if (!count || *count < 0 || *count > max_count)
    return refuse(reject_reason::bad_count,
                  found(slot) + ", expected a whole number from 0 to " + std::to_string(max_count));
  total = *count;
  return true;
}

bool event_assembler::read_failed(std::int64_t total, std::int64_t& failed) {
  if (layout_.rate)
    return read_rate(total, failed);
  if (!layout_.failed)
    return true;
  const auto slot = *layout_.failed;
  if (values_[slot].type == kind::null) {
    // Aggregated data leave the cell empty where nothing happened.
    return total == 0 || refuse(reject_reason::missing_outcome, found(slot) + ", expected the number of failures");
  }
  const auto count = whole_number(values_[slot]);
  if (!count || *count < 0 || *count > total)
    return refuse(reject_reason::bad_count,
                  found(slot) + ", expected a whole number from 0 to the total " + std::to_string(total));
  failed = *count;
  return true;
}

bool event_assembler::read_rate(std::int64_t total, std::int64_t& failed) {
  const auto slot = *layout_.rate;
  if (values_[slot].type == kind::null)
    return total == 0 || refuse(reject_reason::missing_outcome, found(slot) + ", expected a failure rate");
  const auto rate = real_number(values_[slot]);
  // Not a comparison that NaN would pass.
  if (!rate || !(*rate >= 0 && *rate <= plan_->rate_one))
    return refuse(reject_reason::bad_count,
                  found(slot) + ", expected a rate from 0 to " + std::to_string(std::llround(plan_->rate_one)));
  failed = std::min<std::int64_t>(total, std::llround(*rate / plan_->rate_one * static_cast<double>(total)));
  return true;
}

bool event_assembler::read_viewer(observation& seen) {
  if (!layout_.viewer)
    return true;
  const auto& value = values_[*layout_.viewer];
  if (value.type == kind::null)
    return true;
  if (value.type == kind::nested)
    return refuse(reject_reason::bad_type, found(*layout_.viewer) + ", expected a text, a number or a boolean");
  seen.has_viewer = true;
  seen.viewer_bit = static_cast<std::uint8_t>(XXH3_64bits(value.text.data(), value.text.size()) >> 58);
  return true;
}

bool event_assembler::observe(std::size_t monitor, std::int64_t total, const observation& viewer, event_batch& out) {
  const auto& plan = plan_->monitors[monitor];
  const auto& layout = layout_.monitors[monitor];
  auto& seen = seen_[monitor];
  seen = {};
  if (plan.where && !plan.where->evaluate(values_.data(), layout.where.data()))
    return true;
  std::int64_t failed = 0;
  if (plan.error_when)
    failed = plan.error_when->evaluate(values_.data(), layout.error_when.data()) ? total : 0;
  else if (!read_failed(total, failed))
    return false;
  if (total == 0)
    return true;
  seen = viewer;
  seen.total = total;
  seen.failed = failed;
  auto& key = keys_[layout.key];
  if (!key.built && !build_key(layout_.keys[layout.key], key, out))
    return false;
  seen.leaf = key.hash;
  seen.key_begin = key.begin;
  seen.key_size = key.size;
  seen.scope_size = key.scope_size;
  return failed == 0 || !layout_.error_type || name_type(seen, out);
}

bool event_assembler::name_type(observation& seen, event_batch& out) {
  if (type_.type_size == 0) {
    const auto& value = values_[*layout_.error_type];
    if (value.type == kind::nested)
      return refuse(reject_reason::bad_type, found(*layout_.error_type) + ", expected a text, a number or a boolean");
    leaf_.clear();
    if (value.type == kind::null)
      leaf_.append_null();
    else if (leaf_.append_text(value.text))
      ++hashed_;
    type_.type_begin = static_cast<std::uint32_t>(out.key_bytes.size());
    type_.type_size = static_cast<std::uint16_t>(leaf_.size());
    out.key_bytes.append(leaf_.bytes());
  }
  seen.type_begin = type_.type_begin;
  seen.type_size = type_.type_size;
  return true;
}

bool event_assembler::build_key(const field_layout::key_layout& layout, built_key& key, event_batch& out) {
  // Put together here and appended once: appending each value would cost more than the values.
  leaf_.clear();
  std::size_t scope_size = 0;
  for (std::size_t d = 0; d < layout.dimensions.size(); ++d) {
    if (d == layout.scope_size)
      scope_size = leaf_.size();
    const auto slot = layout.dimensions[d];
    const auto& value = values_[slot];
    if (value.type == kind::nested)
      return refuse(reject_reason::bad_type, found(slot) + ", expected a text, a number or a boolean");
    if (value.type == kind::null)
      leaf_.append_null();
    else if (leaf_.append_text(value.text))
      ++hashed_;
  }
  const auto bytes = leaf_.bytes();
  if (bytes.size() > std::numeric_limits<std::uint16_t>::max())
    return refuse(reject_reason::too_long, "found dimension values of " + std::to_string(bytes.size()) +
                                               " bytes together, expected at most 65535");
  key.built = true;
  key.hash = hash_key(bytes);
  key.begin = static_cast<std::uint32_t>(out.key_bytes.size());
  key.size = static_cast<std::uint16_t>(bytes.size());
  key.scope_size =
      static_cast<std::uint16_t>(layout.scope_size == layout.dimensions.size() ? bytes.size() : scope_size);
  out.key_bytes.append(bytes);
  return true;
}

/// `field 'ts': found "yesterday"`
std::string event_assembler::found(std::uint32_t slot) const {
  constexpr std::size_t most = 60;
  const auto& value = values_[slot];
  std::string out = "field '" + layout_.paths[slot] + "': found ";
  switch (value.type) {
  case kind::null: return out + "nothing";
  case kind::nested: return out + "an object or array";
  case kind::text: return out + '"' + excerpt_of(value.text, most) + '"';
  default: return out + excerpt_of(value.text, most);
  }
}

bool event_assembler::refuse(reject_reason reason, std::string detail) {
  reason_ = reason;
  detail_ = std::move(detail);
  return false;
}

} // namespace tocsin::io
