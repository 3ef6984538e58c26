#include "actors/supervisor_actor.hpp"

#include "actors/coordinator_actor.hpp"
#include "actors/counter_actor.hpp"
#include "actors/decoder_actor.hpp"
#include "actors/failure.hpp"
#include "actors/shard_actor.hpp"
#include "actors/source_actor.hpp"

#include <algorithm>
#include <map>

namespace tocsin::actors {

namespace {

constexpr std::size_t max_unused_buffers = 64;

io::error state_error(std::string message) {
  io::error failure;
  failure.code = io::error_code::state;
  failure.message = std::move(message);
  failure.fatal = true;
  return failure;
}

/// The error class of a bug, by the actor that showed it.
io::error_code class_of(const std::string& actor_name) {
  return actor_name == "source" || actor_name == "decoder" ? io::error_code::source : io::error_code::state;
}

class supervisor_state {
public:
  static inline const char* name = "supervisor";
  explicit supervisor_state(supervisor_actor::pointer self) : self_(self) {}

  void begin(supervisor_setup setup) {
    setup_ = std::move(setup);
    restarts_.emplace(setup_.options->restarts);
    blocks_ = std::make_shared<recycler<io::raw_block>>(max_unused_buffers);
    batches_ = std::make_shared<recycler<event_batch>>(max_unused_buffers);
    self_->send(self_, start_atom::value);
  }

  /// A new incarnation begins with its sink, which reads what the others start from.
  void start() {
    if (phase_ != phase::waiting)
      return;
    phase_ = phase::opening;
    ++incarnation_;
    sink_ = watch("sink", spawn_sink(self_, setup_.detached, {setup_.sink, setup_.options->identity, myself()}));
    self_->send(sink_, open_atom::value);
  }

  void restored(restored_state& found) {
    if (phase_ != phase::opening)
      return;
    std::sort(found.world.partitions.begin(), found.world.partitions.end(),
              [](const auto& a, const auto& b) { return a.partition < b.partition; });
    if (const auto problem = check(found.world))
      return fail(*problem);
    restarts_->restored(monotonic_ms(*self_), found.world.judged_through);
    // Before the world begins to write to the board itself.
    show_restored(found.world);
    spawn_world(found);
    phase_ = phase::running;
  }

  /// The first thing that goes wrong ends the incarnation.
  void fail(const io::error& problem) {
    if (phase_ != phase::opening && phase_ != phase::running)
      return;
    problem_ = problem;
    end_incarnation();
  }

  void lost(const caf::down_msg& down) {
    const auto found = children_.find(down.source);
    if (found == children_.end())
      return;
    const auto name_of_child = found->second;
    children_.erase(found);
    io::error bug;
    bug.code = class_of(name_of_child);
    bug.message = "the " + name_of_child + " stopped unexpectedly: " + reason_text(down.reason);
    bug.retriable = true;
    fail(bug);
    if (phase_ == phase::ending && children_.empty())
      decide();
  }

  void done() {
    if (phase_ != phase::running)
      return;
    finished_ = true;
    end_incarnation();
  }

  void stop() {
    stopping_ = true;
    if (phase_ == phase::running)
      self_->send(coordinator_, stop_atom::value);
    else if (phase_ == phase::opening)
      end_incarnation();
    else if (phase_ == phase::waiting)
      finish(problem_);
  }

  /// A bug in the supervisor itself: nothing is left to decide.
  void give_up(const std::string& text) {
    for (const auto& child : children_)
      self_->send_exit(child.first, caf::exit_reason::kill);
    setup_.board->finish(state_error("the supervisor failed: " + text));
  }

private:
  enum class phase {
    waiting, ///< for the (re)start
    opening, ///< the sink reads the store
    running,
    ending, ///< every actor of the incarnation was told to end; the last one decides what comes next
    over,
  };

  supervisor_actor myself() const { return caf::actor_cast<supervisor_actor>(self_->ctrl()); }

  template <class Handle>
  Handle watch(const char* child_name, Handle child) {
    children_.emplace(child.address(), child_name);
    return child;
  }

  // ---- starting ----

  std::optional<io::error> check(io::restored_world& world) const {
    const auto partitions = setup_.source->partitions();
    if (partitions == 0)
      return state_error("there is no input: the source has no partition");
    if (world.fresh) {
      world.partitions.clear();
      for (partition_id p = 0; p < partitions; ++p)
        world.partitions.push_back({p, rewind_point{}, {}});
    }
    for (std::size_t p = 0; p < world.partitions.size(); ++p)
      if (world.partitions[p].partition != p)
        return state_error("the stored state lacks partition " + std::to_string(p));
    if (world.partitions.size() != partitions)
      return state_error("the stored state has " + std::to_string(world.partitions.size()) +
                         " partitions, the input has " + std::to_string(partitions));
    return std::nullopt;
  }

  void spawn_world(restored_state& found) {
    const auto& options = *setup_.options;
    auto& world = found.world;
    coordinator_setup heart{
        setup_.options, {},      world.judged_through, std::move(found.requests), setup_.sink->rejects != nullptr,
        setup_.board,   myself()};
    for (const auto& point : world.partitions)
      heart.starts.push_back(point.rewind);
    coordinator_ = watch("coordinator", spawn_coordinator(self_, std::move(heart)));

    auto everyone = std::make_shared<crew>();
    everyone->sink = sink_;
    everyone->shards = spawn_shards(found);
    for (const auto& point : world.partitions)
      everyone->counters.push_back(watch("counter", spawn_one_counter(world, point)));
    std::vector<decoder_actor> decoders;
    for (std::size_t i = 0; i < std::max<std::size_t>(1, options.workers); ++i)
      decoders.push_back(watch("decoder", spawn_decoder(self_, {setup_.make_decoder, batches_, everyone->counters})));
    source_setup reader{setup_.source,
                        std::move(world.partitions),
                        incarnation_,
                        options.block_bytes,
                        blocks_,
                        setup_.board,
                        std::move(decoders),
                        everyone->counters,
                        sink_,
                        myself()};
    everyone->source = watch("source", spawn_source(self_, setup_.detached, std::move(reader)));
    self_->send(coordinator_, crew_ptr(std::move(everyone)));
  }

