#include "io/config/memory_estimate.hpp"

#include <algorithm>
#include <set>
#include <utility>

namespace tocsin::io {

namespace {

// Doubles, because a product of capacities may be any size.
constexpr double key_bytes = 512;
constexpr double scope_bytes = 512;
constexpr double window_entry_bytes = 40; ///< 32 and the slack of a growing array
constexpr double detector_bytes = 96;     ///< of each detector a key, without its window
constexpr double z_score_bytes = 176;     ///< sums, quarantine and its place in the list of the window
constexpr double sr_key_bytes = 192;      ///< of every key of sr_mixture
constexpr double sr_full_key_bytes = 576; ///< more, of a full key: we count on all of them
constexpr double sr_scope_bytes = 2560;   ///< of the root's season and budgets
constexpr double volume_key_bytes = 640;  ///< of a key whose events are enough to be judged: we count on all of them
constexpr double volume_scope_bytes = 128;
/// A cell is 64 bytes, its index entry 32, and an open-addressing index may be half empty.
constexpr double leaf_cell_bytes = 64 + 2 * 32;
constexpr double rolled_up_bytes = 96;
/// A leaf's record and index; and what it did: at most 36 ticks, 120 minutes and 49 hours, 16 bytes each. One tick may
/// bring as many new leaves as there are, before the lightest of both go (measured: bench/README.md).
constexpr double leaf_bytes = 192 + 704;
constexpr double leaf_past_bytes = 16 * (36 + 120 + 49);
/// An error type with its name, evidence, and place in a map.
constexpr double error_type_bytes = 512;
constexpr double mib = 1 << 20;
constexpr double credit_bytes = 8 * mib;
constexpr double process_bytes = 32 * mib;
/// A commit gathers the states that changed since the last one, 256 bytes each: we count on a quarter of the keys.
constexpr double commit_bytes_a_key = 64;
constexpr double most_bytes = 9007199254740992.0; // 2^53

/// Typical text of a key: tag, length and a dozen bytes a dimension.
double text_bytes(std::size_t dimensions) {
  return 16 * static_cast<double>(dimensions);
}

double count(time_ms length, time_ms unit) {
  const auto whole = (length + unit - 1) / unit;
  return static_cast<double>(whole);
}

/// Entries of a sliding window for a key that is active all the time. The resolution follows models/sliding_window:
/// ticks up to 360 of them, minutes up to a day, hours beyond.
double window_entries(time_ms length, time_ms tick) {
  if (length <= 360 * tick)
    return count(length, tick);
  return count(length, std::max(tick, length <= day_ms ? minute_ms : hour_ms));
}

/// A burn_rate cuts each distinct length into at least 12 buckets (burn_rate_detector).
double burn_rate_entries(const burn_rate_spec& settings, time_ms tick) {
  constexpr time_ms least_buckets = 12;
  std::set<time_ms> lengths;
  for (const auto& rule : settings.rules)
    lengths.insert({rule.long_window, rule.short_window});
  double entries = 0;
  for (const auto length : lengths)
    entries += count(length, tick * std::max<time_ms>(1, length / tick / least_buckets));
  return entries;
}

/// What a detector keeps of each key beside `detector_bytes`.
double key_state(const detector_spec& detector, time_ms tick) {
  if (const auto* threshold = std::get_if<threshold_spec>(&detector.settings))
    return window_entry_bytes * window_entries(threshold->window, tick);
  if (const auto* burn_rate = std::get_if<burn_rate_spec>(&detector.settings))
    return window_entry_bytes * burn_rate_entries(*burn_rate, tick);
  if (std::holds_alternative<z_score_spec>(detector.settings))
    return z_score_bytes;
  if (std::holds_alternative<sr_mixture_spec>(detector.settings))
    return sr_key_bytes + sr_full_key_bytes;
  if (std::holds_alternative<volume_drop_spec>(detector.settings))
    return volume_key_bytes;
  return 0;
}

double detector_state(const monitor_spec& monitor) {
  double sum = 0;
  for (const auto& detector : monitor.detectors)
    sum += detector_bytes + key_state(detector, monitor.tick);
  return sum;
}

double scope_state(const monitor_spec& monitor) {
  double sum = scope_bytes + text_bytes(monitor.scope_size);
  for (const auto& detector : monitor.detectors) {
    if (const auto* settings = std::get_if<count_bucket_spec>(&detector.settings))
      sum += window_entry_bytes * window_entries(settings->baseline, monitor.tick);
    if (std::holds_alternative<sr_mixture_spec>(detector.settings))
      sum += sr_scope_bytes;
    if (std::holds_alternative<volume_drop_spec>(detector.settings))
      sum += volume_scope_bytes;
  }
  return sum;
}

memory_share share(std::string what, double bytes) {
  return {std::move(what), static_cast<std::uint64_t>(std::min(bytes, most_bytes))};
}

void add_error_types(const monitor_spec& monitor, double open_tables, std::vector<memory_share>& out) {
  const auto cells = static_cast<double>(most_type_cells(monitor.capacity));
  const auto past = static_cast<double>(most_types_past(monitor.capacity));
  const auto text = text_bytes(monitor.dimensions.size() + 1);
  const auto detectors = std::count_if(monitor.detectors.begin(), monitor.detectors.end(), [](const detector_spec& d) {
    return std::holds_alternative<sr_mixture_spec>(d.settings);
  });
  // Each scope value keeps at least eight types.
  const auto scopes = monitor.scope_size == 0 ? 1.0 : static_cast<double>(monitor.capacity.max_scopes);
  const auto types = std::max(static_cast<double>(monitor.capacity.max_leaves), 8 * scopes);
  out.push_back(share(monitor.name + ": error types", cells * (leaf_cell_bytes + text) * open_tables +
                                                          past * (leaf_bytes + text + leaf_past_bytes) +
                                                          static_cast<double>(detectors) * types * error_type_bytes));
}

void add_monitor(const config& built, const monitor_spec& monitor, double partitions, std::vector<memory_share>& out) {
  const auto keys = static_cast<double>(monitor.capacity.max_keys);
  const auto cells = static_cast<double>(monitor.capacity.max_leaf_cells);
  const auto text = text_bytes(monitor.dimensions.size());
  const auto open_ticks = count(holdback(built.world), monitor.tick) + 2;
  // A monitor of the whole stream has one scope value.
  const auto scopes = monitor.scope_size == 0 ? 1.0 : static_cast<double>(monitor.capacity.max_scopes);
  const auto rolled_up = std::min(cells * static_cast<double>(monitor.levels.size()), keys);
  out.push_back(share(monitor.name + ": keys", keys * (key_bytes + text + detector_state(monitor))));
  out.push_back(share(monitor.name + ": scopes", scopes * scope_state(monitor)));
  out.push_back(share(monitor.name + ": leaf cells", cells * (leaf_cell_bytes + text) * open_ticks * partitions));
  if (has_attribution(monitor))
    out.push_back(share(monitor.name + ": leaves' past",
                        static_cast<double>(monitor.capacity.max_leaves) * (leaf_bytes + text + leaf_past_bytes)));
  if (monitor.error_type)
    add_error_types(monitor, open_ticks * partitions, out);
  out.push_back(share(monitor.name + ": roll-up and commit", rolled_up * rolled_up_bytes + keys * commit_bytes_a_key));
}

} // namespace

std::vector<memory_share> memory_estimate(const config& built) {
  const auto files = built.input.sequence ? std::size_t{1} : std::max<std::size_t>(1, built.input.paths.size());
  const auto partitions = static_cast<double>(files);
  // A decoded event takes about as much room as its record, once for the event and once a monitor.
  const auto copies = 2 + static_cast<double>(built.world.monitors.size());
  const auto buffered = std::max(credit_bytes, static_cast<double>(built.block_bytes));
  std::vector<memory_share> out{share("process", process_bytes),
                                share("input buffers", partitions * buffered * copies)};
  for (const auto& monitor : built.world.monitors)
    add_monitor(built, monitor, partitions, out);
  return out;
}

std::uint64_t total_of(const std::vector<memory_share>& shares) {
  constexpr auto most = std::uint64_t{1} << 63;
  std::uint64_t sum = 0;
  for (const auto& part : shares)
    sum = part.bytes > most - sum ? most : sum + part.bytes;
  return sum;
}

} // namespace tocsin::io
