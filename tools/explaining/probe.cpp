#include "tools/explaining/probe.hpp"

#include "detectors/engine/world.hpp"
#include "detectors/judging/dimensions.hpp"
#include "io/decoder.hpp"
#include "io/file/file_source.hpp"
#include "tools/command.hpp"
#include "tools/journal_file.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <deque>
#include <map>
#include <memory>

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

io::result<std::unique_ptr<io::source>> open_source(const io::config& config, const probe_options& options) {
  io::file_source_options out;
  out.paths = options.inputs;
  out.sequence = options.sequence || config.input.sequence;
  out.has_header = config.decode->format == io::input_format::csv;
  out.max_record_bytes = config.decode->max_record_bytes;
  out.on_warning = [](const std::string& text) { print_error("warning: " + text); };
  auto source = io::open_file_source(std::move(out));
  if (!source)
    return source.failure();
  return std::unique_ptr<io::source>(std::move(*source));
}

/// The engine on a recording, without actors.
class recording {
public:
  recording(const io::config& config, io::source& source, journal facts)
      : source_(source), decoder_(io::make_decoder(config.decode)), block_bytes_(config.block_bytes) {
    world_snapshot start;
    start.rewinds.resize(source.partitions());
    start.journal = std::move(facts.entries);
    start.actions = std::move(facts.actions);
    engine_ = std::make_unique<world>(std::make_shared<const world_spec>(config.world), source.partitions(), start);
  }

  world& engine() { return *engine_; }
  bool ended() const { return engine_->gate().all_ended(); }
  /// Of the earliest event so far.
  time_ms first_event() const { return first_event_; }

  /// One block of the partition that holds up the others.
  io::result<void> step() {
    const auto p = slowest();
    const auto outcome = source_.read(p, block_bytes_, block_);
    if (!outcome)
      return outcome.failure();
    if (*outcome == io::read_outcome::block) {
      block_.partition = p;
      decoder_->decode(block_, batch_);
      batch_.partition = p;
      batch_.begin = block_.begin;
      batch_.next_offset = block_.next_offset;
      for (const auto& one : batch_.events)
        first_event_ = std::min(first_event_, one.time);
      engine_->count(batch_);
    } else if (*outcome == io::read_outcome::ended) {
      engine_->finish(p);
    }
    engine_->take_alerts();
    engine_->take_rejects();
    return {};
  }

private:
  partition_id slowest() const {
    const auto& gate = engine_->gate();
    std::optional<partition_id> found;
    for (partition_id p = 0; p < source_.partitions(); ++p)
      if (!gate.ended(p) && (!found || gate.watermark(p) < gate.watermark(*found)))
        found = p;
    return found.value_or(0);
  }

  io::source& source_;
  std::unique_ptr<io::decoder> decoder_;
  std::size_t block_bytes_;
  std::unique_ptr<world> engine_;
  io::raw_block block_;
  event_batch batch_;
  time_ms first_event_ = end_of_time;
};

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
  auto source = open_source(config, options);
  if (!source)
    return source.failure();
  std::vector<std::string> names;
  for (partition_id p = 0; p < (*source)->partitions(); ++p)
    names.push_back((*source)->name(p));
  journal facts;
  if (!options.journal.empty()) {
    auto read = read_journal(options.journal, names, config.world);
    if (!read)
      return read.failure();
    facts = std::move(*read);
  }

  const auto keys = with_ancestors(monitor, key.bytes);
  recording tape(config, **source, std::move(facts));
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