  counter_actor spawn_one_counter(const io::restored_world& world, const io::partition_point& point) {
    counter_setup setup{setup_.options->spec, point.partition, point.rewind, world.judged_through, {}, coordinator_};
    for (const auto* entries : {&world.journal, &setup_.options->given_journal})
      std::copy_if(entries->begin(), entries->end(), std::back_inserter(setup.journal), [&](const auto& entry) {
        return entry.partition == point.partition && entry.offset >= point.rewind.offset;
      });
    return spawn_counter(self_, std::move(setup));
  }

  std::vector<shard_actor> spawn_shards(restored_state& found) {
    const auto count = std::clamp<std::size_t>(setup_.options->workers, 1, shard_count);
    std::vector<shard_setup> setups(count);
    for (std::uint32_t number = 0; number < shard_count; ++number)
      setups[number % count].numbers.push_back(number);
    for (auto& record : found.state) {
      // A record without an owner goes to the first, which reports it.
      const auto owner = shard::owner_of(record).value_or(0);
      setups[owner % count].state.push_back(std::move(record));
    }
    auto actions = found.world.actions;
    const auto& given = setup_.options->given_actions;
    actions.insert(actions.end(), given.begin(), given.end());
    std::vector<shard_actor> shards;
    for (auto& setup : setups) {
      setup.actions = actions;
      setup.spec = setup_.options->spec;
      if (found.world.judged_through > beginning_of_time)
        setup.judged_through = found.world.judged_through;
      setup.coordinator = coordinator_;
      setup.supervisor = myself();
      shards.push_back(watch("shard", spawn_shard(self_, std::move(setup))));
    }
    return shards;
  }

  void show_restored(const io::restored_world& world) {
    if (!alerts_at_start_)
      alerts_at_start_ = world.alerts;
    setup_.board->update([&](pipeline_progress& progress) {
      progress.judged_through = progress.committed_through = world.judged_through;
      // Exact also when the acknowledgement of a commit was lost.
      progress.alerts = world.alerts - *alerts_at_start_;
      progress.restarts = incarnation_ - 1;
    });
  }

  // ---- ending ----

  void end_incarnation() {
    phase_ = phase::ending;
    coordinator_ = coordinator_actor{};
    sink_ = sink_actor{};
    for (const auto& child : children_)
      self_->send_exit(child.first, caf::exit_reason::user_shutdown);
    if (children_.empty())
      decide();
  }

  /// Every actor of the incarnation has gone: the source and the store are free.
  void decide() {
    if (finished_)
      return finish(std::nullopt);
    if (stopping_ || (problem_ && problem_->fatal))
      return finish(problem_);
    const auto delay = restarts_->failed(monotonic_ms(*self_));
    if (!delay) {
      problem_->message += " (given up after " + std::to_string(setup_.options->restarts.max_without_progress) +
                           " restarts without progress)";
      return finish(problem_);
    }
    setup_.options->log(problem_->message + "; restarting from the last commit in " + format_duration(*delay));
    setup_.board->update([&](pipeline_progress& progress) { progress.last_error = problem_->message; });
    phase_ = phase::waiting;
    self_->delayed_send(self_, std::chrono::milliseconds(*delay), start_atom::value);
  }

  void finish(std::optional<io::error> failure) {
    phase_ = phase::over;
    if (failure && failure->code != io::error_code::reader_gone)
      setup_.options->log(failure->message);
    setup_.board->finish(std::move(failure));
    self_->quit();
  }

  supervisor_actor::pointer self_;
  supervisor_setup setup_;
  std::optional<restart_policy> restarts_;
  std::shared_ptr<recycler<io::raw_block>> blocks_;
  std::shared_ptr<recycler<event_batch>> batches_;
  phase phase_ = phase::waiting;
  std::uint64_t incarnation_ = 0;
  std::map<caf::actor_addr, std::string> children_;
  sink_actor sink_;
  coordinator_actor coordinator_;
  std::optional<io::error> problem_; ///< why the last incarnation ended
  std::optional<std::uint64_t> alerts_at_start_;
  bool stopping_ = false;
  bool finished_ = false;
};

supervisor_actor::behavior_type supervisor_behavior(supervisor_actor::stateful_pointer<supervisor_state> self,
                                                    supervisor_setup setup) {
  self->set_exception_handler([self](std::exception_ptr& thrown) -> caf::error {
    const auto text = exception_text(thrown);
    self->state.give_up(text);
    return caf::make_error(caf::sec::runtime_error, text);
  });
  self->set_down_handler([self](caf::down_msg& down) { self->state.lost(down); });
  self->state.begin(std::move(setup));
  return {
      [self](const restored_ptr& found) { self->state.restored(*found); },
      [self](const io::error& problem) { self->state.fail(problem); },
      [self](done_atom) { self->state.done(); },
      [self](start_atom) { self->state.start(); },
      [self](stop_atom) { self->state.stop(); },
  };
}

} // namespace

supervisor_actor spawn_supervisor(caf::actor_system& system, supervisor_setup setup) {
  return system.spawn(supervisor_behavior, std::move(setup));
}

} // namespace tocsin::actors
