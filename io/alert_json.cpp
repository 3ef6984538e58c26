#include "io/alert_json.hpp"

#include "io/words.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <cassert>
#include <cmath>
#include <iterator>
#include <string_view>

namespace tocsin::io {
namespace {

constexpr int schema_version = 1;
/// Below 2^53 every whole number is exact.
constexpr double exact_integers = 9007199254740992.0;

using buffer = fmt::memory_buffer;

void put(buffer& out, std::string_view text) {
  out.append(text.data(), text.data() + text.size());
}

bool is_plain(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) { return c >= 0x20 && c < 0x7f && c != '"' && c != '\\'; });
}

void put_string(buffer& out, std::string_view text) {
  // Nearly all values need no escape; the library is kept for those that do.
  if (is_plain(text)) {
    out.push_back('"');
    put(out, text);
    out.push_back('"');
    return;
  }
  put(out, nlohmann::json(text).dump(-1, ' ', false, nlohmann::json::error_handler_t::replace));
}

void put_number(buffer& out, double value) {
  assert(std::isfinite(value));
  if (!std::isfinite(value))
    put(out, "null");
  else if (std::abs(value) < exact_integers && std::trunc(value) == value)
    fmt::format_to(std::back_inserter(out), "{}", static_cast<std::int64_t>(value));
  else
    fmt::format_to(std::back_inserter(out), "{:.6g}", value);
}

void put_number(buffer& out, const std::optional<double>& value) {
  if (value)
    put_number(out, *value);
  else
    put(out, "null");
}

void put_dimensions(buffer& out, const std::vector<dimension_value>& values) {
  out.push_back('{');
  std::string_view separator;
  for (const auto& [dimension, value, pooled] : values) {
    put(out, separator);
    put_string(out, dimension);
    out.push_back(':');
    if (pooled)
      put(out, "\"(other)\"");
    else if (value)
      put_string(out, *value);
    else
      put(out, "null");
    separator = ",";
  }
  out.push_back('}');
}

/// An array; `put_one(element)` writes each.
template <class Elements, class PutOne>
void put_array(buffer& out, const Elements& elements, const PutOne& put_one) {
  std::string_view separator;
  out.push_back('[');
  for (const auto& element : elements) {
    put(out, separator);
    put_one(element);
    separator = ",";
  }
  out.push_back(']');
}

void put_texts(buffer& out, const std::vector<std::string>& texts) {
  put_array(out, texts, [&](const std::string& text) { put_string(out, text); });
}

/// Writes one object member by member.
class object_writer {
public:
  explicit object_writer(buffer& out) : out_(out) { out_.push_back('{'); }
  void end() { out_.push_back('}'); }
  buffer& name(std::string_view name) {
    put(out_, separator_);
    put_string(out_, name);
    out_.push_back(':');
    separator_ = ",";
    return out_;
  }
  void text(std::string_view key, std::string_view value) { put_string(name(key), value); }
  void time(std::string_view key, time_ms value) { text(key, format_rfc3339(value)); }
  void flag(std::string_view key, bool value) { put(name(key), value ? "true" : "false"); }
  void integer(std::string_view key, std::int64_t value) { fmt::format_to(std::back_inserter(name(key)), "{}", value); }
  void number(std::string_view key, const std::optional<double>& value) { put_number(name(key), value); }
  void null(std::string_view key) { put(name(key), "null"); }

private:
  buffer& out_;
  std::string_view separator_;
};

void put_identity(object_writer& out, const alert& record) {
  out.integer("schema", schema_version);
  out.text("id", record.id);
  out.integer("revision", record.revision);
  out.text("kind", name_of(record.kind));
  out.text("status", name_of(record.status));
  out.text("severity", name_of(record.level_of_harm));
  out.text("monitor", record.monitor);
  out.text("detector", record.detector);
  out.flag("shadow", record.shadow);
  put_dimensions(out.name("scope"), record.scope);
  put_texts(out.name("level"), record.level);
  out.time("tick", record.tick);
  put_dimensions(out.name("key"), record.key);
}

void put_measurement(object_writer& out, buffer& bytes, const alert& record) {
  const bool is_volume = record.measures == measurement::volume;
  out.text("measurement", name_of(record.measures));
  out.number("measured_value", record.measured_value);
  out.number("measured_value_on_close", record.measured_value_on_close);
  out.number("baseline_value", record.baseline_value);
  put(out.name("interval"), "[");
  put_number(bytes, record.interval_low);
  bytes.push_back(',');
  put_number(bytes, record.interval_high);
  bytes.push_back(']');
  if (record.effective)
    out.flag("effective", true);
  out.integer("sample_size", record.sample_size);
  if (is_volume) {
    out.null("failures");
    out.null("expected_failures");
    out.null("excess_failures");
    out.number("expected_events", record.expected_events);
  } else {
    out.integer("failures", record.failures);
    out.number("expected_failures", record.expected_failures);
    out.number("excess_failures", record.excess_failures);
  }
  if (record.affected_viewers)
    out.integer("affected_viewers", *record.affected_viewers);
  else
    out.null("affected_viewers");
  if (record.affected_viewers_at_least)
    out.flag("affected_viewers_at_least", true);
  out.number("affected_per_hour", record.affected_per_hour);
  out.number("affected_per_hour_on_open", record.affected_per_hour_on_open);
  out.number("evidence", record.evidence);
  out.number("once_in_days", record.once_in_days);
  out.number("confidence", record.confidence);
}

