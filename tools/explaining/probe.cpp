#include "tools/explaining/probe.hpp"

#include "detectors/engine/world.hpp"
#include "detectors/judging/dimensions.hpp"
#include "tools/command.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <deque>
#include <map>
#include <utility>

namespace tocsin::tools {

namespace {

io::error misuse(std::string message) {
  return {io::error_code::usage, std::move(message), false, true};
}

/// The key, then those above it up to the root of its scope.
std::vector<std::string> with_ancestors(const monitor_spec& monitor, const std::string& key) {
  std::vector<std::string> keys{key};
  while (keys.back()[0] != 0)
    keys.push_back(parent_key(monitor, keys.back()));
  return keys;
}

/// The last ticks of each key.
using paths = std::map<std::string, std::deque<watched_tick>>;

void keep(paths& kept, std::vector<watched_tick> seen, time_ms last_end, std::size_t most) {
  for (auto& tick : seen) {
    if (tick.end > last_end)
      continue;
    auto& path = kept[tick.bytes];
    path.push_back(std::move(tick));
    if (path.size() > most)
      path.pop_front();
  }
}

/// What was known of a key when it was judged last.
key_explanation known_at(const watched_tick& tick) {
  auto out = tick.of;
  for (const auto& judged : tick.judgements)
    out.detectors.push_back(judged.view);
  return out;
}

} // namespace

io::result<answer> probe(const io::config& config, const chosen_key& key, const probe_options& options) {
  const auto& monitor = config.world.monitors[key.monitor];
  auto opened =
      recording::open(config, options.input, [](const std::string& text) { print_error("warning: " + text); });
  if (!opened)
    return opened.failure();
  auto& tape = *opened;
  const auto keys = with_ancestors(monitor, key.bytes);
  tape.engine().watch(key.monitor, keys);
  const auto last_end = tick_end(tick_of(options.at, monitor.tick), monitor.tick);
  paths kept;
  while (!tape.ended() && tape.engine().judged_through() < last_end) {
    if (const auto done = tape.step(); !done)
      return done.failure();
    keep(kept, tape.engine().take_watched(), last_end, std::max<std::size_t>(1, options.path));
  }
  if (tape.first_event() >= last_end)
    return misuse(tape.first_event() == end_of_time
                      ? "the input has no events"
                      : fmt::format("--at: found {}, but the recording begins at {}", format_rfc3339(options.at),
                                    format_rfc3339(tape.first_event())));

  answer out;
  out.at = options.at;
  const auto seen = std::find_if(keys.begin(), keys.end(), [&](const auto& one) { return kept.count(one) != 0; });
  if (seen == keys.end())
    return misuse(fmt::format("--key: until {} there was no event in {}", format_rfc3339(options.at),
                              shown_key(name_dimensions(monitor, 0, keys.back()))));
  auto& path = kept[*seen];
  if (seen == keys.begin()) {
    out.about = known_at(path.back());
    out.path.assign(std::make_move_iterator(path.begin()), std::make_move_iterator(path.end()));
    return out;
  }
  out.ancestor = known_at(path.back());
  out.about.monitor = monitor.name;
  out.about.level = level_names(monitor, static_cast<std::uint8_t>(key.bytes[0]));
  out.about.key = name_dimensions(monitor, static_cast<std::uint8_t>(key.bytes[0]), key.bytes);
  out.about.tick = monitor.tick;
  out.about.told_after = holdback(config.world);
  return out;
}

} // namespace tocsin::tools
