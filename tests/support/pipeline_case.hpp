#pragma once

#include "actors/pipeline.hpp"
#include "actors/supervisor_actor.hpp"
#include "tests/support/deterministic_system.hpp"
#include "tests/support/recording_store.hpp"
#include "tests/support/scripted_source.hpp"

#include <memory>
#include <optional>
#include <random>
#include <string>
#include <vector>

namespace tocsin::test {

/// One pipeline over test doubles, for the deterministic or the threaded system. Change what you like before you use
/// it.
struct pipeline_case {
  /// A reads-to-the-end pipeline with small blocks, little credit and short back-off.
  pipeline_case(std::shared_ptr<const world_spec> spec, std::vector<std::string> texts, bool follow = false);

  std::shared_ptr<const world_spec> spec;
  std::shared_ptr<disk> on = std::make_shared<disk>();
  std::unique_ptr<scripted_source> source;
  std::unique_ptr<recording_store> store;
  std::unique_ptr<recording_log> log;
  std::unique_ptr<recording_rejects> rejects;
  std::function<void()> on_block; ///< called by decoders
  actors::pipeline_options options;
  std::vector<std::string> complaints; ///< what the supervisor logged (deterministic runs only)

  actors::pipeline_parts take_parts();
};

/// A case at work in a deterministic system.
class staged_pipeline {
public:
  explicit staged_pipeline(pipeline_case& from);
  ~staged_pipeline();

  deterministic_system stage;
  std::string corked; ///< actors of this name get no time

  bool finished() const { return board_->finished(); }
  actors::pipeline_outcome outcome() const;
  actors::pipeline_progress progress() const { return board_->read(); }
  void request_stop();
  /// One message of a random actor; when nothing is ready, time goes on a little.
  void step(std::minstd_rand& random);
  /// Runs everything that can run without time going on.
  void settle();
  /// Time goes on in steps of 50 ms.
  void pass(time_ms time);
  /// Runs to the end; false if it does not come within an hour of simulated time.
  bool run();

private:
  std::shared_ptr<io::source> source_;
  std::shared_ptr<actors::progress_board> board_ = std::make_shared<actors::progress_board>();
  actors::supervisor_actor supervisor_;
};

/// The alert log of the engine without actors, over the same texts.
std::vector<std::string> log_without_actors(const std::shared_ptr<const world_spec>& spec,
                                            const std::vector<std::string>& texts,
                                            const std::vector<journal_entry>& journal = {},
                                            const std::vector<operator_action>& actions = {});

} // namespace tocsin::test
