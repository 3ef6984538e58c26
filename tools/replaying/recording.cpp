#include "tools/replaying/recording.hpp"

#include "io/file/file_source.hpp"
#include "tools/journal_file.hpp"
#include "tools/replaying/recording_folder.hpp"

#include <algorithm>
#include <optional>
#include <utility>

namespace tocsin::tools {

io::result<recording> recording::open(const io::config& config, const recorded_input& input,
                                      std::function<void(const std::string&)> on_warning) {
  auto inputs = expand_recording({input.paths, input.journal}, input.sequence || config.input.sequence);
  if (!inputs)
    return inputs.failure();
  io::file_source_options options;
  options.paths = std::move(inputs->paths);
  options.sequence = input.sequence || config.input.sequence;
  options.has_header = config.decode->format == io::input_format::csv;
  options.max_record_bytes = config.decode->max_record_bytes;
  options.on_warning = std::move(on_warning);
  auto source = io::open_file_source(std::move(options));
  if (!source)
    return source.failure();
  journal facts;
  if (!inputs->journal.empty()) {
    std::vector<std::string> names;
    for (partition_id p = 0; p < (*source)->partitions(); ++p)
      names.push_back((*source)->name(p));
    auto read = read_journal(inputs->journal, names, config.world);
    if (!read)
      return read.failure();
    facts = std::move(*read);
    if (input.hindsight)
      facts.actions = in_hindsight(std::move(facts.actions));
  }
  return recording(config, std::move(*source), std::move(facts));
}

recording::recording(const io::config& config, std::unique_ptr<io::source> source, journal facts)
    : source_(std::move(source)), decoder_(io::make_decoder(config.decode)), block_bytes_(config.block_bytes) {
  world_snapshot start;
  start.rewinds.resize(source_->partitions());
  start.journal = std::move(facts.entries);
  start.actions = std::move(facts.actions);
  engine_ = std::make_unique<world>(std::make_shared<const world_spec>(config.world), source_->partitions(), start);
}

io::result<void> recording::step(const std::function<void(const event_batch&)>& look) {
  const auto p = slowest();
  const auto outcome = source_->read(p, block_bytes_, block_);
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
    if (look)
      look(batch_);
    engine_->count(batch_);
  } else if (*outcome == io::read_outcome::ended) {
    engine_->finish(p);
  }
  engine_->take_alerts();
  engine_->take_rejects();
  return {};
}

partition_id recording::slowest() const {
  const auto& gate = engine_->gate();
  std::optional<partition_id> found;
  for (partition_id p = 0; p < source_->partitions(); ++p)
    if (!gate.ended(p) && (!found || gate.watermark(p) < gate.watermark(*found)))
      found = p;
  return found.value_or(0);
}

} // namespace tocsin::tools
