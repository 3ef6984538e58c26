#pragma once

#include "detectors/engine/world.hpp"
#include "io/config/config.hpp"
#include "io/decoder.hpp"
#include "io/result.hpp"
#include "io/source.hpp"
#include "tools/journal_file.hpp"

#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace tocsin::tools {

/// What is to be replayed.
struct recorded_input {
  std::vector<std::string> paths; ///< files (plain, gzip or zstd), - for standard input, or one recording
  bool sequence = false;          ///< they follow each other as one partition
  std::string journal;            ///< file with decisions to obey; empty: none
  bool hindsight = false;         ///< exclusions of the journal hold in their whole range
};

/// The engine on recorded input, without actors. Owned by one command; one thread.
///
/// Usage: `while (!tape.ended()) tape.step(...)`; between the steps the engine may be asked.
class recording {
public:
  /// `on_warning`: told about input that ends in the middle of a record, and the like.
  static io::result<recording> open(const io::config& config, const recorded_input& input,
                                    std::function<void(const std::string&)> on_warning);

  world& engine() { return *engine_; }
  const io::source& source() const { return *source_; }
  bool ended() const { return engine_->gate().all_ended(); }
  /// Of the earliest event so far.
  time_ms first_event() const { return first_event_; }

  /// Reads a block of the partition that holds up the others, and counts it. `look` sees it decoded before that.
  io::result<void> step(const std::function<void(const event_batch&)>& look = {});

private:
  recording(const io::config& config, std::unique_ptr<io::source> source, journal facts);
  partition_id slowest() const;

  std::unique_ptr<io::source> source_;
  std::unique_ptr<io::decoder> decoder_;
  std::size_t block_bytes_;
  std::unique_ptr<world> engine_;
  io::raw_block block_;
  event_batch batch_;
  time_ms first_event_ = end_of_time;
};

} // namespace tocsin::tools
