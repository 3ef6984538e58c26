#include "tools/progress_bar.hpp"

#include "tools/common/units.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstdio>
#include <unistd.h>

namespace tocsin::tools {

namespace {

std::string event_time(time_ms t) {
  return t <= beginning_of_time ? "-" : format_rfc3339(t);
}

/// `12 (3 in shadow)`
std::string with_shadow(std::uint64_t all, std::uint64_t shadow) {
  return grouped(all) + (shadow > 0 ? " (" + grouped(shadow) + " in shadow)" : std::string());
}

double seconds_since(std::chrono::steady_clock::time_point start) {
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

} // namespace

std::string text_of_bytes(std::uint64_t bytes) {
  const auto value = static_cast<double>(bytes);
  if (bytes >= std::uint64_t{1} << 30)
    return fmt::format("{:.2f} GiB", value / (1 << 30));
  if (bytes >= std::uint64_t{1} << 20)
    return fmt::format("{:.1f} MiB", value / (1 << 20));
  return fmt::format("{:.1f} KiB", value / (1 << 10));
}

std::string grouped(std::uint64_t number) {
  auto text = std::to_string(number);
  for (auto place = static_cast<std::ptrdiff_t>(text.size()) - 3; place > 0; place -= 3)
    text.insert(static_cast<std::size_t>(place), ",");
  return text;
}

progress_bar::progress_bar(bool quiet)
    : visible_(!quiet && isatty(STDERR_FILENO) != 0), start_(std::chrono::steady_clock::now()) {}

void progress_bar::show(const actors::pipeline_progress& now) {
  if (!visible_)
    return;
  std::optional<double> share;
  if (now.bytes_total && *now.bytes_total > 0)
    share = static_cast<double>(now.bytes) / static_cast<double>(*now.bytes_total);
  const auto rate = static_cast<double>(now.counting.events) / std::max(0.001, seconds_since(start_));
  show(share, fmt::format("{}  {:.2f} M events/s  {}  {} open", text_of_bytes(now.bytes), rate / 1e6,
                          event_time(now.judged_through), now.state.open_incidents));
}

void progress_bar::show(std::optional<double> share, const std::string& text) {
  if (!visible_)
    return;
  std::string bar;
  if (share) {
    const auto full = static_cast<std::size_t>(std::min(1.0, *share) * 20);
    bar = fmt::format("[{}{}] {:3.0f} %  ", std::string(full, '#'), std::string(20 - full, '.'),
                      100 * std::min(1.0, *share));
  }
  fmt::print(stderr, "\r\033[K{}{}", bar, text);
  std::fflush(stderr);
}

void progress_bar::clear() const {
  if (visible_)
    fmt::print(stderr, "\r\033[K");
}

std::string summary_table(const actors::pipeline_progress& final, double seconds) {
  const auto& counting = final.counting;
  std::string table;
  const auto row = [&](const char* name, const std::string& value) { table += fmt::format("{:<22}{}\n", name, value); };
  row("input", text_of_bytes(final.bytes));
  row("events", fmt::format("{} ({:.2f} M/s)", grouped(counting.events),
                            static_cast<double>(counting.events) / std::max(1e-3, seconds) / 1e6));
  row("judged through", event_time(final.judged_through));
  row("alert records", with_shadow(final.alerts, final.shadow_alerts));
  row("open incidents", with_shadow(final.state.open_incidents, final.state.open_in_shadow));
  row("keys", fmt::format("{} ({} created, {} evicted, {} expired)", grouped(final.state.keys),
                          grouped(final.state.keys_created), grouped(final.state.keys_evicted),
                          grouped(final.state.keys_expired)));
  row("keys judged", grouped(final.state.judged));
  const auto optional_row = [&](const char* name, std::uint64_t value) {
    if (value > 0)
      row(name, grouped(value));
  };
  optional_row("filtered out", counting.filtered);
  optional_row("late events", counting.late);
  optional_row("pooled", counting.pooled);
  optional_row("hashed values", counting.hashed_values);
  for (std::size_t i = 0; i < reject_reasons; ++i)
    if (counting.rejected[i] > 0)
      row("rejected", fmt::format("{} {}", grouped(counting.rejected[i]), name_of(static_cast<reject_reason>(i))));
  optional_row("restarts", final.restarts);
  row("commits", grouped(final.commits));
  row("time", fmt::format("{:.2f} s", seconds));
  return table;
}

} // namespace tocsin::tools
