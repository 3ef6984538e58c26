#include "tools/report/second_pass.hpp"

#include "detectors/values/key.hpp"

#include <algorithm>
#include <iterator>
#include <set>
#include <unordered_map>
#include <utility>

namespace tocsin::tools {

namespace {

constexpr std::size_t points = 720;
constexpr double events_a_point = 50;
constexpr std::size_t least_points = 60;

/// One chosen incident while its key is watched for.
struct watched_incident {
  std::size_t index = 0; ///< in the book
  std::uint32_t monitor = 0;
  std::string detector;
  std::string key;
  chart_window window;
  rate_series series;
};

bucket_counts counts_of(const watched_tick& tick, const std::string& detector) {
  bucket_counts out;
  out.total = tick.total;
  out.failed = tick.failed;
  for (const auto& judged : tick.judgements)
    if (judged.view.name == detector && judged.view.model) {
      const auto events = static_cast<double>(tick.total);
      out.expected = events * judged.view.model->expected_rate;
      out.guarded = events * judged.view.model->guarded_rate;
    }
  return out;
}

/// The chosen incidents; tells the engine which keys to watch now, and keeps what it saw.
class watch_list {
public:
  watch_list(const world_spec& world, const incident_book& book, const std::vector<std::size_t>& chosen,
             time_ms judged_through)
      : keys_(world.monitors.size()) {
    for (const auto index : chosen) {
      const auto& incident = book.incidents()[index];
      auto key = engine_key_of(incident, world);
      if (!key)
        continue;
      const auto tick = world.monitors[key->first].tick;
      const auto window = window_of(incident, tick, judged_through);
      const auto ticks = (window.end - window.begin) / tick / static_cast<time_ms>(points) + 1;
      by_key_[{incident.monitor, key->second}].push_back(incidents_.size());
      incidents_.push_back({index, key->first, incident.detector, std::move(key->second), window,
                            rate_series(window.begin, ticks * tick, points)});
    }
  }

  /// Watches the keys whose time it may be in what is judged next: after `judged`, no later than `newest`.
  void tell(world& engine, time_ms judged, time_ms newest) {
    std::vector<std::set<std::string>> now(keys_.size());
    for (const auto& one : incidents_)
      if (one.window.begin <= newest && one.window.end >= judged)
        now[one.monitor].insert(one.key);
    for (std::uint32_t monitor = 0; monitor < keys_.size(); ++monitor)
      if (now[monitor] != keys_[monitor]) {
        engine.watch(monitor, {now[monitor].begin(), now[monitor].end()});
        keys_[monitor] = std::move(now[monitor]);
      }
  }

  void keep(const std::vector<watched_tick>& seen) {
    for (const auto& tick : seen) {
      const auto watching = by_key_.find({tick.of.monitor, tick.bytes});
      if (watching == by_key_.end())
        continue;
      const auto begin = tick.end - tick.of.tick;
      for (const auto number : watching->second) {
        auto& one = incidents_[number];
        if (begin >= one.window.begin && begin < one.window.end)
          one.series.add(begin, counts_of(tick, one.detector));
      }
    }
  }

  std::map<std::size_t, rate_series> take() {
    std::map<std::size_t, rate_series> out;
    for (auto& one : incidents_) {
      one.series.smooth(events_a_point, least_points);
      out.emplace(one.index, std::move(one.series));
    }
    return out;
  }

private:
  std::vector<watched_incident> incidents_;
  std::map<std::pair<std::string, std::string>, std::vector<std::size_t>> by_key_; ///< monitor name and key bytes
  std::vector<std::set<std::string>> keys_;                                        ///< by monitor: watched now
};

/// Adds what a monitor saw of a block. A late event belongs to the tick that is open when it comes.
void add_whole(rate_series& series, const event_batch& batch, const std::vector<observation>& seen, time_ms judged) {
  bucket_counts run;
  time_ms begin = 0;
  for (std::size_t i = 0; i < seen.size(); ++i) {
    if (seen[i].total <= 0)
      continue;
    const auto at = std::max(batch.events[i].time, judged);
    // A run of events in one bucket costs one look-up.
    if (run.total > 0 && series.index_of(at) != series.index_of(begin)) {
      series.add(begin, run);
      run = {};
    }
    begin = at;
    run.total += seen[i].total;
    run.failed += seen[i].failed;
  }
  series.add(begin, run);
}

} // namespace

chart_window window_of(const reported_incident& incident, time_ms tick, time_ms judged_through) {
  const auto end = std::max(incident.ended.value_or(judged_through), incident.onset + tick);
  const auto least = 90 * tick;
  const auto before = std::clamp(end - incident.onset, least, std::max(least, day_ms));
  return {incident.onset - before, std::min(end + before / 3, std::max(judged_through, end))};
}

std::optional<std::pair<std::uint32_t, std::string>> engine_key_of(const reported_incident& incident,
                                                                   const world_spec& world) {
  const auto monitor = std::find_if(world.monitors.begin(), world.monitors.end(),
                                    [&](const monitor_spec& one) { return one.name == incident.monitor; });
  if (monitor == world.monitors.end())
    return std::nullopt;
  const auto is_this = [&](const level_spec& level) {
    return std::equal(
        level.dimensions.begin(), level.dimensions.end(), incident.key.begin(), incident.key.end(),
        [&](std::uint32_t dimension, const auto& value) { return monitor->dimensions[dimension] == value.first; });
  };
  const auto level = std::find_if(monitor->levels.begin(), monitor->levels.end(), is_this);
  if (level == monitor->levels.end())
    return std::nullopt;
  std::string bytes(1, static_cast<char>(level - monitor->levels.begin()));
  for (const auto& [dimension, value] : incident.key) {
    if (!value)
      append_null(bytes);
    else if (*value == "(other)")
      append_pooled(bytes);
    else
      append_text(bytes, *value);
  }
  return std::pair(static_cast<std::uint32_t>(monitor - world.monitors.begin()), std::move(bytes));
}

io::result<recorded_counts> count_again(const io::config& config, const recorded_input& input,
                                        const incident_book& book, const std::vector<std::size_t>& chosen,
                                        time_ms judged_through, const std::function<bool(recording&)>& step) {
  // The first pass has given the warnings already.
  auto opened = recording::open(config, input, [](const std::string&) {});
  if (!opened)
    return opened.failure();
  auto& tape = *opened;
  recorded_counts out;
  for (const auto& monitor : config.world.monitors)
    out.whole.emplace_back(0, monitor.tick, points);
  watch_list list(config.world, book, chosen, judged_through);

  time_ms newest = beginning_of_time;
  const auto look = [&](const event_batch& batch) {
    const auto judged = tape.engine().judged_through();
    for (const auto& one : batch.events)
      newest = std::max(newest, one.time);
    for (std::size_t m = 0; m < out.whole.size(); ++m)
      add_whole(out.whole[m], batch, batch.observations[m], judged);
    list.tell(tape.engine(), judged, newest);
  };
  while (!tape.ended()) {
    if (const auto done = tape.step(look); !done)
      return done.failure();
    list.keep(tape.engine().take_watched());
    if (!step(tape))
      break;
  }
  out.first_event = tape.first_event();
  for (auto& series : out.whole) {
    series.cut(judged_through);
    series.smooth(events_a_point, least_points);
  }
  out.incidents = list.take();
  return out;
}

} // namespace tocsin::tools
