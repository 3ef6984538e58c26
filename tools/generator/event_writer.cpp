#include "tools/generator/event_writer.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <charconv>
#include <cstring>

namespace tocsin::generator {

namespace {

constexpr std::size_t longest_number = 20;

std::string quoted_json(const std::string& text) {
  return nlohmann::json(text).dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

/// RFC 4180: quotes only where they are needed.
std::string quoted_csv(const std::string& text) {
  if (text.find_first_of(",\"\r\n") == std::string::npos)
    return text;
  std::string quoted = "\"";
  for (const char c : text)
    quoted.append(c == '"' ? 2 : 1, c);
  return quoted + '"';
}

char* put(char* to, std::string_view text) {
  std::memcpy(to, text.data(), text.size());
  return to + text.size();
}

template <class T>
char* put_number(char* to, T number) {
  return std::to_chars(to, to + longest_number, number).ptr;
}

std::vector<rendered_dimension> render(event_format format, const stream_profile& profile) {
  std::vector<rendered_dimension> rendered;
  for (std::size_t i = 0; i < dimensions; ++i)
    rendered.emplace_back(format, dimension_names[i], profile.values[i]);
  return rendered;
}

std::size_t longest_of(const std::vector<rendered_dimension>& rendered) {
  std::size_t longest = 0;
  for (const auto& each : rendered)
    longest += each.longest();
  return longest;
}

std::string error_fields(event_format format, const char* severity, const std::string& code) {
  if (format == event_format::csv)
    return std::string(severity) + "," + quoted_csv(code) + "\n";
  return std::string("\"severity\":\"") + severity + "\",\"error_code\":" + quoted_json(code) + "}\n";
}

} // namespace

rendered_dimension::rendered_dimension(event_format format, const char* name, const dimension_profile& values) {
  const bool csv = format == event_format::csv;
  const auto lead = csv ? std::string() : std::string("\"") + name + "\":";
  for (const auto& value : values.names) {
    whole_.push_back(lead + (csv ? quoted_csv(value) : quoted_json(value)) + ",");
    longest_ = std::max(longest_, whole_.back().size());
  }
  if (!whole_.empty())
    return;
  // The number goes before the closing quote, where there is one.
  auto around = csv ? quoted_csv(values.prefix) : quoted_json(values.prefix);
  const bool has_quote = !around.empty() && around.back() == '"';
  if (has_quote)
    around.pop_back();
  lead_ = lead + around;
  tail_ = has_quote ? "\"," : ",";
  longest_ = lead_.size() + longest_number + tail_.size();
}

char* rendered_dimension::write(char* to, std::uint32_t value) const {
  if (!whole_.empty())
    return put(to, whole_[value]);
  return put(put_number(put(to, lead_), value + 1), tail_);
}

event_writer::event_writer(event_format format, const stream_generator& stream)
    : format_(format), view_ids_(stream.profile().view_ids), dimensions_(render(format, stream.profile())) {
  working_ = format == event_format::csv ? ",\n" : "\"severity\":null,\"error_code\":null}\n";
  longest_line_ = working_.size();
  for (const auto& code : stream.error_codes()) {
    failed_.push_back(error_fields(format, "fatal", code));
    warning_.push_back(error_fields(format, "warning", code));
    longest_line_ = std::max(longest_line_, warning_.back().size());
  }
  constexpr std::size_t other_fields = 64 + 3 * longest_number;
  longest_line_ += longest_of(dimensions_) + other_fields;
}

std::string event_writer::header() const {
  if (format_ == event_format::ndjson)
    return "";
  return std::string(view_ids_ ? "ts,view_id," : "ts,") +
         "viewer_id,property,cdn,country,player,title,severity,error_code\n";
}

char* event_writer::write(char* to, const generated_event& view) const {
  const bool csv = format_ == event_format::csv;
  to = put_number(put(to, csv ? "" : "{\"ts\":"), view.time);
  if (view_ids_)
    to = put(put_number(put(to, csv ? "," : ",\"view_id\":\""), view.number), csv ? "" : "\"");
  to = put_number(put(to, csv ? ",v" : ",\"viewer_id\":\"v"), view.viewer);
  to = put(to, csv ? "," : "\",");
  for (std::size_t i = 0; i < dimensions; ++i)
    to = dimensions_[i].write(to, view.values[i]);
  switch (view.outcome) {
  case view_outcome::working: return put(to, working_);
  case view_outcome::warning: return put(to, warning_[view.error_code]);
  case view_outcome::failed: break;
  }
  return put(to, failed_[view.error_code]);
}

count_writer::count_writer(event_format format, const stream_profile& profile)
    : format_(format), dimensions_(render(format, profile)) {
  constexpr std::size_t other_fields = 32 + 3 * longest_number;
  longest_line_ = longest_of(dimensions_) + other_fields;
}

std::string count_writer::header() const {
  return format_ == event_format::csv ? "ts,property,cdn,country,player,title,n,bad\n" : "";
}

char* count_writer::write(char* to, time_ms time, const std::array<std::uint32_t, dimensions>& values,
                          std::uint64_t total, std::uint64_t failed) const {
  const bool csv = format_ == event_format::csv;
  to = put(put_number(put(to, csv ? "" : "{\"ts\":"), time), ",");
  for (std::size_t i = 0; i < dimensions; ++i)
    to = dimensions_[i].write(to, values[i]);
  to = put_number(put(to, csv ? "" : "\"n\":"), total);
  to = put_number(put(to, csv ? "," : ",\"bad\":"), failed);
  return put(to, csv ? "\n" : "}\n");
}

} // namespace tocsin::generator