void put_cause(object_writer& out, buffer& bytes, const alert& record) {
  put_array(out.name("contributors"), record.contributors, [&](const contributor& from) {
    object_writer object(bytes);
    put_dimensions(object.name("set"), from.set);
    object.number("excess", from.excess);
    object.number("share", from.share);
    object.number("rate_without", from.rate_without);
    object.number("score", from.score);
    object.end();
  });
  if (record.parent_id)
    out.text("parent_id", *record.parent_id);
  else
    out.null("parent_id");
  put_texts(out.name("children"), record.children);
  out.integer("children_count", record.children_count);
  put_array(out.name("error_types"), record.error_types, [&](const error_type_count& of) {
    object_writer object(bytes);
    if (of.type)
      object.text("type", *of.type);
    else
      object.null("type");
    object.integer("failures", of.failures);
    object.number("expected", of.expected);
    object.end();
  });
  out.integer("reopen_count", record.reopen_count);
}

void put_times(object_writer& out, const alert& record) {
  out.time("onset", record.onset);
  out.time("detected_at", record.detected_at);
  if (record.resolved_at)
    out.time("resolved_at", *record.resolved_at);
  else
    out.null("resolved_at");
  out.time("watermark", record.watermark);
  out.text("closes_when", record.closes_when);
}

void put_origin(object_writer& out, buffer& bytes, const alert& record) {
  out.name("model");
  object_writer model(bytes);
  for (const auto& [name, value] : record.model)
    model.number(name, value);
  model.end();
  out.text("config_fingerprint", record.config_fingerprint);
  out.name("source_offsets");
  object_writer offsets(bytes);
  for (const auto& [partition, offset] : record.source_offsets)
    offsets.integer(std::to_string(partition), offset);
  offsets.end();
}

std::string shown(const dimension_value& value) {
  if (value.pooled)
    return value.dimension + "=(other)";
  return value.dimension + "=" + value.value.value_or("(none)");
}

std::string joined(const std::vector<dimension_value>& values) {
  std::string text;
  for (const auto& value : values)
    text += (text.empty() ? "" : ", ") + shown(value);
  return text;
}

/// `cdn=fastly, country=DE of property=p7`; the scope alone for its root.
std::string subject(const alert& record) {
  std::vector<dimension_value> inner;
  std::copy_if(record.key.begin(), record.key.end(), std::back_inserter(inner), [&](const dimension_value& value) {
    return std::none_of(record.scope.begin(), record.scope.end(),
                        [&](const dimension_value& scope) { return scope.dimension == value.dimension; });
  });
  if (record.scope.empty())
    return inner.empty() ? "the whole stream" : joined(inner);
  return inner.empty() ? joined(record.scope) : joined(inner) + " of " + joined(record.scope);
}

/// Time of day, with the date where the day is not that of the record.
std::string clock_time(time_ms time, time_ms tick) {
  const auto text = format_rfc3339(time); // 2016-05-04T12:00:10.000Z
  const auto separator = text.find('T');
  const auto time_of_day = text.substr(separator + 1, 8);
  if (tick_of(time, day_ms) == tick_of(tick, day_ms))
    return time_of_day + " UTC";
  return text.substr(0, separator) + " " + time_of_day + " UTC";
}

/// The two largest units: `3d 4h`, `12m 10s`.
std::string span(time_ms duration) {
  struct unit {
    time_ms length;
    const char* name;
  };
  constexpr unit units[] = {{day_ms, "d"}, {hour_ms, "h"}, {minute_ms, "m"}, {second_ms, "s"}};
  for (std::size_t i = 0; i < std::size(units); ++i) {
    if (duration < units[i].length)
      continue;
    auto text = fmt::format("{}{}", duration / units[i].length, units[i].name);
    if (i + 1 < std::size(units) && duration % units[i].length >= units[i + 1].length)
      text += fmt::format(" {}{}", duration % units[i].length / units[i + 1].length, units[i + 1].name);
    return text;
  }
  return fmt::format("{}ms", duration);
}

/// `1200 events an hour`, `8.41 %`.
std::string measured(const alert& record, double value) {
  return record.measures == measurement::volume ? quantity(value) + " events an hour" : percent(value);
}

/// What happened, as the beginning of the sentence's second half.
std::string event_of(const alert& record) {
  const auto end = record.resolved_at.value_or(record.tick);
  const auto lasted = span(std::max<time_ms>(0, end - record.onset));
  switch (record.kind) {
  case alert_kind::open: return "";
  case alert_kind::update:
    if (record.reopen_count > 0 && record.detected_at == record.tick)
      return fmt::format("open again for the {}. time, {}; ", record.reopen_count + 1, name_of(record.level_of_harm));
    return fmt::format("still open after {}, {}; ", lasted, name_of(record.level_of_harm));
  case alert_kind::resolve:
    if (record.measured_value_on_close)
      return fmt::format("resolved after {} at {}; ", lasted, measured(record, *record.measured_value_on_close));
    return fmt::format("resolved after {}; ", lasted);
  case alert_kind::expire: return fmt::format("expired without events, {} after its onset; ", lasted);
  case alert_kind::retract: return fmt::format("retracted after {}: corrected by late events; ", lasted);
  case alert_kind::rebase:
    if (record.status == alert_status::open)
      return fmt::format("open for {} at a stable rate, perhaps the new normal; ", lasted);
    return fmt::format("taken as the new normal after {}; ", lasted);
  }
  return "";
}

std::string volume_in_words(const alert& record) {
  return fmt::format("{}: {}{} {} since {}, expected {} ({} instead of {} an hour)", subject(record), event_of(record),
                     record.sample_size, record.sample_size == 1 ? "event" : "events",
                     clock_time(record.onset, record.tick), quantity(record.expected_events),
                     quantity(record.measured_value), quantity(record.baseline_value));
}

/// Nobody counted events where the rate has no denominator.
std::string bare_rate_in_words(const alert& record) {
  return fmt::format("{}: {}rate {} since {}, expected {} (no denominator: it scatters like one of {} {})",
                     subject(record), event_of(record), percent(record.measured_value),
                     clock_time(record.onset, record.tick), percent(record.baseline_value), record.sample_size,
                     record.sample_size == 1 ? "event" : "events");
}

std::string rate_in_words(const alert& record) {
  if (record.effective)
    return bare_rate_in_words(record);
  return fmt::format("{}: {}{} of {} {} failed since {}, expected {} ({} {} instead of {})", subject(record),
                     event_of(record), percent(record.measured_value), record.sample_size,
                     record.sample_size == 1 ? "event" : "events", clock_time(record.onset, record.tick),
                     percent(record.baseline_value), record.failures, record.failures == 1 ? "failure" : "failures",
                     quantity(record.expected_failures));
}

/// `90 % of it in cdn=fastly, country=DE`.
std::string first_cause(const alert& record) {
  const auto& first = record.contributors.front();
  return fmt::format("{:.0f} % of it in {}", first.share * 100, joined(first.set));
}

/// `95 % of it HLS_404`, where one type makes most of the excess; nothing where the key is that type.
std::string main_type(const alert& record) {
  if (record.error_types.empty() || record.excess_failures <= 0)
    return {};
  const auto& first = record.error_types.front();
  const auto share = std::min(1.0, (static_cast<double>(first.failures) - first.expected) / record.excess_failures);
  const bool is_key = std::any_of(record.key.begin(), record.key.end(), [&](const dimension_value& value) {
    return record.level.size() == 1 && record.level[0] == value.dimension && value.value == first.type;
  });
  if (share <= 0.5 || is_key)
    return {};
  return fmt::format("; {:.0f} % of it {}", share * 100, first.type.value_or("without error type"));
}

} // namespace

std::string describe(const alert& record) {
  auto text = record.measures == measurement::volume ? volume_in_words(record) : rate_in_words(record);
  if (!record.contributors.empty())
    text += "; " + first_cause(record);
  text += main_type(record);
  if (record.kind == alert_kind::open && record.once_in_days)
    text += "; chance alone would do this " + how_often(*record.once_in_days);
  if (record.parent_id)
    text += "; part of incident " + *record.parent_id;
  if (record.children_count > 0)
    text +=
        fmt::format("; explains {} more {}", record.children_count, record.children_count == 1 ? "alarm" : "alarms");
  if (record.status == alert_status::open && !record.closes_when.empty())
    text += "; closes when " + record.closes_when;
  return text + ".";
}

std::string to_json(const alert& record) {
  buffer bytes;
  object_writer out(bytes);
  put_identity(out, record);
  put_measurement(out, bytes, record);
  put_cause(out, bytes, record);
  put_times(out, record);
  put_origin(out, bytes, record);
  out.text("description", describe(record));
  out.end();
  return fmt::to_string(bytes);
}

} // namespace tocsin::io
